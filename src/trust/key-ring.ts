import { isSignetError, SignetError } from '../core/errors/index.ts';
import { type KeyFile, openKeyFile, sealKey } from '../core/keys/key-file.ts';
import { generatePrivateKey, type PrivateKey } from '../core/keys/private-key.ts';
import type { Gun } from '../core/names/gun.ts';
import type { KeyId } from '../core/names/key-id.ts';
import type { RoleName } from '../core/names/role.ts';
import type { SigningKeys } from '../core/signing.ts';
import type { KeyStore, StoredKey } from '../store/key-store.ts';
import type { Passphrases } from './passphrases.ts';

/** What docker calls a key while it is imported (protocol D.11). */
const IMPORTED = 'encrypted';
/** How often a passphrase is asked for: once, and three times more, as docker does. */
const MAX_ATTEMPTS = 4;

/**
 * The private keys of one command: opened when first needed, kept while the command runs, wiped by `close`.
 * A passphrase that opened one key is tried first on the next of the same alias, as docker does (protocol C.3).
 */
export class KeyRing implements SigningKeys {
  private readonly store: KeyStore;
  private readonly passphrases: Passphrases;
  private readonly opened = new Map<KeyId, PrivateKey>();
  private readonly known = new Map<string, Buffer>();

  constructor(store: KeyStore, passphrases: Passphrases) {
    this.store = store;
    this.passphrases = passphrases;
  }

  /** The keys on disk, none of them opened. */
  list(): Promise<readonly StoredKey[]> {
    return this.store.list();
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
    const alias = file.role === '' ? role : file.role;
    const key = file.encrypted
      ? await this.unlock(id, alias, (passphrase) => openKeyFile(file, passphrase))
      : openKeyFile(file, undefined);
    if (key.id !== id) {
      key.wipe();
      throw new SignetError('key-id-mismatch', `the key file ${id} holds another key`, {
        detail: { id, found: key.id },
      });
    }
    this.opened.set(id, key);
    return key;
  }

  /** Makes a key (ECDSA P-256), asks for its passphrase and stores it. `gun` is kept for a repository's own keys only. */
  async create(role: string, gun?: Gun): Promise<PrivateKey> {
    const key = generatePrivateKey('ecdsa');
    await this.add(key, role, gun);
    return key;
  }

  /** Stores a key under a new passphrase. */
  async add(key: PrivateKey, role: string, gun?: Gun): Promise<void> {
    const passphrase = this.known.get(role) ?? (await this.passphrases.fresh({ id: key.id, alias: role }));
    this.remember(role, passphrase);
    await this.seal(key, passphrase, role, gun);
  }

  /** Stores the key of a file, which is called `name` if the file does not say. An encrypted key keeps its passphrase. */
  async import(file: KeyFile, name: string): Promise<void> {
    const role = file.role === '' ? name : file.role;
    if (!file.encrypted) return this.add(openKeyFile(file, undefined), role, file.gun);
    const key = await this.unlock(undefined, IMPORTED, (passphrase) => openKeyFile(file, passphrase));
    const passphrase = this.known.get(IMPORTED);
    if (passphrase === undefined) throw new Error('the key was opened without a passphrase');
    await this.seal(key, passphrase, role, file.gun);
  }

  /** Wipes every key and passphrase. */
  close(): void {
    for (const key of this.opened.values()) key.wipe();
    for (const passphrase of this.known.values()) passphrase.fill(0);
    this.opened.clear();
    this.known.clear();
  }

  private async seal(key: PrivateKey, passphrase: Buffer, role: string, gun: Gun | undefined): Promise<void> {
    await this.store.add(key.id, sealKey(key, { role, passphrase, ...(gun === undefined ? {} : { gun }) }));
    this.opened.set(key.id, key);
  }

  private async unlock(
    id: KeyId | undefined,
    alias: string,
    open: (passphrase: Buffer) => PrivateKey,
  ): Promise<PrivateKey> {
    const known = this.known.get(alias);
    const first = known === undefined ? undefined : tryOpen(open, known);
    if (first !== undefined) return first;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const passphrase = await this.passphrases.existing({ id, alias }, attempt);
      let key: PrivateKey | undefined;
      try {
        key = tryOpen(open, passphrase);
      } finally {
        if (key === undefined) passphrase.fill(0);
      }
      if (key !== undefined) {
        this.remember(alias, passphrase);
        return key;
      }
    }
    throw new SignetError('key-passphrase-wrong', 'maximum number of passphrase attempts exceeded', {
      detail: { alias, ...(id === undefined ? {} : { id }) },
    });
  }

  private remember(alias: string, passphrase: Buffer): void {
    const present = this.known.get(alias);
    if (present === passphrase) return;
    present?.fill(0);
    this.known.set(alias, passphrase);
  }
}

function tryOpen(open: (passphrase: Buffer) => PrivateKey, passphrase: Buffer): PrivateKey | undefined {
  try {
    return open(passphrase);
  } catch (error) {
    if (isSignetError(error, 'key-passphrase-wrong')) return undefined;
    throw error;
  }
}
