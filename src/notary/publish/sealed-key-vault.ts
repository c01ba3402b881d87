import type { Gun } from '../../core/names/gun.ts';
import type { KeyId } from '../../core/names/key-id.ts';
import type { Instant } from '../../core/time.ts';
import type { OnlineKey, OnlineKeyStore, OnlineKeyType, OnlineRole, SealedKey } from '../store/online-key-store.ts';
import type { OnlineKeyVault } from '../store/online-key-vault.ts';
import { keyUnreadable, type Vault } from './seal.ts';

/** Keys of a store that are sealed under the master key, each together with what it is for. */
export class SealedKeyVault implements OnlineKeyVault {
  private readonly store: OnlineKeyStore;
  private readonly vault: Vault;

  constructor(store: OnlineKeyStore, vault: Vault) {
    this.store = store;
    this.vault = vault;
  }

  async find(id: KeyId): Promise<OnlineKey | undefined> {
    return knownOf(await this.store.find(id));
  }

  async pending(gun: Gun, role: OnlineRole, type: OnlineKeyType): Promise<OnlineKey | undefined> {
    return knownOf(await this.store.pending(gun, role, type));
  }

  async open(key: OnlineKey): Promise<Buffer> {
    const stored = await this.store.find(key.id);
    if (stored === undefined) throw keyUnreadable(contextOf(key));
    return this.vault.open(stored.sealed, contextOf(stored));
  }

  async add(key: OnlineKey, secret: Uint8Array, at: Instant): Promise<OnlineKey> {
    const { sealed: _, ...known } = await this.store.add(
      { ...key, sealed: this.vault.seal(secret, contextOf(key)) },
      at,
    );
    return known;
  }

  markUsed(id: KeyId, at: Instant): Promise<void> {
    return this.store.markUsed(id, at);
  }

  async check(): Promise<void> {
    const key = await this.store.sample();
    if (key !== undefined) (await this.open(key)).fill(0);
  }
}

function knownOf(key: SealedKey | undefined): OnlineKey | undefined {
  if (key === undefined) return undefined;
  const { sealed: _, ...known } = key;
  return known;
}

function contextOf({ id, gun, role }: OnlineKey): readonly string[] {
  return [id, gun, role];
}
