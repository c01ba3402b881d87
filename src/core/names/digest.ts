import { nodeCrypto } from '../crypto.ts';
import { SignetError } from '../errors/index.ts';
import { quoted } from '../printable.ts';
import type { Named } from './brand.ts';

/** A content digest: `sha256:` and 64, or `sha512:` and 128, lower-case hexadecimal digits. */
export type Digest = Named<'Digest'>;

const FORM = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

/** Parses a digest. Throws `digest-invalid`. */
export function parseDigest(text: string): Digest {
  if (!isDigest(text)) throw new SignetError('digest-invalid', `invalid digest ${quoted(text, 160)}`);
  return text;
}

export function isDigest(text: string): text is Digest {
  return FORM.test(text);
}

export function digestAlgorithm(digest: Digest): 'sha256' | 'sha512' {
  return digest.startsWith('sha256:') ? 'sha256' : 'sha512';
}

/** The hexadecimal digits after the colon. */
export function digestHex(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1);
}

/** The digest of `bytes`. */
export function digestOf(bytes: Uint8Array, algorithm: 'sha256' | 'sha512' = 'sha256'): Digest {
  return `${algorithm}:${nodeCrypto().createHash(algorithm).update(bytes).digest('hex')}` as Digest;
}

/** The digest for a SHA-256 of 32 bytes. */
export function digestFromSha256(sha256: Uint8Array): Digest {
  return parseDigest(`sha256:${Buffer.from(sha256).toString('hex')}`);
}
