import { SignetError } from '../core/errors/index.ts';
import type { KeyFile } from '../core/keys/key-file.ts';
import type { Gun } from '../core/names/gun.ts';
import type { KeyId } from '../core/names/key-id.ts';
import { printable } from '../core/printable.ts';

/** What can be known of a stored key without its passphrase. */
export interface StoredKey {
  /** The canonical key ID. */
  readonly id: KeyId;
  /** `root`, `targets`, `snapshot`, or a free name; empty in foreign files. */
  readonly role: string;
  readonly gun: Gun | undefined;
  readonly encrypted: boolean;
}

/** The error for a key that is stored already, for another role (protocol C.2.4). */
export function roleConflict(id: KeyId, role: string): SignetError {
  return new SignetError('key-role-conflict', `key with same ID already exists for role: ${printable(role)}`, {
    detail: { id, role },
  });
}

/** Where private keys are kept, sealed. */
export interface KeyStore {
  /** In the order of the IDs; files that hold no key are left out. */
  list(): Promise<readonly StoredKey[]>;
  /** The key, still sealed; undefined if it is not here. Throws `key-malformed` or `key-unsupported`. */
  load(id: KeyId): Promise<KeyFile | undefined>;
  /**
   * Adds a sealed key (`sealKey`). Returns false if it is there already with the same role, and changes nothing
   * (protocol C.2.4). Throws `key-role-conflict` if it is there with another.
   */
  add(id: KeyId, sealed: Uint8Array): Promise<boolean>;
  /** Puts a sealed key in the place of a stored one, as for a new passphrase. Throws `signing-key-missing`. */
  replace(id: KeyId, sealed: Uint8Array): Promise<void>;
  /** Removes a key. Returns whether it was there. */
  remove(id: KeyId): Promise<boolean>;
}
