import { SignetError } from '../../core/errors/index.ts';
import type { BundledKey } from '../../core/keys/key-bundle.ts';
import { formatKeyFile, type KeyFile, openKeyFile, sealKey } from '../../core/keys/key-file.ts';
import { checkEncryption } from '../../core/keys/old-encryption.ts';
import { generatePrivateKey, type PrivateKey } from '../../core/keys/private-key.ts';
import { type Signer, softwareSigner } from '../../core/keys/signer.ts';
import type { Gun } from '../../core/names/gun.ts';
import type { KeyId } from '../../core/names/key-id.ts';
import type { RoleName } from '../../core/names/role.ts';
import { type KeyStore, roleConflict, type StoredKey } from '../../store/key-store.ts';
import type { ImportedKey, ImportOptions, KeyVault, NewPassphrase } from './key-vault.ts';
import { KnownPassphrases } from './known-passphrases.ts';
import type { Passphrases } from './passphrases.ts';

/** What docker calls a key while it is imported (protocol D.11). */
const IMPORTED = 'encrypted';
/** What a stored key is called that does not say it itself, if nothing else tells. */
const NAMELESS = 'signer';

/** A key that is open, and what others get of it. */
interface OpenKey {
  readonly key: PrivateKey;
  readonly signer: Signer;
}

/**
 * Docker's folder of key files: each sealed with a passphrase, opened when first needed, kept while the command runs, wiped
 * by `close`.
 */
export class FileVault implements KeyVault {
  readonly name: string;
  private readonly store: KeyStore;
  private readonly passphrases: Passphrases;
  private readonly opened = new Map<KeyId, OpenKey>();
  private readonly known: KnownPassphrases;

  constructor(store: KeyStore, passphrases: Passphrases, name = 'the folder of keys') {
    this.name = name;
    this.store = store;
    this.passphrases = passphrases;
    this.known = new KnownPassphrases(passphrases);
  }

  list(): Promise<readonly StoredKey[]> {
    return this.store.list();
  }

  async has(id: KeyId): Promise<boolean> {
    return this.opened.has(id) || (await this.store.load(id)) !== undefined;
  }

  /** Throws as `KeyVault.find`, and `key-id-mismatch` if the file holds another key. */
  async find(id: KeyId, role: RoleName): Promise<Signer | undefined> {
    const present = this.opened.get(id);
    if (present !== undefined) return present.signer;
    const file = await this.store.load(id);
    if (file === undefined) return undefined;
    const alias = aliasOf(file, role);
    const { signer, passphrase } = await this.open(id, file, alias);
    if (passphrase !== undefined) await this.passphrases.approve?.({ id, alias }, passphrase);
    return signer;
  }

  async create(role: string, gun?: Gun, passphrase?: NewPassphrase): Promise<Signer> {
    const key = generatePrivateKey('ecdsa');
    const { signer } = await orWipe(key, () => this.add(key, role, gun, passphrase));
    return signer;
  }

  /**
   * An encrypted key keeps its passphrase. One of a bundle (protocol C.2.5) that says which key it is stays sealed as it is,
   * and is not opened; any other is opened, with the passphrase that is asked for.
   */
  async import({ file, id }: BundledKey, { name, alias = IMPORTED, passphrase }: ImportOptions): Promise<ImportedKey> {
    const role = file.role === '' ? name : file.role;
    if (!file.encrypted) {
      const key = openKeyFile(file, undefined);
      const { isNew } = await orWipe(key, () => this.add(key, role, file.gun, passphrase));
      return { id: key.id, isNew };
    }
    if (id !== undefined)
      return { id, isNew: await this.store.add(id, formatKeyFile({ ...file, role, path: undefined })) };
    checkEncryption(file);
    const { key, passphrase: its } = await this.known.unlock(undefined, alias, (text) => openKeyFile(file, text));
    const { isNew } = await orWipe(key, () => this.seal(key, its, role, file.gun));
    return { id: key.id, isNew };
  }

  /** Removes a key from the disk for good. */
  async remove(id: KeyId): Promise<boolean> {
    this.opened.get(id)?.key.wipe();
    this.opened.delete(id);
    return this.store.remove(id);
  }

