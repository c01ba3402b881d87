import type { SigningKeys } from '../../core/edit/signing.ts';
import { SignetError } from '../../core/errors/index.ts';
import type { BundledKey } from '../../core/keys/key-bundle.ts';
import type { Signer } from '../../core/keys/signer.ts';
import type { Gun } from '../../core/names/gun.ts';
import type { KeyId } from '../../core/names/key-id.ts';
import type { RoleName } from '../../core/names/role.ts';
import type { StoredKey } from '../../store/key-store.ts';
import type { ImportedKey, ImportOptions, KeyVault, NewPassphrase } from './key-vault.ts';

/** The keys of one command: those of a vault, and which of them the command created and may have to take back. */
export class KeyRing implements SigningKeys {
  private readonly vault: KeyVault;
  private readonly created = new Set<KeyId>();

  constructor(vault: KeyVault) {
    this.vault = vault;
  }

  /** As `KeyVault.list`. */
  list(): Promise<readonly StoredKey[]> {
    return this.vault.list();
  }

  /** As `KeyVault.has`. */
  has(id: KeyId): Promise<boolean> {
    return this.vault.has(id);
  }

  /** As `KeyVault.find`. */
  find(id: KeyId, role: RoleName): Promise<Signer | undefined> {
    return this.vault.find(id, role);
  }

  /** As `KeyVault.create`. Throws `key-vault-limited` if the vault cannot. */
  async create(role: string, gun?: Gun, passphrase?: NewPassphrase): Promise<Signer> {
    if (this.vault.create === undefined) throw this.limited('create');
    const signer = await this.vault.create(role, gun, passphrase);
    this.created.add(signer.id);
    return signer;
  }

  /** As `KeyVault.import`. Throws `key-vault-limited` if the vault cannot. */
  async import(key: BundledKey, options: ImportOptions): Promise<ImportedKey> {
    if (this.vault.import === undefined) throw this.limited('import');
    return this.vault.import(key, options);
  }

  /** As `KeyVault.remove`. Throws `key-vault-limited` if the vault cannot. */
  async remove(id: KeyId): Promise<boolean> {
    if (this.vault.remove === undefined) throw this.limited('remove');
    this.created.delete(id);
    return this.vault.remove(id);
  }

  /**
   * Runs `work`. If it fails, the keys that it created are removed again, except those that `keepMade` was called for;
   * `onUndone` is told if there were any.
   */
  async undoing<T>(work: () => Promise<T>, onUndone: (error: unknown) => void = () => undefined): Promise<T> {
    const before = new Set(this.created);
    try {
      return await work();
    } catch (error) {
      const undone = this.vault.remove === undefined ? [] : [...this.created].filter((id) => !before.has(id));
      for (const id of undone) await this.remove(id);
      if (undone.length > 0) onUndone(error);
      throw error;
    }
  }

  /** The keys that were created so far may be in force: they stay, whatever fails from now on. */
  keepMade(): void {
    this.created.clear();
  }

  /** As `KeyVault.close`. */
  close(): void {
    this.vault.close();
  }

  private limited(operation: 'create' | 'import' | 'remove'): SignetError {
    return new SignetError('key-vault-limited', `${this.vault.name} cannot ${operation} keys`);
  }
}
