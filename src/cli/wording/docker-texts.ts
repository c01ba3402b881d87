import { type ErrorCode, isSignetError, type SignetError } from '../../core/errors/index.ts';

type Rendering = (about: string, error: SignetError) => string;

/** How docker 28 words the trust library's errors (protocol D.9). `about` is the repository. */
const RENDERINGS: ReadonlyMap<ErrorCode, Rendering> = new Map([
  [
    'response-invalid',
    (about) =>
      `Error: no trust data available for remote repository ${about}. Try running notary server and setting DOCKER_CONTENT_TRUST_SERVER to its HTTPS address?`,
  ],
  ['metadata-expired', (about, { message }) => `Error: remote repository ${about} out-of-date: ${message}`],
  ['signing-key-missing', (_about, error) => missingKeys(error)],
  [
    'key-passphrase-wrong',
    (about, { message }) =>
      `Error: could not find signing keys for remote repository ${about}, or could not decrypt signing key: ${message}`,
  ],
  ['network-unreachable', contacting],
  ['network-timeout', contacting],
  ['tls-untrusted', contacting],
  ['tls-failed', contacting],
  [
    'trust-data-missing',
    (about, { message, detail }) =>
      detail.resource === undefined || detail.resource === 'root'
        ? `Error: remote trust data does not exist for ${about}: ${message}`
        : `Error: trust data missing for remote repository ${about} or remote repository not found: ${message}`,
  ],
  [
    'version-rollback',
    (about, { message }) =>
      `Warning: potential malicious behavior - trust data version is lower than expected for remote repository ${about}: ${message}`,
  ],
  ['threshold-not-met', unsigned],
  ['signatures-missing', unsigned],
  ['checksum-mismatch', mismatch],
  ['length-mismatch', mismatch],
  ['root-outdated', mismatch],
]);

/** Returns the error in docker's words. Errors without docker's wording are returned unchanged. */
export function inDockersWords(error: unknown, about: string): unknown {
  if (!isSignetError(error)) return error;
  const render = RENDERINGS.get(error.code);
  if (render === undefined) return error;
  return error.reworded(render(about, error));
}

/**
 * Runs `work` and words its errors as docker does. `unreleased` is this command's text for a tag that only a delegation
 * has signed, if it differs from that of `pull` (protocol D.3).
 */
export async function wordedAs<T>(about: string, work: () => Promise<T>, unreleased?: string): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (unreleased === undefined || !isSignetError(error, 'target-role-untrusted')) throw inDockersWords(error, about);
    throw error.reworded(unreleased);
  }
}

/** The keys that are missing, in docker's words whenever it is about to change a role. */
export function missingKeys({ message, detail: { missing } }: SignetError): string {
  return Array.isArray(missing)
    ? `could not find necessary signing keys, at least one of these keys must be available: ${missing.join(', ')}`
    : message;
}

function contacting(_about: string, { message }: SignetError): string {
  return `Error: error contacting notary server: ${message}`;
}

function unsigned(about: string, { message }: SignetError): string {
  return `Warning: potential malicious behavior - trust data has insufficient signatures for remote repository ${about}: ${message}`;
}

function mismatch(about: string, { message }: SignetError): string {
  return `Warning: potential malicious behavior - trust data mismatch for remote repository ${about}: ${message}`;
}
