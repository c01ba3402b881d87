import type { Connection } from './connection.ts';
import { isUntrustedCertificate, NO_AUTHORITIES } from './network-errors.ts';
import { proxyFor } from './proxy.ts';
import { sendOnLine } from './transport-line.ts';
import { addressOf, type Roots, tlsFiles, type WireRequest, type WireResponse } from './wire.ts';

/** The complete list of authorities, for connections that trust others besides their own. */
const completeRoots = new WeakMap<Connection, NonNullable<Roots> | 'default'>();

/**
 * Sends one request. Follows no redirect, retries nothing, decompresses nothing; uses the proxy of the environment
 * (`proxyFor`).
 *
 * A connection's own authorities are tried alone first, because loading the system's roots as well takes longer than
 * everything else in a first request. Rejects with whatever the runtime throws.
 */
export async function exchange(request: WireRequest, connection: Connection): Promise<WireResponse> {
  const send = 'Bun' in globalThis ? sendWithBun : (await import('./transport-node.ts')).sendWithNode;
  const own = connection.authorities;
  const isVerified = connection.verify && addressOf(request.url, connection).protocol === 'https:';
  if (!isVerified) return send(request, connection, undefined);
  if (own.length > 0 && !completeRoots.has(connection)) {
    try {
      return await send(request, connection, own);
    } catch (error) {
      if (!isUntrustedCertificate(error)) throw error;
    }
  }
  const roots = completeRoots.get(connection) ?? (await rootsWith(own));
  completeRoots.set(connection, roots);
  return send(request, connection, roots === 'default' ? undefined : roots);
}

/** The system's authorities and a connection's own. */
async function rootsWith(own: readonly Buffer[]): Promise<NonNullable<Roots> | 'default'> {
  if (own.length === 0 && process.platform !== 'linux') return 'default';
  const roots = [...(await rootsOfSystem()), ...own];
  if (roots.length > 0) return roots;
  // With an empty list the runtime would use its built-in authorities.
  throw Object.assign(new Error('this system has no authorities'), { code: NO_AUTHORITIES });
}

/** Read once: commands end before the system's authorities change. */
let known: Promise<readonly string[]> | undefined;

function rootsOfSystem(): Promise<readonly string[]> {
  known ??= readRootsOfSystem();
  return known;
}

async function readRootsOfSystem(): Promise<readonly string[]> {
  const { systemRoots } = await import('./system-roots.ts');
  const tls = await import('node:tls');
  // Node before 22.15 knows only its built-in roots.
  return systemRoots() ?? tls.getCACertificates?.('default') ?? tls.rootCertificates;
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
    // Set explicitly, because the environment could change both (NODE_TLS_REJECT_UNAUTHORIZED,
    // BUN_CONFIG_VERBOSE_FETCH).
    verbose: false,
    tls: { rejectUnauthorized: connection.verify, ...pinnedName(request, connection), ...tlsFiles(connection, roots) },
    // Set explicitly too: the runtime reads the environment differently from Go.
    proxy: proxyFor(target)?.href ?? false,
  });
}

/** With a pinned address, the certificate must still be for the name in the URL. */
function pinnedName({ url }: WireRequest, { address }: Connection): { serverName?: string } {
  return address === undefined ? {} : { serverName: url.hostname };
}
