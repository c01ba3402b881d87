import { SignetError } from '../../core/errors/index.ts';
import { printable } from '../../core/printable.ts';
import { proxyFor, proxyName } from './proxy.ts';

/** Error code for a system that trusts no authority at all. */
export const NO_AUTHORITIES = 'NO_AUTHORITIES';
/** Error code for a response that began but did not continue in time. */
const STALLED = 'STALLED';
const MAX_REPETITIONS = 3;

const UNTRUSTED: ReadonlySet<string> = new Set([
  'CERT_CHAIN_TOO_LONG',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REJECTED',
  'CERT_REVOKED',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'HOSTNAME_MISMATCH',
  'INVALID_CA',
  'INVALID_PURPOSE',
  NO_AUTHORITIES,
  'PATH_LENGTH_EXCEEDED',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** Connection faults that may be temporary, and their names: before anything could be sent… */
const UNREACHED: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'connection refused'],
  ['EHOSTUNREACH', 'no route to the host'],
  ['ENETUNREACH', 'no route to the network'],
  ['EAI_AGAIN', 'the name cannot be resolved at present'],
]);
/** …and at any time, including during a TLS handshake. */
const BROKEN: ReadonlyMap<string, string> = new Map([
  ['ECONNRESET', 'connection reset'],
  ['ECONNABORTED', 'connection aborted'],
  ['EPIPE', 'connection closed'],
  ['ConnectionClosed', 'connection closed'],
  [STALLED, 'the answer broke off'],
]);
const LASTING: ReadonlyMap<string, string> = new Map([
  ['ENOTFOUND', 'the name does not resolve'],
  ['ERR_PROXY_TUNNEL', 'the proxy refuses to connect to it'],
]);
const NOT_HTTP = /^(?:HPE_|InvalidHTTPResponse|Malformed_HTTP_Response|InvalidContentLength|ResponseHeadersTooLarge)/;
const TLS_FAULT = /^(?:EPROTO$|ERR_SSL_|ERR_TLS_|ERR_OSSL_)/;

/** Whether a transport failed because the server's certificate does not verify. */
export function isUntrustedCertificate(error: unknown): boolean {
  return UNTRUSTED.has(codeOf(error));
}

/**
 * How often to retry a request after a fault. Once if the connection was refused: either the server is restarting, or
 * there is none. A request that must not take effect twice is sent again only if it cannot have arrived.
 */
export function retriesAfter(fault: unknown, mayTakeEffectTwice: boolean): number {
  const code = codeOf(fault);
  if (code === 'ECONNREFUSED') return 1;
  if (UNREACHED.has(code)) return MAX_REPETITIONS;
  if (!mayTakeEffectTwice || !BROKEN.has(code)) return 0;
  return code === STALLED ? 1 : MAX_REPETITIONS;
}

/**
 * The error for what a transport threw on the way to `url`, except certificates that do not verify (`untrustedError`).
 * Its message names the origin and the proxy, and nothing secret.
 */
export function networkError(error: unknown, url: URL): SignetError {
  const code = codeOf(error);
  const proxy = proxyFor(url);
  const origin = proxy === undefined ? url.origin : `${url.origin} through the proxy ${proxyName(proxy)}`;
  if (TLS_FAULT.test(code)) {
    return new SignetError('tls-failed', `no TLS connection to ${origin} (${code})`, { cause: error });
  }
  if (NOT_HTTP.test(code)) {
    return new SignetError('response-invalid', `${origin} does not answer in HTTP as expected`, { cause: error });
  }
  if (code === 'ETIMEDOUT') return timeoutError(url, error);
  const why =
    UNREACHED.get(code) ?? BROKEN.get(code) ?? LASTING.get(code) ?? (code === '' ? 'the connection failed' : code);
  return new SignetError('network-unreachable', `cannot reach ${origin}: ${why}`, { cause: error });
}

/** The error for a server that does not answer in time. */
export function timeoutError(url: URL, cause?: unknown): SignetError {
  return new SignetError('network-timeout', `${url.origin} did not answer in time`, { cause });
}

/** `timeoutError` for a response that had begun. */
export function stalledError(url: URL): SignetError {
  return timeoutError(url, Object.assign(new Error('the answer broke off'), { code: STALLED }));
}

/** The code of a transport's error; empty if it has none. */
export function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? printable(code, 60) : '';
}
