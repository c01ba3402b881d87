import { makePublicKey, type PublicKey } from '../../core/keys/public-key.ts';
import type { Gun } from '../../core/names/gun.ts';
import type { KeyId } from '../../core/names/key-id.ts';
import type { Signature } from '../../core/signature.ts';
import type { Instant } from '../../core/time.ts';
import type { RemoteSigner } from '../grpc/remote-signer.ts';
import type { OnlineKeyStore, OnlineKeyType, OnlineRole, SealedKey } from '../store/online-key-store.ts';
import type { LocalOnlineKeys } from './local-online-keys.ts';
import type { OnlineKeyService, SettledSigner } from './online-key-service.ts';
import type { ProvenKeys } from './proven-keys.ts';

interface RemoteOnlineKeyParts {
  readonly signer: RemoteSigner;
  /** Keeps which key was made for which GUN: a signer does not tell. Keys that live there have nothing sealed here. */
  readonly store: OnlineKeyStore;
  /** Keys that were sealed here before there was a signer: they go on until they are rotated. */
  readonly local: LocalOnlineKeys | undefined;
  /** The kind of key to make. */
  readonly type: OnlineKeyType;
  readonly proven: ProvenKeys;
  readonly clock: () => Instant;
}

/** Online keys that live behind a Notary signer (protocol B.14). */
export class RemoteOnlineKeys implements OnlineKeyService {
  private readonly parts: RemoteOnlineKeyParts;

  constructor(parts: RemoteOnlineKeyParts) {
    this.parts = parts;
  }

  async current(gun: Gun, role: OnlineRole, listed: readonly KeyId[]): Promise<PublicKey> {
    for (const id of listed) {
      const key = await this.keyOf(gun, id);
      if (key !== undefined) return publicKeyOf(key);
    }
    return this.next(gun, role, listed);
  }

  async next(gun: Gun, role: OnlineRole, listed: readonly KeyId[]): Promise<PublicKey> {
    const { store, signer, type, clock } = this.parts;
    const pending = await store.pending(gun, role, type);
    if (pending !== undefined && isRemote(pending) && !listed.includes(pending.id)) return publicKeyOf(pending);
    if (pending !== undefined) {
      // It is in use, or was sealed here and never published: neither is a new key of the signer.
      await store.markUsed(pending.id, clock());
      return this.next(gun, role, listed);
    }
    const { id, bytes } = await signer.createKey(type, gun, role);
    const added = { id, gun, role, type, publicBytes: bytes, sealed: Buffer.alloc(0), used: false };
    return publicKeyOf(await store.add(added, clock()));
  }

  signer(gun: Gun, which: 'any' | 'unused' = 'any'): SettledSigner {
    const { store, signer, local, clock } = this.parts;
    const sealedHere = local?.signer(gun, which);
    const signed = new Set<KeyId>();
    return {
      sign: async (id, message): Promise<Signature | undefined> => {
        const key = await this.keyOf(gun, id);
        if (key === undefined || (which === 'unused' && key.used)) return undefined;
        if (!isRemote(key)) return sealedHere?.sign(id, message);
        const signature = await signer.sign(publicKeyOf(key), message);
        if (signature !== undefined && !key.used) signed.add(id);
        return signature;
      },
      settle: async () => {
        for (const id of signed) await store.markUsed(id, clock());
        await sealedHere?.settle();
      },
    };
  }

  async check(): Promise<void> {
    await this.parts.local?.check();
    await this.parts.signer.check();
  }

  /**
   * A key of this GUN. One that no one has noted, as of a Notary server that this one took over from, is of this GUN if it
   * has signed for it: a root may list any ID.
   */
  private async keyOf(gun: Gun, id: KeyId): Promise<SealedKey | undefined> {
    const { store, signer, proven, clock } = this.parts;
    const noted = await store.find(id);
    if (noted !== undefined) return noted.gun === gun ? noted : undefined;
    const role = (await proven(gun)).get(id);
    const key = role === undefined ? undefined : await signer.find(id);
    if (role === undefined || key === undefined) return undefined;
    const type = key.type as OnlineKeyType;
    await store.add({ id, gun, role, type, publicBytes: key.bytes, sealed: Buffer.alloc(0), used: true }, clock());
    return store.find(id);
  }
}

function isRemote({ sealed }: SealedKey): boolean {
  return sealed.length === 0;
}

function publicKeyOf({ type, publicBytes }: SealedKey): PublicKey {
  return makePublicKey(type, publicBytes);
}
