import { generatePrivateKey, type PrivateKey, privateKeyFromRaw } from '../../core/keys/private-key.ts';
import { makePublicKey, type PublicKey } from '../../core/keys/public-key.ts';
import type { Gun } from '../../core/names/gun.ts';
import type { KeyId } from '../../core/names/key-id.ts';
import type { Instant } from '../../core/time.ts';
import type { OnlineKeyStore, OnlineKeyType, OnlineRole, SealedKey } from '../store/online-key-store.ts';
import { LruCache } from './lru.ts';
import type { OnlineKeyService, SettledSigner } from './online-key-service.ts';
import type { Vault } from './seal.ts';

interface OpenKey {
  readonly gun: Gun;
  readonly privateKey: PrivateKey;
  used: boolean;
}

/** Decrypted keys kept in memory; the other ones are decrypted when they sign. */
const OPEN_KEYS = 1024;

/** Online keys that this process opens itself: sealed in the database, under the master key. */
export class LocalOnlineKeys implements OnlineKeyService {
  private readonly store: OnlineKeyStore;
  private readonly vault: Vault;
  private readonly type: OnlineKeyType;
  private readonly clock: () => Instant;
  private readonly open = new LruCache<KeyId, OpenKey>(OPEN_KEYS, ({ privateKey }) => privateKey.wipe());

  constructor(store: OnlineKeyStore, vault: Vault, type: OnlineKeyType, clock: () => Instant) {
    this.store = store;
    this.vault = vault;
    this.type = type;
    this.clock = clock;
  }

  async current(gun: Gun, role: OnlineRole, listed: readonly KeyId[]): Promise<PublicKey> {
    for (const id of listed) {
      const key = await this.find(id);
      if (key?.gun === gun) return publicKeyOf(key);
    }
    return this.next(gun, role, listed);
  }

  async next(gun: Gun, role: OnlineRole, listed: readonly KeyId[], type = this.type): Promise<PublicKey> {
    const pending = await this.store.pending(gun, role, type);
    if (pending === undefined) return publicKeyOf(await this.store.add(this.generate(gun, role, type), this.clock()));
    if (isHere(pending) && !listed.includes(pending.id)) return publicKeyOf(pending);
    // The process ended between storing what the key signed and noting that it did; or the key is a remote signer's.
    await this.store.markUsed(pending.id, this.clock());
    return this.next(gun, role, listed, type);
  }

  /** A key that this server can sign with, as it is stored. */
  async find(id: KeyId): Promise<SealedKey | undefined> {
    const key = await this.store.find(id);
    return key !== undefined && isHere(key) ? key : undefined;
  }

  /** Removes a key for good. Returns whether it was here. */
  remove(id: KeyId): Promise<boolean> {
    this.open.delete(id);
    return this.store.remove(id);
  }

  /** Signing throws `online-key-unreadable` if the master key is another one. */
  signer(gun: Gun, which: 'any' | 'unused' = 'any'): SettledSigner {
    const signed = new Map<KeyId, OpenKey>();
    return {
      sign: async (id, message) => {
        if (which === 'unused' && (await this.store.find(id))?.used !== false) return undefined;
        const key = this.open.get(id) ?? this.unseal(await this.store.find(id));
        if (key?.gun !== gun) return undefined;
        // Nothing may be awaited before this line: another key's arrival can wipe this one.
        const signature = key.privateKey.sign(message);
        if (!key.used) signed.set(id, key);
        return signature;
      },
      settle: async () => {
        for (const [id, key] of signed) {
          await this.store.markUsed(id, this.clock());
          key.used = true;
        }
      },
    };
  }

  /** Whether the store answers and the master key is the right one. Throws what is wrong. */
  async check(): Promise<void> {
    this.unseal(await this.store.sample());
  }

  private generate(gun: Gun, role: OnlineRole, type: OnlineKeyType): SealedKey {
    const privateKey = generatePrivateKey(type);
    const raw = privateKey.raw();
    try {
      const { id, bytes } = privateKey.publicKey;
      const sealed = this.vault.seal(raw, contextOf({ id, gun, role }));
      return { id, gun, role, type, publicBytes: bytes, sealed, used: false };
    } finally {
      raw.fill(0);
      privateKey.wipe();
    }
  }

  private unseal(key: SealedKey | undefined): OpenKey | undefined {
    if (key === undefined || !isHere(key)) return undefined;
    const raw = this.vault.open(key.sealed, contextOf(key));
    try {
      const open = { gun: key.gun, privateKey: privateKeyFromRaw(key.type, raw), used: key.used };
      this.open.set(key.id, open);
      return open;
    } finally {
      raw.fill(0);
    }
  }
}

/** What a key is sealed together with: moved to another GUN or role, it does not open. */
export function contextOf({ id, gun, role }: Pick<SealedKey, 'id' | 'gun' | 'role'>): readonly string[] {
  return [id, gun, role];
}

/** Whether this server holds the private half, and not a remote signer that it worked with before. */
function isHere({ sealed }: SealedKey): boolean {
  return sealed.length > 0;
}

function publicKeyOf(key: SealedKey): PublicKey {
  return makePublicKey(key.type, key.publicBytes);
}