  close(): void {
    for (const { key } of this.opened.values()) key.wipe();
    this.opened.clear();
    this.known.close();
  }

  // What only files of keys can do

  /** A key as it is stored, still sealed; undefined if it is not here. Throws `key-malformed` or `key-unsupported`. */
  load(id: KeyId): Promise<KeyFile | undefined> {
    return this.store.load(id);
  }

  /**
   * The passphrase that opens a key, asked for if it has to be, told to no keychain, and for the caller to wipe; undefined
   * if the key is not encrypted. Throws `signing-key-missing`, and as `find` does.
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

  /** Stores a key under a new passphrase. One that is here already keeps the one that it has. */
  private async add(
    key: PrivateKey,
    role: string,
    gun: Gun | undefined,
    given: NewPassphrase = 'of its alias',
  ): Promise<{ readonly signer: Signer; readonly isNew: boolean }> {
    checkRootKey(key, role);
    const present = await this.store.load(key.id);
    if (present !== undefined && present.role !== role) throw roleConflict(key.id, present.role);
    if (present !== undefined) return { ...this.keep(key), isNew: false };
    const known = given === 'its own' ? undefined : this.known.of(role);
    const passphrase = known ?? (await this.passphrases.fresh({ id: key.id, alias: role }));
    this.known.remember(role, passphrase);
    return this.seal(key, passphrase, role, gun);
  }

  private async seal(
    key: PrivateKey,
    passphrase: Buffer,
    role: string,
    gun: Gun | undefined,
  ): Promise<{ readonly signer: Signer; readonly isNew: boolean }> {
    checkRootKey(key, role);
    const isNew = await this.store.add(
      key.id,
      sealKey(key, { role, passphrase, ...(gun === undefined ? {} : { gun }) }),
    );
    const { signer } = this.keep(key);
    // A key that was there already keeps the passphrase it has.
    if (isNew) await this.passphrases.approve?.({ id: key.id, alias: role }, passphrase);
    return { signer, isNew };
  }

  private async openPresent(id: KeyId) {
    const file = await this.store.load(id);
    if (file === undefined) {
      throw new SignetError('signing-key-missing', `signing key not found: ${id}`, { detail: { id } });
    }
    return { file, ...(await this.open(id, file, aliasOf(file, NAMELESS))) };
  }

  /** Opens a stored key, whether it is open already or not; the passphrase is that of an encrypted one. */
  private async open(
    id: KeyId,
    file: KeyFile,
    alias: string,
  ): Promise<OpenKey & { readonly passphrase: Buffer | undefined }> {
    const { key, passphrase } = file.encrypted
      ? await this.known.unlock(id, alias, (text) => openKeyFile(file, text))
      : { key: openKeyFile(file, undefined), passphrase: undefined };
    if (key.id !== id) {
      key.wipe();
      throw new SignetError('key-id-mismatch', `the key file ${id} holds another key`, {
        detail: { id, found: key.id },
      });
    }
    return { ...this.keep(key), passphrase };
  }

  /** Keeps an open key until `close`. If it is open already, the copy is wiped: signers that were given away go on. */
  private keep(key: PrivateKey): OpenKey {
    const present = this.opened.get(key.id);
    if (present !== undefined) {
      key.wipe();
      return present;
    }
    const open = { key, signer: softwareSigner(key) };
    this.opened.set(key.id, open);
    return open;
  }
}

/** Runs `store`. If it fails, no one else has the key, and it is wiped. */
async function orWipe<T>(key: PrivateKey, store: () => Promise<T>): Promise<T> {
  try {
    return await store();
  } catch (error) {
    key.wipe();
    throw error;
  }
}

/** The name under which a key's passphrase is known. */
function aliasOf({ role }: KeyFile, otherwise: string): string {
  return role === '' ? otherwise : role;
}

/** A root key becomes one of a repository by a certificate, which Notary knows for two kinds of keys only. */
function checkRootKey({ type }: PrivateKey, role: string): void {
  if (role !== 'root' || type !== 'ed25519') return;
  throw new SignetError('key-unsupported', 'a root key must be an ECDSA or RSA key');
}
