import { generatePrivateKey, type PrivateKey, privateKeyFromRaw } from '../../core/keys/private-key.ts';
import { makePublicKey, type PublicKey } from '../../core/keys/public-key.ts';
import type { Gun } from '../../core/names/gun.ts';
import type { KeyId } from '../../core/names/key-id.ts';
import type { Instant } from '../../core/time.ts';
import type { OnlineKey, OnlineKeyType, OnlineRole } from '../store/online-key-store.ts';
import type { OnlineKeyVault } from '../store/online-key-vault.ts';
import { LruCache } from './lru.ts';
import type { OnlineKeyService, SettledSigner } from './online-key-service.ts';

interface OpenKey {
  readonly gun: Gun;
  readonly privateKey: PrivateKey;
  used: boolean;
}

/** Decrypted keys kept in memory; the other ones are decrypted when they sign. */
const OPEN_KEYS = 1024;

/** Online keys that this process opens itself, from where they are kept closed. */
export class LocalOnlineKeys implements OnlineKeyService {
  private readonly vault: OnlineKeyVault;
  private readonly type: OnlineKeyType;
  private readonly clock: () => Instant;
  private readonly open = new LruCache<KeyId, OpenKey>(OPEN_KEYS, ({ privateKey }) => privateKey.wipe());

  constructor(vault: OnlineKeyVault, type: OnlineKeyType, clock: () => Instant) {
    this.vault = vault;
    this.type = type;
    this.clock = clock;
  }

  async current(gun: Gun, role: OnlineRole, listed: readonly KeyId[]): Promise<PublicKey> {
    for (const id of listed) {
      const key = await this.vault.find(id);
      if (key?.gun === gun) return publicKeyOf(key);
    }
    return this.next(gun, role, listed);
  }

  async next(gun: Gun, role: OnlineRole, listed: readonly KeyId[], type = this.type): Promise<PublicKey> {
    const pending = await this.vault.pending(gun, role, type);
    if (pending === undefined) return publicKeyOf(await this.generate(gun, role, type));
    if (!listed.includes(pending.id)) return publicKeyOf(pending);
    // The process ended between storing what the key signed and noting that it did.
    await this.vault.markUsed(pending.id, this.clock());
    return this.next(gun, role, listed, type);
  }

  /** What is known of a key that this server can sign with; undefined if it has none of this ID. */
  find(id: KeyId): Promise<OnlineKey | undefined> {
    return this.vault.find(id);
  }

  /** Removes a key for good. Returns whether it was here. */
  remove(id: KeyId): Promise<boolean> {
    this.open.delete(id);
    return this.vault.remove(id, this.clock());
  }

  /** Signing throws `online-key-unreadable` if the key does not open. */
  signer(gun: Gun, which: 'any' | 'unused' = 'any'): SettledSigner {
    const signed = new Map<KeyId, OpenKey>();
    return {
      sign: async (id, message) => {
        if (which === 'unused' && (await this.vault.find(id))?.used !== false) return undefined;
        return this.opened(id, gun, (key) => {
          if (!key.used) signed.set(id, key);
          return key.privateKey.sign(message);
        });
      },
      settle: async () => {
        for (const [id, key] of signed) {
          await this.vault.markUsed(id, this.clock());
          key.used = true;
        }
      },
    };
  }

  check(): Promise<void> {
    return this.vault.check();
  }

  private async generate(gun: Gun, role: OnlineRole, type: OnlineKeyType): Promise<OnlineKey> {
    const privateKey = generatePrivateKey(type);
    const raw = privateKey.raw();
    try {
      const { id, bytes } = privateKey.publicKey;
      return await this.vault.add({ id, gun, role, type, publicBytes: bytes, used: false }, raw, this.clock());
    } finally {
      raw.fill(0);
      privateKey.wipe();
    }
  }

  /**
   * What `use` makes of an opened key of this GUN; undefined if there is none. `use` runs at once, and not after anything
   * that is awaited: another key's arrival can wipe this one.
   */
  private async opened<T>(id: KeyId, gun: Gun, use: (key: OpenKey) => T): Promise<T | undefined> {
    const known = this.open.get(id);
    if (known !== undefined) return known.gun === gun ? use(known) : undefined;
    const key = await this.vault.find(id);
    if (key?.gun !== gun) return undefined;
    const raw = await this.vault.open(key);
    try {
      const open = { gun: key.gun, privateKey: privateKeyFromRaw(key.type, raw), used: key.used };
      this.open.set(key.id, open);
      return use(open);
    } finally {
      raw.fill(0);
    }
  }
}

function publicKeyOf(key: OnlineKey): PublicKey {
  return makePublicKey(key.type, key.publicBytes);
}
