import { type ClientRequest, type RequestOptions, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP, type Socket } from 'node:net';
import { hostOf } from './wire.ts';

/** How Node connects to a proxy. */
interface ProxyRequest extends RequestOptions {
  /** Certificates to trust if the proxy speaks TLS. */
  readonly ca?: (Buffer | string)[];
}

/** A request to a proxy itself: a `CONNECT`, or one with an absolute URL. Errors are those of a request. */
export function requestProxy(proxy: URL, options: ProxyRequest): ClientRequest {
  const headers = { ...options.headers, ...proxyAuthorization(proxy) };
  if (proxy.protocol !== 'https:') return requestHttp(proxy, { ...options, headers });
  // Node would otherwise expect the name in the Host header in the certificate.
  const servername = isIP(hostOf(proxy)) === 0 ? hostOf(proxy) : '';
  return requestHttps(proxy, { ...options, headers, servername });
}

/** Opens a tunnel through the proxy to a host and port. Rejects with code `ERR_PROXY_TUNNEL` if the proxy refuses. */
export function openTunnel(proxy: URL, authority: string, options: ProxyRequest): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const asking = requestProxy(proxy, {
      ...options,
      method: 'CONNECT',
      path: authority,
      headers: { Host: authority },
    });
    asking.once('error', reject);
    asking.once('connect', ({ statusCode }, socket) => {
      if (statusCode === 200) resolve(socket);
      else {
        socket.destroy();
        reject(Object.assign(new Error('the proxy refuses'), { code: 'ERR_PROXY_TUNNEL' }));
      }
    });
    asking.end();
  });
}

function proxyAuthorization({ username, password }: URL): Record<string, string> {
  if (username === '' && password === '') return {};
  const pair = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`);
  return { 'Proxy-Authorization': `Basic ${pair.toString('base64')}` };
}
