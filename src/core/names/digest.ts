import { nodeCrypto } from '../crypto.ts';
import { SignetError } from '../errors/index.ts';
import { quoted } from '../printable.ts';
import type { Named } from './brand.ts';

/**
 * A content digest: `sha256:` and 64, or `sha512:` and 128, lower-case hexadecimal digits. Made by `parseDigest` and
 * `digestOf` only.
 *
 * @example
 * ```ts
 * import { type Digest, digestOf } from 'signet';
 *
 * const empty: Digest = digestOf(new Uint8Array());
 * assert.equal(empty, 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
 * ```
 */
export type Digest = Named<'Digest'>;

const FORM = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

/**
 * Parses a digest. Throws `digest-invalid`.
 *
 * @example
 * ```ts
 * import { parseDigest } from 'signet';
 *
 * const digest = parseDigest(`sha256:${'0'.repeat(64)}`);
 * assert.throws(() => parseDigest('md5:00'), { code: 'digest-invalid' });
 * ```
 */
export function parseDigest(text: string): Digest {
  if (!isDigest(text)) throw new SignetError('digest-invalid', `invalid digest ${quoted(text, 160)}`);
  return text;
}

/** Whether a text is a valid digest. */
export function isDigest(text: string): text is Digest {
  return FORM.test(text);
}

/** The algorithm of a digest. */
export function digestAlgorithm(digest: Digest): 'sha256' | 'sha512' {
  return digest.startsWith('sha256:') ? 'sha256' : 'sha512';
}

/** The hexadecimal digits after the colon. */
export function digestHex(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1);
}

/**
 * The digest of `bytes`, with SHA-256 by default.
 *
 * @example
 * ```ts
 * import { digestOf } from 'signet';
 *
 * const manifest = Buffer.from('{}');
 * assert.equal(digestOf(manifest), 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a');
 * ```
 */
export function digestOf(bytes: Uint8Array, algorithm: 'sha256' | 'sha512' = 'sha256'): Digest {
  return `${algorithm}:${nodeCrypto().createHash(algorithm).update(bytes).digest('hex')}` as Digest;
}

/** The digest for a SHA-256 of 32 bytes. */
export function digestFromSha256(sha256: Uint8Array): Digest {
  return parseDigest(`sha256:${Buffer.from(sha256).toString('hex')}`);
}
