import { nodeCrypto } from '../../core/crypto.ts';
import { SignetError } from '../../core/errors/index.ts';
import type { ClientIdentity } from '../transport/connection.ts';

const BEGIN = /-----BEGIN CERTIFICATE-----/g;
const BLOCK = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/**
 * Checks that a PEM file contains certificates only, all of them readable. A TLS connection would fail later without
 * saying which file is wrong. Throws `tls-files-invalid`, which names it.
 */
export function checkCertificateFile(path: string, pem: Buffer): void {
  const text = pem.toString('latin1');
  const blocks = text.match(BLOCK) ?? [];
  if (blocks.length === 0) fail(`there is no certificate in ${path}`, path);
  const isWhole = blocks.length === text.match(BEGIN)?.length;
  if (!isWhole || !blocks.every((block) => succeeds(() => new (nodeCrypto().X509Certificate)(block)))) {
    fail(`a certificate in ${path} cannot be read`, path);
  }
}

/**
 * `checkCertificateFile` for a client certificate; also checks that the key (PEM, without a passphrase) belongs to it.
 * Throws `tls-files-invalid`.
 */
export function checkIdentityFiles(
  { certificate, key }: ClientIdentity,
  paths: { readonly certificate: string; readonly key: string },
): void {
  checkCertificateFile(paths.certificate, certificate);
  const { X509Certificate, createPrivateKey } = nodeCrypto();
  const privateKey =
    attempt(() => createPrivateKey({ key, format: 'pem' })) ??
    fail(`there is no private key that can be read in ${paths.key}`, paths.key);
  if (!new X509Certificate(certificate).checkPrivateKey(privateKey)) {
    fail(`${paths.key} is not the key of the first certificate in ${paths.certificate}`, paths.key);
  }
}

function succeeds(action: () => unknown): boolean {
  return attempt(action) !== undefined;
}

function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    // The runtime's own message may quote the file.
    return undefined;
  }
}

function fail(message: string, path: string): never {
  throw new SignetError('tls-files-invalid', message, { detail: { path }, next: `Fix or remove ${path}` });
}
