import type { SigningKeys } from '../../core/edit/signing.ts';
import { SignetError } from '../../core/errors/index.ts';
import type { BundledKey } from '../../core/keys/key-bundle.ts';
import { formatKeyFile, type KeyFile, openKeyFile, sealKey } from '../../core/keys/key-file.ts';
import { checkEncryption } from '../../core/keys/old-encryption.ts';
import { generatePrivateKey, type PrivateKey } from '../../core/keys/private-key.ts';
import type { Gun } from '../../core/names/gun.ts';
import type { KeyId } from '../../core/names/key-id.ts';
import type { RoleName } from '../../core/names/role.ts';
import { type KeyStore, roleConflict, type StoredKey } from '../../store/key-store.ts';
import { KnownPassphrases } from './known-passphrases.ts';
import type { Passphrases } from './passphrases.ts';

/** What docker calls a key while it is imported (protocol D.11). */
const IMPORTED = 'encrypted';
/** What a stored key is called that does not say it itself, where nothing else tells. */
const NAMELESS = 'signer';

/** A key that was imported. */
interface ImportedKey {
  readonly id: KeyId;
  /** False where it was here before; then it keeps the passphrase that it has. */
  readonly isNew: boolean;
}

/** Whose passphrase a new key gets: the one that was right for a key of its alias before, as docker does it, or its own. */
type NewPassphrase = 'of its alias' | 'its own';

/** The private keys of one command: opened when first needed, kept while the command runs, wiped by `close`. */
export class KeyRing implements SigningKeys {
  private readonly store: KeyStore;
  private readonly passphrases: Passphrases;
  private readonly opened = new Map<KeyId, PrivateKey>();
  private readonly made = new Set<KeyId>();
  private readonly known: KnownPassphrases;

  constructor(store: KeyStore, passphrases: Passphrases) {
    this.store = store;
    this.passphrases = passphrases;
    this.known = new KnownPassphrases(passphrases);
  }

  /** The keys on disk, none of them opened. */
  list(): Promise<readonly StoredKey[]> {
    return this.store.list();
  }

  /** A key as it is stored, still sealed; undefined where it is not here. */
  load(id: KeyId): Promise<KeyFile | undefined> {
    return this.store.load(id);
  }

  async has(id: KeyId): Promise<boolean> {
    return this.opened.has(id) || (await this.store.load(id)) !== undefined;
  }

  /** Throws `key-passphrase-wrong` where the key is here but stays closed. */
  async find(id: KeyId, role: RoleName): Promise<PrivateKey | undefined> {
    const present = this.opened.get(id);
    if (present !== undefined) return present;
    const file = await this.store.load(id);
    if (file === undefined) return undefined;
    const alias = aliasOf(file, role);
    const { key, passphrase } = await this.open(id, file, alias);
    if (passphrase !== undefined) await this.passphrases.approve?.({ id, alias }, passphrase);
    return key;
  }

  /**
   * Runs `work`. If it fails, the keys that it made are removed again, save those that `keepMade` was called for;
   * `onUndone` is told if there were any.
   */
  async undoing<T>(work: () => Promise<T>, onUndone: (error: unknown) => void = () => undefined): Promise<T> {
    const before = new Set(this.made);
    try {
      return await work();
    } catch (error) {
      const undone = [...this.made].filter((id) => !before.has(id));
      for (const id of undone) await this.remove(id);
      if (undone.length > 0) onUndone(error);
      throw error;
    }
  }

  /** The keys that were made so far may be in force: they stay, whatever fails from now on. */
  keepMade(): void {
    this.made.clear();
  }

  /** Makes a key (ECDSA P-256), asks for its passphrase and stores it. `gun` is kept for a repository's own keys only. */
  async create(role: string, gun?: Gun, given: NewPassphrase = 'of its alias'): Promise<PrivateKey> {
    const key = generatePrivateKey('ecdsa');
    await this.add(key, role, gun, given);
    this.made.add(key.id);
    return key;
  }

  /**
   * Stores a key under a new passphrase. One that is here already keeps what it has. Returns whether it is new. Throws
   * `key-role-conflict`, or `key-unsupported` for a root key that no certificate can be made of.
   */
  async add(key: PrivateKey, role: string, gun?: Gun, given: NewPassphrase = 'of its alias'): Promise<boolean> {
    checkRootKey(key, role);
    const present = await this.store.load(key.id);
    if (present !== undefined) {
      if (present.role !== role) throw roleConflict(key.id, present.role);
      this.opened.set(key.id, key);
      return false;
    }
    const known = given === 'its own' ? undefined : this.known.of(role);
    const passphrase = known ?? (await this.passphrases.fresh({ id: key.id, alias: role }));
    this.known.remember(role, passphrase);
    return this.seal(key, passphrase, role, gun);
  }

