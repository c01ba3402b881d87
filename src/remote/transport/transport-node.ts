import {
  type ClientRequest,
  Agent as HttpAgent,
  type IncomingMessage,
  type RequestOptions,
  request as requestHttp,
} from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Connection } from './connection.ts';
import { proxyFor } from './proxy.ts';
import { openTunnel, requestProxy } from './proxy-tunnel.ts';
import { addressOf, hostOf, type Roots, type WireRequest, type WireResponse } from './wire.ts';

interface TlsOptions {
  readonly rejectUnauthorized: boolean;
  readonly ca?: (Buffer | string)[];
  readonly cert: Buffer[];
  readonly key: Buffer[];
}
type TlsRequestOptions = RequestOptions & TlsOptions & { readonly servername?: string };

/** Agents keep connections open between requests; one per set of connection settings. */
const agents = new WeakMap<Connection, Map<string, HttpAgent>>();

/** `exchange` for Node, whose `fetch` supports neither custom authorities nor client certificates. */
export function sendWithNode(request: WireRequest, connection: Connection, roots: Roots): Promise<WireResponse> {
  const target = addressOf(request.url, connection);
  const proxy = proxyFor(target);
  const options = {
    method: request.method,
    headers: headersOf(request),
    signal: request.signal,
    ...(connection.address === undefined ? {} : { servername: request.url.hostname }),
  };
  if (proxy !== undefined) return sendThrough(proxy, request, target, { ...options, ...tlsOptions(connection, roots) });
  const agent = agentFor(connection, target, roots);
  const send = target.protocol === 'https:' ? requestHttps : requestHttp;
  return answerTo(send(target, { ...options, agent }), request.body);
}

/** A new tunnel for each request. */
async function sendThrough(
  proxy: URL,
  request: WireRequest,
  target: URL,
  options: TlsRequestOptions,
): Promise<WireResponse> {
  if (target.protocol !== 'https:') {
    return answerTo(requestProxy(proxy, { ...options, path: target.href }), request.body);
  }
  const { ca, cert, key, rejectUnauthorized, signal } = options;
  const authority = `${target.hostname}:${target.port || 443}`;
  const socket = await openTunnel(proxy, authority, { ...(ca && { ca }), ...(signal && { signal }) });
  const host = options.servername ?? hostOf(target);
  const secure = {
    ...{ socket, host, cert, key, rejectUnauthorized },
    ...(ca && { ca }),
    ...(isIP(host) === 0 ? { servername: host } : {}),
  };
  const agent = Object.assign(new HttpsAgent(), { createConnection: () => connectTls(secure) });
  return answerTo(requestHttps(target, { ...options, agent }), request.body);
}

function answerTo(outgoing: ClientRequest, body: Uint8Array | undefined): Promise<WireResponse> {
  return new Promise((resolve, reject) => {
    outgoing.once('error', reject);
    outgoing.once('response', (incoming) => resolve(responseOf(incoming)));
    outgoing.end(body);
  });
}

function headersOf(request: WireRequest): Record<string, string> {
  const length = request.body === undefined ? {} : { 'Content-Length': String(request.body.length) };
  return { ...Object.fromEntries(request.headers), Host: request.url.host, ...length };
}

function responseOf(incoming: IncomingMessage): WireResponse {
  const headers = new Headers();
  for (let index = 0; index + 1 < incoming.rawHeaders.length; index += 2) {
    headers.append(incoming.rawHeaders[index] ?? '', incoming.rawHeaders[index + 1] ?? '');
  }
  return { status: incoming.statusCode ?? 0, headers, body: incoming };
}

function agentFor(connection: Connection, target: URL, roots: Roots): HttpAgent {
  const known = agents.get(connection) ?? new Map<string, HttpAgent>();
  agents.set(connection, known);
  const kind = `${target.protocol} ${roots?.length}`;
  const agent = known.get(kind) ?? makeAgent(connection, target, roots);
  known.set(kind, agent);
  return agent;
}

function makeAgent(connection: Connection, target: URL, roots: Roots): HttpAgent {
  if (target.protocol !== 'https:') return new HttpAgent({ keepAlive: true });
  return new HttpsAgent({ keepAlive: true, ...tlsOptions(connection, roots) });
}

function tlsOptions(connection: Connection, roots: Roots): TlsOptions {
  return {
    rejectUnauthorized: connection.verify,
    ...(roots === undefined ? {} : { ca: [...roots] }),
    cert: connection.identities.map(({ certificate }) => certificate),
    key: connection.identities.map(({ key }) => key),
  };
}
