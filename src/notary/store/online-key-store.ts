import type { Gun } from '../../core/names/gun.ts';
import type { KeyId } from '../../core/names/key-id.ts';
import type { Instant } from '../../core/time.ts';

/** The roles that the server can sign for. */
export type OnlineRole = 'snapshot' | 'timestamp';

/** The kinds of key that the server can make (protocol B.14.2). */
export type OnlineKeyType = 'ecdsa' | 'ed25519';

/** What is known of a key of the server without opening it. */
export interface OnlineKey {
  readonly id: KeyId;
  readonly gun: Gun;
  readonly role: OnlineRole;
  readonly type: OnlineKeyType;
  /** What `keyval.public` holds, before base64. */
  readonly publicBytes: Buffer;
  /** Whether anything that it signed is stored. Until then it is returned to every request for a new key (protocol B.14.3). */
  readonly used: boolean;
}

/** A key of the server as it is stored: the private half is sealed, or elsewhere. */
export interface SealedKey extends OnlineKey {
  /** Empty if the private half lives behind a remote signer. */
  readonly sealed: Buffer;
}

/** Where the server's own keys are kept. */
export interface OnlineKeyStore {
  find(id: KeyId): Promise<SealedKey | undefined>;
  /** The unused key of this GUN, role and type; of several the one with the lowest ID. */
  pending(gun: Gun, role: OnlineRole, type: OnlineKeyType): Promise<SealedKey | undefined>;
  /**
   * Stores a new key, unless an unused one has come to exist meanwhile; one that is in use elsewhere already is stored in any
   * case. Returns the one that counts. A key that is here stays as it is.
   */
  add(key: SealedKey, at: Instant): Promise<SealedKey>;
  markUsed(id: KeyId, at: Instant): Promise<void>;
  /** Any one key that is sealed here, to try the master key on; undefined if there is none. */
  sample(): Promise<SealedKey | undefined>;
  /** Removes a key for good. Returns whether it was here. */
  remove(id: KeyId): Promise<boolean>;
  /**
   * Puts what `reseal` gives in the place of every private half that is sealed here, all in one transaction: if it throws,
   * nothing has changed. Returns how many there are.
   */
  resealAll(reseal: (key: SealedKey) => Buffer): Promise<number>;
}
