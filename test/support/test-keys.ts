import type { OnlineSigner } from '../../src/core/accept/online-files.ts';
import type { SigningKeys } from '../../src/core/edit/signing.ts';
import { generatePrivateKey, type PrivateKey } from '../../src/core/keys/private-key.ts';
import { canonicalKeyId, type PublicKey } from '../../src/core/keys/public-key.ts';
import { type Signer, softwareSigner } from '../../src/core/keys/signer.ts';
import type { Gun } from '../../src/core/names/gun.ts';
import type { KeyId } from '../../src/core/names/key-id.ts';
import type { Signature } from '../../src/core/signature.ts';
import type { Instant } from '../../src/core/time.ts';
import { certified } from './private-keys.ts';

/** Someone's private keys, all of them open. */
export class TestKeys implements SigningKeys, OnlineSigner {
  private readonly keys = new Map<KeyId, PrivateKey>();

  static of(...keys: readonly PrivateKey[]): TestKeys {
    const own = new TestKeys();
    for (const key of keys) own.add(key);
    return own;
  }

  /** Makes a key and returns its public half. */
  make(type: 'ecdsa' | 'ed25519' = 'ecdsa'): PublicKey {
    return this.add(generatePrivateKey(type)).publicKey;
  }

  /** Makes a root key, in a certificate for `gun` that is valid from `now`. */
  makeRoot(gun: Gun, now: Instant): PublicKey {
    return certified(this.add(generatePrivateKey('ecdsa')), gun, now);
  }

  add(key: PrivateKey): PrivateKey {
    this.keys.set(key.id, key);
    return key;
  }

  has(key: PublicKey): boolean {
    return this.keys.has(canonicalKeyId(key));
  }

  private(key: PublicKey): PrivateKey {
    const found = this.keys.get(canonicalKeyId(key));
    if (found === undefined) throw new Error(`the private key of ${key.id} is not here`);
    return found;
  }

  forget(key: PublicKey): void {
    this.keys.delete(canonicalKeyId(key));
  }

  async find(id: KeyId): Promise<Signer | undefined> {
    const key = this.keys.get(id);
    return key === undefined ? undefined : softwareSigner(key);
  }

  async sign(keyId: KeyId, message: Uint8Array): Promise<Signature | undefined> {
    return this.keys.get(keyId)?.sign(message);
  }

  /** Signs in the name of `key` as metadata lists it: a certificate keeps its own ID. */
  signAs(key: PublicKey, message: Uint8Array): Signature {
    return { ...this.private(key).sign(message), keyId: key.id };
  }
}
