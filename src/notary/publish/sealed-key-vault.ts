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
    const stored = await this.store.add({ ...key, sealed: this.vault.seal(secret, contextOf(key)) }, at);
    const known = knownOf(stored);
    if (known !== undefined) return known;
    // An unused key of a remote signer that the server worked with before is not handed out any more.
    await this.store.markUsed(stored.id, at);
    return this.add(key, secret, at);
  }

  markUsed(id: KeyId, at: Instant): Promise<void> {
    return this.store.markUsed(id, at);
  }

  remove(id: KeyId): Promise<boolean> {
    return this.store.remove(id);
  }

  async check(): Promise<void> {
    const key = await this.store.sample();
    if (key !== undefined) (await this.open(key)).fill(0);
  }
}

/** Undefined for a key that lives behind a remote signer: its private half is not here. */
function knownOf(key: SealedKey | undefined): OnlineKey | undefined {
  if (key === undefined || key.sealed.length === 0) return undefined;
  const { sealed: _, ...known } = key;
  return known;
}

/** What a key is sealed together with: moved to another GUN or role, it does not open. */
export function contextOf({ id, gun, role }: OnlineKey): readonly string[] {
  return [id, gun, role];
}
