import { type ErrorCode, isSignetError, type SignetError } from '../../core/errors/index.ts';

/** Docker's own trust server. */
const HOST = 'notary.docker.io';
const OFF = '2026-12-08';

/** What a server answers that is none any more: nothing, a refusal, a redirect, a page for people. */
const GONE: readonly ErrorCode[] = [
  'network-unreachable',
  'network-timeout',
  'tls-untrusted',
  'tls-failed',
  'server-error',
  'redirect-refused',
  'response-invalid',
  'response-too-large',
  'json-malformed',
  'json-unexpected',
];

const CHOICES = `Docker switches ${HOST} off on ${OFF}; what it had is then nowhere but in copies.
With a file of signet trust export: signet trust adopt --from FILE, or signet serve --mirror FILE until it expires
With the root key of the repository: publish it to another trust server: signet trust init
With neither: name digests (IMAGE@sha256:…), or exempt the repository in signet.json`;

/** The same error, whose next step names the choices that there are if it is that Docker's trust server is gone. */
export function explainingGone(error: SignetError, host: string): SignetError {
  if (host !== HOST || !isSignetError(error, ...GONE)) return error;
  return error.reworded(error.message, { next: CHOICES });
}
