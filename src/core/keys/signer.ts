import type { KeyId } from '../names/key-id.ts';
import type { Signature } from '../signature.ts';
import type { PrivateKey, PrivateKeyType } from './private-key.ts';
import type { PublicKey } from './public-key.ts';

/**
 * A key that can sign, wherever its private half is: in this process, in a token, or behind a network. Nothing that signs
 * asks for more, and nothing here gives private bytes away.
 */
export interface Signer {
  /** The canonical key ID (protocol A.4.1). */
  readonly id: KeyId;
  readonly type: PrivateKeyType;
  /** The bare key, without a certificate. */
  readonly publicKey: PublicKey;
  /** Signs a payload's canonical bytes as Notary does (protocol A.5). Rejects with what keeps the key from signing. */
  sign(message: Uint8Array): Promise<Signature>;
  /** Signs the body of a certificate as X.509 wants it: ECDSA as DER, RSA as PKCS#1 v1.5, over SHA-256. */
  signCertificate(body: Uint8Array): Promise<Buffer>;
}

/** A signer for a key in this process. It rejects with `key-wiped` once the key is wiped. */
export function softwareSigner(key: PrivateKey): Signer {
  return Object.freeze({
    id: key.id,
    type: key.type,
    publicKey: key.publicKey,
    sign: async (message: Uint8Array) => key.sign(message),
    signCertificate: async (body: Uint8Array) => key.signCertificate(body),
  });
}
