import { randomBytes } from 'node:crypto';

/** How notary-signer wraps and encrypts private keys, as its table has it (protocol B.14.3). */
export const KEY_WRAPPING = 'PBES2-HS256+A128KW';
export const KEY_ENCRYPTION = 'A256GCM';

/** The rounds with which notary-signer makes a key of a passphrase. */
const ROUNDS = 8192;
/** More rounds than anyone has set, at which opening a key takes a second. */
const MOST_ROUNDS = 1_000_000;
const SALT = 12;

/**
 * Opens a key that is encrypted with a passphrase (JWE, compact); the caller wipes it. Throws an error of `jose` if it is
 * none, of other algorithms, of more than a million rounds, or of another passphrase.
 */
export async function decryptKey(encrypted: Uint8Array, passphrase: Uint8Array): Promise<Buffer> {
  const { compactDecrypt } = await import('jose');
  const { plaintext } = await compactDecrypt(encrypted, passphrase, {
    keyManagementAlgorithms: [KEY_WRAPPING],
    contentEncryptionAlgorithms: [KEY_ENCRYPTION],
    maxPBES2Count: MOST_ROUNDS,
  });
  return Buffer.from(plaintext.buffer, plaintext.byteOffset, plaintext.byteLength);
}

/** Whether `decryptKey` failed because of the passphrase: a changed ciphertext looks the same. */
export function isWrongPassphrase(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_JWE_DECRYPTION_FAILED';
}

/** Encrypts a key with a passphrase in the form of notary-signer: the same members of the header, in the same order. */
export async function encryptKey(secret: Uint8Array, passphrase: Uint8Array): Promise<Buffer> {
  const { CompactEncrypt } = await import('jose');
  const encrypted = await new CompactEncrypt(secret)
    .setProtectedHeader({ alg: KEY_WRAPPING, enc: KEY_ENCRYPTION })
    .setKeyManagementParameters({ p2c: ROUNDS, p2s: randomBytes(SALT) })
    .encrypt(passphrase);
  return Buffer.from(encrypted, 'latin1');
}
