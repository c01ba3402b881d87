import type { Connection } from './connection.ts';
import { isLoopback } from './loopback.ts';
import { isUntrustedCertificate } from './network-errors.ts';

/** One request as it goes onto the wire. */
export interface WireRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly body: Uint8Array | undefined;
  readonly signal: AbortSignal;
}

/** The start of a response; the body arrives as it is read, in no way decoded. */
export interface WireResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly body: AsyncIterable<Uint8Array> | null;
}

/** Certificates to trust: `undefined` is the runtime's own choice. */
export type Roots = readonly (Buffer | string)[] | undefined;

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
  const send = 'Bun' in globalThis ? sendWithFetch : (await import('./transport-node.ts')).sendWithNode;
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

/** Where the request really goes: the pinned address instead of the host's name, where there is one. */
export function addressOf(url: URL, connection: Connection): URL {
  const target = new URL(url);
  if (connection.address !== undefined) {
    target.hostname = connection.address.includes(':') ? `[${connection.address}]` : connection.address;
  }
  return target;
}

/** Whether a proxy must be left out: credentials for this machine are nobody else's business. */
export function goesDirect(target: URL): boolean {
  return isLoopback(target.hostname);
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

function tlsFiles(
  { identities }: Connection,
  roots: Roots,
): { ca?: (Buffer | string)[]; cert?: Buffer[]; key?: Buffer[] } {
  return {
    ...(roots === undefined ? {} : { ca: [...roots] }),
    ...(identities.length === 0
      ? {}
      : { cert: identities.map(({ certificate }) => certificate), key: identities.map(({ key }) => key) }),
  };
}

async function systemRoots(): Promise<readonly string[]> {
  const tls = await import('node:tls');
  // Node before 22.15 knows only the roots that it brings itself.
  return tls.getCACertificates?.('default') ?? tls.rootCertificates;
}
