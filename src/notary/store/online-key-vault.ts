import type { Gun } from '../../core/names/gun.ts';
import type { KeyId } from '../../core/names/key-id.ts';
import type { Instant } from '../../core/time.ts';
import type { OnlineKey, OnlineKeyType, OnlineRole } from './online-key-store.ts';

/** Where the server's own keys are kept closed, and how they are opened: how they are sealed is the vault's affair. */
export interface OnlineKeyVault {
  find(id: KeyId): Promise<OnlineKey | undefined>;
  /** The unused key of this GUN, role and type; of several the one with the lowest ID. */
  pending(gun: Gun, role: OnlineRole, type: OnlineKeyType): Promise<OnlineKey | undefined>;
  /** Notary's bytes of the private half (protocol A.4), for the caller to wipe. Throws `online-key-unreadable`. */
  open(key: OnlineKey): Promise<Buffer>;
  /**
   * Seals and stores a new key with the bytes of its private half, unless an unused one has come to exist meanwhile. Returns
   * the one that counts. Throws `online-key-unreadable` if nothing can be sealed.
   */
  add(key: OnlineKey, secret: Uint8Array, at: Instant): Promise<OnlineKey>;
  markUsed(id: KeyId, at: Instant): Promise<void>;
  /** Removes a key for good. Returns whether it was here. */
  remove(id: KeyId, at: Instant): Promise<boolean>;
  /** Tries the vault on a key that must open, if there is one. Throws what keeps it from opening or adding keys. */
  check(): Promise<void>;
}
