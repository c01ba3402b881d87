import { beforeEach, describe, expect, test } from 'bun:test';
import { generatePrivateKey } from '../../../src/core/keys/private-key.ts';
import { type Gun, parseGun } from '../../../src/core/names/gun.ts';
import { parseKeyId } from '../../../src/core/names/key-id.ts';
import type {
  OnlineKeyStore,
  OnlineKeyType,
  OnlineRole,
  SealedKey,
} from '../../../src/notary/store/online-key-store.ts';

const GUN = parseGun('example.com/app');
const OTHER = parseGun('example.com/app/other');

/** A store, and a second connection to it. */
export interface KeyStoresUnderTest {
  readonly store: OnlineKeyStore;
  readonly second: OnlineKeyStore;
}

/** What every store of the server's keys must do. `open` gives an empty one. */
export function onlineKeyStoreSuite(name: string, open: () => Promise<KeyStoresUnderTest>): void {
  describe(name, () => {
    let store: OnlineKeyStore;
    let second: OnlineKeyStore;
    beforeEach(async () => {
      ({ store, second } = await open());
    });

    test('is empty at first', async () => {
      expect(await store.find(parseKeyId('0'.repeat(64)))).toBeUndefined();
      expect(await store.pending(GUN, 'timestamp', 'ed25519')).toBeUndefined();
      expect(await store.sample()).toBeUndefined();
    });

    test('a key comes back as it was stored', async () => {
      const key = sealedKey();
      expect(await store.add(key, 1)).toEqual(key);
      expect(await store.find(key.id)).toEqual(key);
      expect(await second.sample()).toEqual(key);
    });

    test('hands out an unused key only for its own GUN, role and type', async () => {
      const key = await store.add(sealedKey(), 1);
      expect(await store.pending(GUN, 'timestamp', 'ed25519')).toEqual(key);
      expect(await store.pending(OTHER, 'timestamp', 'ed25519')).toBeUndefined();
      expect(await store.pending(GUN, 'snapshot', 'ed25519')).toBeUndefined();
      expect(await store.pending(GUN, 'timestamp', 'ecdsa')).toBeUndefined();
    });

    test('adds no second key while one is unused', async () => {
      const first = await store.add(sealedKey(), 1);
      const late = sealedKey();
      expect(await second.add(late, 2)).toEqual(first);
      expect(await store.find(late.id)).toBeUndefined();
    });

    test('a used key is still found but not handed out again', async () => {
      const first = await store.add(sealedKey(), 1);
      await store.markUsed(first.id, 5);
      await store.markUsed(first.id, 6);
      expect(await store.pending(GUN, 'timestamp', 'ed25519')).toBeUndefined();
      expect(await store.find(first.id)).toEqual({ ...first, used: true });
      const next = sealedKey();
      expect(await store.add(next, 7)).toEqual(next);
    });

    test('a key that is in use elsewhere is stored beside an unused one, once', async () => {
      const unused = await store.add(sealedKey(), 1);
      const taken = { ...sealedKey(), sealed: Buffer.of(), used: true };
      expect(await store.add(taken, 2)).toEqual(taken);
      expect(await second.add({ ...taken, gun: OTHER }, 3)).toEqual(taken);
      expect(await store.find(taken.id)).toEqual(taken);
      expect(await store.pending(GUN, 'timestamp', 'ed25519')).toEqual(unused);
    });

    test('a sample is a key that is sealed here', async () => {
      await store.add({ ...sealedKey(), sealed: Buffer.of() }, 1);
      expect(await store.sample()).toBeUndefined();
      const key = await store.add(sealedKey(OTHER), 2);
      expect(await store.sample()).toEqual(key);
    });

    test('a removed key is gone, for every connection', async () => {
      const key = await store.add(sealedKey(), 1);
      expect([await second.remove(key.id), await store.remove(key.id)]).toEqual([true, false]);
      expect(await store.find(key.id)).toBeUndefined();
      expect(await store.pending(GUN, 'timestamp', 'ed25519')).toBeUndefined();
    });

    test('all that is sealed here is sealed again, or nothing of it', async () => {
      const here = [await store.add(sealedKey(), 1), await store.add(sealedKey(OTHER), 1)];
      const elsewhere = await store.add({ ...sealedKey(GUN, 'snapshot'), sealed: Buffer.of() }, 1);
      const again = (key: SealedKey) => Buffer.from(`again ${key.id}`);
      let count = 0;
      const failing = (key: SealedKey) => {
        if (++count === 2) throw new Error('the second');
        return again(key);
      };
      await expect(store.resealAll(failing)).rejects.toThrow('the second');
      for (const key of [...here, elsewhere]) expect(await second.find(key.id)).toEqual(key);
      expect(await store.resealAll(again)).toBe(2);
      for (const key of here) expect(await second.find(key.id)).toEqual({ ...key, sealed: again(key) });
      expect(await second.find(elsewhere.id)).toEqual(elsewhere);
    });

    test('of many added at once one stays', async () => {
      const keys = Array.from({ length: 10 }, () => sealedKey());
      const added = await Promise.all(keys.map((key, index) => (index % 2 === 0 ? store : second).add(key, index)));
      expect(new Set(added.map(({ id }) => id)).size).toBe(1);
    });
  });
}

function sealedKey(gun: Gun = GUN, role: OnlineRole = 'timestamp', type: OnlineKeyType = 'ed25519'): SealedKey {
  const { id, bytes } = generatePrivateKey(type).publicKey;
  return { id, gun, role, type, publicBytes: bytes, sealed: Buffer.from('sealed'), used: false };
}
