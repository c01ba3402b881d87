import type { Connection } from './connection.ts';
import { isUntrustedCertificate } from './network-errors.ts';
import { sendOnLine } from './transport-line.ts';
import { addressOf, goesDirect, type Roots, tlsFiles, type WireRequest, type WireResponse } from './wire.ts';

/** Connections whose server certificate does not come from their own authorities. */
const needSystemRoots = new WeakSet<Connection>();

/**
 * Sends one request. No redirect is followed, nothing is retried, nothing decompressed; a proxy named by the
 * environment (HTTPS_PROXY, HTTP_PROXY, NO_PROXY) is used except for loopback.
 *
 * A connection's own authorities are tried alone first, because loading all the system's roots beside them takes
 * longer than everything else of a first request. Rejects with whatever the runtime throws.
 */
export async function exchange(request: WireRequest, connection: Connection): Promise<WireResponse> {
  const send = 'Bun' in globalThis ? sendWithBun : (await import('./transport-node.ts')).sendWithNode;
  const own = connection.authorities;
  if (own.length === 0 || !connection.verify) return send(request, connection, undefined);
  if (!needSystemRoots.has(connection)) {
    try {
      return await send(request, connection, own);
    } catch (error) {
      if (!isUntrustedCertificate(error)) throw error;
      needSystemRoots.add(connection);
    }
  }
  return send(request, connection, [...(await systemRoots()), ...own]);
}

function sendWithBun(request: WireRequest, connection: Connection, roots: Roots): Promise<WireResponse> {
  const answer = request.mayFollow ? sendOnLine(request, connection, roots) : undefined;
  return answer ?? sendWithFetch(request, connection, roots);
}

async function sendWithFetch(request: WireRequest, connection: Connection, roots: Roots): Promise<WireResponse> {
  const target = addressOf(request.url, connection);
  const headers = new Headers(request.headers);
  if (target.host !== request.url.host) headers.set('Host', request.url.host);
  return fetch(target, {
    method: request.method,
    headers,
    body: request.body ?? null,
    signal: request.signal,
    redirect: 'manual',
    decompress: false,
    // Said in full because the environment could turn both round (NODE_TLS_REJECT_UNAUTHORIZED, BUN_CONFIG_VERBOSE_FETCH).
    verbose: false,
    tls: { rejectUnauthorized: connection.verify, ...pinnedName(request, connection), ...tlsFiles(connection, roots) },
    ...(goesDirect(target) ? { proxy: false } : {}),
  });
}

/** With a pinned address the name that the certificate must be for is no longer that of the URL. */
function pinnedName({ url }: WireRequest, { address }: Connection): { serverName?: string } {
  return address === undefined ? {} : { serverName: url.hostname };
}

async function systemRoots(): Promise<readonly string[]> {
  const tls = await import('node:tls');
  // Node before 22.15 knows only the roots that it brings itself.
  return tls.getCACertificates?.('default') ?? tls.rootCertificates;
}
