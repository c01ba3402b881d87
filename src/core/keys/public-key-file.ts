import { SignetError } from '../errors/index.ts';
import type { Instant } from '../time.ts';
import { checkCertificate } from './certificate.ts';
import { formatPem, parsePem } from './pem.ts';
import { makePublicKey, type PublicKey } from './public-key.ts';
import { readSpki, verifyingKey } from './verifying-key.ts';
import { parseCertificate } from './x509.ts';

/**
 * Reads a signer's public key from the first PEM block of a file (protocol D.12 step 2): `CERTIFICATE`, which must be
 * valid now, gives an x509 key, `PUBLIC KEY` a bare one. Throws `key-malformed`, `key-unsupported`, `key-too-short`,
 * `certificate-invalid` or `too-large`.
 */
export function parsePublicKeyFile(bytes: Uint8Array, now: Instant): PublicKey {
  const [block] = parsePem(bytes);
  if (block === undefined) throw new SignetError('key-malformed', 'no valid public key found');
  switch (block.type) {
    case 'CERTIFICATE':
      return certificateKey(block.bytes, now);
    case 'PUBLIC KEY':
      return bareKey(block.bytes);
    default:
      throw new SignetError(
        'key-unsupported',
        `unsupported PEM block type "${block.type}", expected CERTIFICATE or PUBLIC KEY`,
      );
  }
}

/** The file that gives a signer's public key to others (protocol H.6); of a certificate, the bare key. */
export function formatPublicKeyFile(key: PublicKey, role: string): string {
  return formatPem('PUBLIC KEY', new Map([['role', role]]), verifyingKey(key).spki);
}

function certificateKey(der: Buffer, now: Instant): PublicKey {
  const certificate = parseCertificate(der);
  checkCertificate(certificate, now);
  const { algorithm } = readSpki(certificate.spki);
  if (algorithm === 'ed25519') throw new SignetError('key-unsupported', 'unsupported certificate of an Ed25519 key');
  return makePublicKey(`${algorithm}-x509`, Buffer.from(formatPem('CERTIFICATE', new Map(), der), 'utf8'));
}

function bareKey(spki: Buffer): PublicKey {
  const { algorithm } = readSpki(spki);
  return makePublicKey(algorithm, algorithm === 'ed25519' ? spki.subarray(-32) : spki);
}