  /**
   * Stores the key of a file, which is called `name` if the file does not say, and returns its ID. An encrypted key keeps
   * its passphrase, which is asked for as that of `alias`; `given` is for one in the clear. Throws as `add` does, and
   * `key-passphrase-wrong`.
   */
  async import(file: KeyFile, name: string, alias = IMPORTED, given?: NewPassphrase): Promise<KeyId> {
    return (await this.importOpened(file, file.role === '' ? name : file.role, alias, given)).id;
  }

  /**
   * Stores a key of a bundle (protocol C.2.5). One that is sealed and says which it is stays as it is, and is not opened;
   * any other is imported under the passphrase that it has, or a new one. Throws as `import` does.
   */
  async importBundled({ file, id }: BundledKey): Promise<ImportedKey> {
    if (!file.encrypted || id === undefined) return this.importOpened(file, file.role, file.role);
    return { id, isNew: await this.store.add(id, formatKeyFile(file)) };
  }

  /**
   * The passphrase that opens a key, asked for where it has to be, told to no keychain, and for the caller to wipe;
   * undefined where the key lies open. Throws `signing-key-missing`, and as `find` does.
   */
  async passphraseOf(id: KeyId): Promise<Buffer | undefined> {
    const { passphrase } = await this.openPresent(id);
    return passphrase === undefined ? undefined : Buffer.from(passphrase);
  }

  /** Seals a key under another passphrase, in the place of the file that it has. Throws as `passphraseOf` does. */
  async reseal(id: KeyId, passphrase: Buffer): Promise<void> {
    const { key, file } = await this.openPresent(id);
    const { role, gun } = file;
    await this.store.replace(id, sealKey(key, { role, passphrase, ...(gun === undefined ? {} : { gun }) }));
  }

  /** Removes a key from the disk for good. Returns whether it was there. */
  async remove(id: KeyId): Promise<boolean> {
    this.opened.get(id)?.wipe();
    this.opened.delete(id);
    this.made.delete(id);
    return this.store.remove(id);
  }

  /** Wipes every key and passphrase. */
  close(): void {
    for (const key of this.opened.values()) key.wipe();
    this.opened.clear();
    this.known.close();
  }

  private async importOpened(file: KeyFile, role: string, alias: string, given?: NewPassphrase): Promise<ImportedKey> {
    if (!file.encrypted) {
      const key = openKeyFile(file, undefined);
      return { id: key.id, isNew: await this.add(key, role, file.gun, given) };
    }
    checkEncryption(file);
    const { key, passphrase } = await this.known.unlock(undefined, alias, (text) => openKeyFile(file, text));
    checkRootKey(key, role);
    return { id: key.id, isNew: await this.seal(key, passphrase, role, file.gun) };
  }

  private async openPresent(id: KeyId) {
    const file = await this.store.load(id);
    if (file === undefined) {
      throw new SignetError('signing-key-missing', `signing key not found: ${id}`, { detail: { id } });
    }
    return { file, ...(await this.open(id, file, aliasOf(file, NAMELESS))) };
  }

  /** Opens a stored key, be it open already or not; the passphrase is that of an encrypted one. */
  private async open(
    id: KeyId,
    file: KeyFile,
    alias: string,
  ): Promise<{ readonly key: PrivateKey; readonly passphrase: Buffer | undefined }> {
    const { key, passphrase } = file.encrypted
      ? await this.known.unlock(id, alias, (text) => openKeyFile(file, text))
      : { key: openKeyFile(file, undefined), passphrase: undefined };
    if (key.id !== id) {
      key.wipe();
      throw new SignetError('key-id-mismatch', `the key file ${id} holds another key`, {
        detail: { id, found: key.id },
      });
    }
    this.opened.get(id)?.wipe();
    this.opened.set(id, key);
    return { key, passphrase };
  }

  private async seal(key: PrivateKey, passphrase: Buffer, role: string, gun: Gun | undefined): Promise<boolean> {
    const isNew = await this.store.add(
      key.id,
      sealKey(key, { role, passphrase, ...(gun === undefined ? {} : { gun }) }),
    );
    this.opened.set(key.id, key);
    // A key that was there already keeps the passphrase it has.
    if (isNew) await this.passphrases.approve?.({ id: key.id, alias: role }, passphrase);
    return isNew;
  }
}

/** Whose passphrase a key has. */
function aliasOf({ role }: KeyFile, otherwise: string): string {
  return role === '' ? otherwise : role;
}

/** A root key is one of a repository by a certificate, which Notary knows of two kinds of keys only. */
function checkRootKey({ type }: PrivateKey, role: string): void {
  if (role !== 'root' || type !== 'ed25519') return;
  throw new SignetError('key-unsupported', 'a root key must be an ECDSA or RSA key');
}
