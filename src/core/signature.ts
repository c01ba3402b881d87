import { nodeCrypto } from './crypto.ts';
import type { PublicKey } from './keys/public-key.ts';
import { isPem, type VerifyingKey, verifyingKey } from './keys/verifying-key.ts';
import type { KeyId } from './names/key-id.ts';

/** One entry of a metadata file's `signatures` (protocol A.5). */
export interface Signature {
  /** The TUF ID of the key, as the metadata lists it. */
  readonly keyId: KeyId;
  /** `ecdsa`, `rsapss`, `rsapkcs1v15`, `eddsa` or `pycrypto-pkcs#1 pss`. */
  readonly method: string;
  readonly bytes: Buffer;
}

/** Salt length of an RSA-PSS signature in bytes; no other length is accepted. */
export const PSS_SALT = 32;

/**
 * Verifies `signature` by `key` over `message` (protocol A.5). The algorithm is determined by the key: `method` only
 * chooses the padding of RSA, and a method of another algorithm is refused. Never throws.
 */
export function verifySignature(key: PublicKey, signature: Signature, message: Uint8Array): boolean {
  try {
    const verifying = verifyingKey(key);
    const { bytes } = signature;
    return (
      bytes.length === verifying.signatureSize &&
      verifyWith(key, verifying, signature.method.toLowerCase(), message, bytes)
    );
  } catch {
    return false;
  }
}

function verifyWith(
  key: PublicKey,
  verifying: VerifyingKey,
  method: string,
  message: Uint8Array,
  bytes: Buffer,
): boolean {
  const { algorithm, handle } = verifying;
  switch (algorithm) {
    case 'ecdsa':
      return (
        method === 'ecdsa' && nodeCrypto().verify('sha256', message, { key: handle, dsaEncoding: 'ieee-p1363' }, bytes)
      );
    case 'ed25519':
      return method === 'eddsa' && nodeCrypto().verify(null, message, handle, bytes);
    case 'rsa': {
      const padding = rsaPadding(key, method);
      return padding !== undefined && nodeCrypto().verify('sha256', message, { key: handle, ...padding }, bytes);
    }
  }
}

function rsaPadding(key: PublicKey, method: string): { padding: number; saltLength?: number } | undefined {
  const pss = { padding: nodeCrypto().constants.RSA_PKCS1_PSS_PADDING, saltLength: PSS_SALT };
  // PyCrypto's method is valid only with a PEM key, and the other way round, as in Notary.
  if (key.type === 'rsa' && isPem(key.bytes)) return method === 'pycrypto-pkcs#1 pss' ? pss : undefined;
  if (method === 'rsapss') return pss;
  return method === 'rsapkcs1v15' ? { padding: nodeCrypto().constants.RSA_PKCS1_PADDING } : undefined;
}
