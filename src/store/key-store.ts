import { SignetError } from '../core/errors/index.ts';
import type { KeyFile } from '../core/keys/key-file.ts';
import type { Gun } from '../core/names/gun.ts';
import type { KeyId } from '../core/names/key-id.ts';
import { printable } from '../core/printable.ts';

/** What a stored key reveals without its passphrase. */
export interface StoredKey {
  /** The canonical key ID. */
  readonly id: KeyId;
  /** `root`, `targets`, `snapshot`, or any other name; empty in foreign files. */
  readonly role: string;
  readonly gun: Gun | undefined;
  readonly encrypted: boolean;
}

/** The error for a key that is already stored with another role (protocol C.2.4). */
export function roleConflict(id: KeyId, role: string): SignetError {
  return new SignetError('key-role-conflict', `key with same ID already exists for role: ${printable(role)}`, {
    detail: { id, role },
  });
}

/** A store of encrypted private keys. */
export interface KeyStore {
  /** Sorted by ID; files that contain no key are left out. */
  list(): Promise<readonly StoredKey[]>;
  /** The encrypted key; undefined if it is not in the store. Throws `key-malformed` or `key-unsupported`. */
  load(id: KeyId): Promise<KeyFile | undefined>;
  /**
   * Adds an encrypted key (`sealKey`). Returns false and changes nothing if it is already there with the same role
   * (protocol C.2.4). Throws `key-role-conflict` if it is there with another role.
   */
  add(id: KeyId, sealed: Uint8Array): Promise<boolean>;
  /**
   * Replaces a stored key by a newly encrypted one, for example with a new passphrase. Throws `signing-key-missing`.
   */
  replace(id: KeyId, sealed: Uint8Array): Promise<void>;
  /** Removes a key. Returns whether it existed. */
  remove(id: KeyId): Promise<boolean>;
}
