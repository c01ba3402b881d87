import type { SigningKeys } from '../../core/edit/signing.ts';
import type { BundledKey } from '../../core/keys/key-bundle.ts';
import type { Signer } from '../../core/keys/signer.ts';
import type { Gun } from '../../core/names/gun.ts';
import type { KeyId } from '../../core/names/key-id.ts';
import type { RoleName } from '../../core/names/role.ts';
import type { StoredKey } from '../../store/key-store.ts';

/**
 * Which passphrase a new key gets: the one that was right for a key of its alias before, as docker does it, or its own.
 * Vaults without passphrases pass over it.
 */
export type NewPassphrase = 'of its alias' | 'its own';

/** How a key is imported. */
export interface ImportOptions {
  /** The role or name of a key whose file does not say one. */
  readonly name: string;
  /** What the key is called if its passphrase is asked for; docker's word for an import otherwise (protocol D.11). */
  readonly alias?: string;
  /** The passphrase of a key that comes in the clear. */
  readonly passphrase?: NewPassphrase;
}

/** A key that was imported. */
export interface ImportedKey {
  readonly id: KeyId;
  /** False if it was here before; it then stays as it is. */
  readonly isNew: boolean;
}

/**
 * A place where private keys live. What is not optional every vault can do; what is optional is absent from a vault that
 * cannot do it, as a token does not take keys from outside. Operations on files of keys (exporting, changing a passphrase)
 * are those of `FileVault`.
 */
export interface KeyVault extends SigningKeys {
  /** What people call the place, for errors: `the folder /home/alice/.docker/trust/private`. */
  readonly name: string;
  /** What is here, in the order of the IDs. No key is opened, and no one is asked anything. */
  list(): Promise<readonly StoredKey[]>;
  /** Whether the key is here, without opening it. */
  has(id: KeyId): Promise<boolean>;
  /**
   * The key, ready to sign until `close`; undefined if it is not here. The same object for the same key. Throws
   * `key-passphrase-wrong` if it is here but stays closed.
   */
  find(id: KeyId, role: RoleName): Promise<Signer | undefined>;
  /** Creates a key (ECDSA P-256) for a role or a signer's name; `gun` for a repository's own keys only. */
  create?(role: string, gun?: Gun, passphrase?: NewPassphrase): Promise<Signer>;
  /**
   * Takes a key from outside. One that is here already stays as it is. Throws `key-role-conflict` if it is here for another
   * role (protocol C.2.4), `key-passphrase-wrong`, or `key-unsupported`, also for a root key that no certificate can hold.
   */
  import?(key: BundledKey, options: ImportOptions): Promise<ImportedKey>;
  /** Removes a key for good. Returns whether it was here. Its signer signs no more. */
  remove?(id: KeyId): Promise<boolean>;
  /** Wipes every key and passphrase in this process. Signers that were given away reject with `key-wiped` from now on. */
  close(): void;
}
