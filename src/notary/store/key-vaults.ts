import type { Gun } from '../../core/names/gun.ts';
import type { KeyId } from '../../core/names/key-id.ts';
import type { Instant } from '../../core/time.ts';
import type { OnlineKey, OnlineKeyType, OnlineRole } from './online-key-store.ts';
import type { OnlineKeyVault } from './online-key-vault.ts';

/** Several vaults as one: keys of each are used, and new ones are made in the first. */
export class KeyVaults implements OnlineKeyVault {
  private readonly first: OnlineKeyVault;
  private readonly all: readonly OnlineKeyVault[];

  constructor(first: OnlineKeyVault, others: readonly OnlineKeyVault[]) {
    this.first = first;
    this.all = [first, ...others];
  }

  async find(id: KeyId): Promise<OnlineKey | undefined> {
    return (await this.having(id))?.key;
  }

  pending(gun: Gun, role: OnlineRole, type: OnlineKeyType): Promise<OnlineKey | undefined> {
    return this.first.pending(gun, role, type);
  }

  async open(key: OnlineKey): Promise<Buffer> {
    const { vault } = (await this.having(key.id)) ?? { vault: this.first };
    return vault.open(key);
  }

  add(key: OnlineKey, secret: Uint8Array, at: Instant): Promise<OnlineKey> {
    return this.first.add(key, secret, at);
  }

  async markUsed(id: KeyId, at: Instant): Promise<void> {
    await (await this.having(id))?.vault.markUsed(id, at);
  }

  async remove(id: KeyId, at: Instant): Promise<boolean> {
    return (await (await this.having(id))?.vault.remove(id, at)) ?? false;
  }

  async check(): Promise<void> {
    for (const vault of this.all) await vault.check();
  }

  private async having(id: KeyId): Promise<{ readonly vault: OnlineKeyVault; readonly key: OnlineKey } | undefined> {
    for (const vault of this.all) {
      const key = await vault.find(id);
      if (key !== undefined) return { vault, key };
    }
    return undefined;
  }
}
