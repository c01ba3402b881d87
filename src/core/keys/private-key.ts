import type { KeyObject } from 'node:crypto';
import { nodeCrypto } from '../crypto.ts';
import { SignetError } from '../errors/index.ts';
import type { KeyId } from '../names/key-id.ts';
import { PSS_SALT, type Signature } from '../signature.ts';
import type { PublicKey } from './public-key.ts';
import { ed25519KeyFromSeed, type RawKey, readEcKey, readEd25519Key, readRsaKey } from './raw-key.ts';

/** The kinds of private key that are read; `rsa` is never created. */
export type PrivateKeyType = 'ecdsa' | 'rsa' | 'ed25519';

/** A private key that can be used until it is wiped. */
export class PrivateKey {
  readonly type: PrivateKeyType;
  readonly publicKey: PublicKey;
  /** The canonical key ID, which is also the TUF ID of the bare public key. */
  readonly id: KeyId;
  // Private in the runtime too, so that printing or serialising the object shows no secret.
  #secret: { readonly raw: Buffer; readonly handle: KeyObject } | undefined;

  /** Takes the raw bytes over: they are zeroed by `wipe`. */
  constructor({ publicKey, raw, handle }: RawKey) {
    this.type = publicKey.type as PrivateKeyType;
    this.publicKey = publicKey;
    this.id = publicKey.id;
    this.#secret = { raw, handle };
  }

  /**
   * Signs as Notary does (protocol A.5): `ecdsa` as r‖s over SHA-256, `rsapss` with 32 bytes of salt, `eddsa`. Throws
   * `key-wiped`.
   */
  sign(message: Uint8Array): Signature {
    const { handle } = this.#use();
    const keyId = this.id;
    switch (this.type) {
      case 'ecdsa':
        return {
          keyId,
          method: 'ecdsa',
          bytes: nodeCrypto().sign('sha256', message, { key: handle, dsaEncoding: 'ieee-p1363' }),
        };
      case 'rsa': {
        const padding = { padding: nodeCrypto().constants.RSA_PKCS1_PSS_PADDING, saltLength: PSS_SALT };
        return { keyId, method: 'rsapss', bytes: nodeCrypto().sign('sha256', message, { key: handle, ...padding }) };
      }
      case 'ed25519':
        return { keyId, method: 'eddsa', bytes: nodeCrypto().sign(null, message, handle) };
    }
  }

  /**
   * Signs the body of a certificate as X.509 wants it: ECDSA as DER and RSA as PKCS#1 v1.5, over SHA-256. Throws
   * `key-wiped`.
   */
  signCertificate(body: Uint8Array): Buffer {
    return nodeCrypto().sign(this.type === 'ed25519' ? null : 'sha256', body, this.#use().handle);
  }

  /** A copy of the private key bytes (protocol A.4), which the caller wipes. Throws `key-wiped`. */
  raw(): Buffer {
    return Buffer.from(this.#use().raw);
  }

  /** Zeroes the private key. Nothing can be signed with it afterwards. */
  wipe(): void {
    this.#secret?.raw.fill(0);
    this.#secret = undefined;
  }

  #use(): { readonly raw: Buffer; readonly handle: KeyObject } {
    if (this.#secret === undefined) throw new SignetError('key-wiped', 'the private key was wiped from memory');
    return this.#secret;
  }
}

/** Creates a new key: ECDSA on P-256, or Ed25519. */
export function generatePrivateKey(type: 'ecdsa' | 'ed25519'): PrivateKey {
  const secret =
    type === 'ed25519'
      ? nodeCrypto().randomBytes(32)
      : nodeCrypto()
          .generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
          .privateKey.export({ format: 'der', type: 'sec1' });
  const key = new PrivateKey(type === 'ed25519' ? ed25519KeyFromSeed(secret) : readEcKey(secret));
  secret.fill(0);
  return key;
}

/**
 * The key of private key bytes (protocol A.4): SEC1, PKCS#1, or 96 bytes of Ed25519. `raw` is copied, the caller wipes
 * it. Throws `key-malformed`, `key-unsupported` or `key-too-short`.
 */
export function privateKeyFromRaw(type: PrivateKeyType, raw: Buffer): PrivateKey {
  switch (type) {
    case 'ecdsa':
      return new PrivateKey(readEcKey(raw));
    case 'rsa':
      return new PrivateKey(readRsaKey(raw));
    case 'ed25519':
      return new PrivateKey(readEd25519Key(raw));
  }
}
