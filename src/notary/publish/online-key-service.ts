import type { OnlineSigner } from '../../core/accept/online-files.ts';
import type { PublicKey } from '../../core/keys/public-key.ts';
import type { Gun } from '../../core/names/gun.ts';
import type { KeyId } from '../../core/names/key-id.ts';
import type { OnlineRole } from '../store/online-key-store.ts';

/** A signer that is told when what it signed is stored: a key that signed what came to nothing is handed out again. */
export interface SettledSigner extends OnlineSigner {
  /** Everything that this signer signed is stored. */
  settle(): Promise<void>;
}

/**
 * The keys with which the server signs snapshots and timestamps (protocol B.8), whether they live in its database or
 * behind a remote signer. Each belongs to one GUN and one role.
 */
export interface OnlineKeyService {
  /**
   * The key in use: the first of `listed` that the server has, or else a new one. `listed` are the keys that the published
   * root lists for the role.
   */
  current(gun: Gun, role: OnlineRole, listed: readonly KeyId[]): Promise<PublicKey>;
  /**
   * A key that is not in use: the same one until something that it signed is stored, so that asking again makes no more
   * keys (protocol B.14.3).
   */
  next(gun: Gun, role: OnlineRole, listed: readonly KeyId[]): Promise<PublicKey>;
  /**
   * Signs for one GUN, only with keys of that GUN: a root may list any key ID, and must not get another repository's key to
   * sign for it. Signing gives undefined for a key that is not here or not of this GUN, and throws if it cannot be used.
   * `unused` are keys that nothing stored was signed with: an import brings no other (protocol I.2).
   */
  signer(gun: Gun, which?: 'any' | 'unused'): SettledSigner;
  /** Throws what keeps the server from signing, as its health has it (protocol B.11). */
  check(): Promise<void>;
}
