import { SignetError } from '../core/errors/index.ts';
import { printable } from '../core/printable.ts';

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
  'PATH_LENGTH_EXCEEDED',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** Faults of a connection that may be gone a moment later, and what to call them. */
const PASSING: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'connection refused'],
  ['ECONNRESET', 'connection reset'],
  ['ECONNABORTED', 'connection aborted'],
  ['EPIPE', 'connection closed'],
  ['ConnectionClosed', 'connection closed'],
  ['EHOSTUNREACH', 'no route to the host'],
  ['ENETUNREACH', 'no route to the network'],
  ['EAI_AGAIN', 'the name cannot be resolved at present'],
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

/** Whether the same request may well succeed when it is sent once more. */
export function isPassingFault(error: unknown): boolean {
  return PASSING.has(codeOf(error));
}

/** The typed error for what a transport threw on the way to `url`. Its message names the origin and nothing secret. */
export function networkError(error: unknown, url: URL): SignetError {
  const code = codeOf(error);
  const origin = url.origin;
  if (isUntrustedCertificate(error)) {
    const why = printable(error instanceof Error ? error.message : code, 200);
    const next = `If the server is the right one, put the certificate of its authority into ~/.docker/tls/${url.host}/ca.crt`;
    return new SignetError('tls-untrusted', `the certificate of ${origin} is not trusted: ${why}`, {
      cause: error,
      next,
    });
  }
  if (TLS_FAULT.test(code)) {
    return new SignetError('tls-failed', `no TLS connection to ${origin} (${code})`, { cause: error });
  }
  if (NOT_HTTP.test(code)) {
    return new SignetError('response-invalid', `${origin} does not answer in HTTP as expected`, { cause: error });
  }
  if (code === 'ETIMEDOUT') return timeoutError(url, error);
  const why = PASSING.get(code) ?? LASTING.get(code) ?? (code === '' ? 'the connection failed' : code);
  return new SignetError('network-unreachable', `cannot reach ${origin}: ${why}`, { cause: error });
}

export function timeoutError(url: URL, cause?: unknown): SignetError {
  return new SignetError('network-timeout', `${url.origin} did not answer in time`, { cause });
}

function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? printable(code, 60) : '';
}
