import { beforeEach, describe, expect, test } from 'bun:test';
import { generatePrivateKey } from '../../../src/core/keys/private-key.ts';
import { parseGun } from '../../../src/core/names/gun.ts';
import { parseKeyId } from '../../../src/core/names/key-id.ts';
import type { OnlineKey, OnlineKeyType } from '../../../src/notary/store/online-key-store.ts';
import type { OnlineKeyVault } from '../../../src/notary/store/online-key-vault.ts';

const GUN = parseGun('example.com/app');
const OTHER = parseGun('example.com/app/other');
const AT = Date.parse('2026-11-29T12:34:56Z');

/** A new key and the bytes of its private half. */
export function newKey(
  type: OnlineKeyType = 'ed25519',
  gun = GUN,
): { readonly key: OnlineKey; readonly secret: Buffer } {
  const made = generatePrivateKey(type);
  const { id, bytes } = made.publicKey;
  return { key: { id, gun, role: 'timestamp', type, publicBytes: bytes, used: false }, secret: made.raw() };
}

/** What every vault of the server's keys must do. `open` gives an empty one and a second connection to the same keys. */
export function onlineKeyVaultSuite(
  name: string,
  open: () => Promise<{ vault: OnlineKeyVault; second: OnlineKeyVault }>,
): void {
  describe(name, () => {
    let vault: OnlineKeyVault;
    let second: OnlineKeyVault;
    beforeEach(async () => {
      ({ vault, second } = await open());
    });

    test('is empty at first', async () => {
      expect(await vault.find(parseKeyId('0'.repeat(64)))).toBeUndefined();
      expect(await vault.pending(GUN, 'timestamp', 'ed25519')).toBeUndefined();
      await vault.check();
    });

    test.each(['ecdsa', 'ed25519'] as const)(
      'a key of type %s comes back and opens, on every connection',
      async (type) => {
        const { key, secret } = newKey(type);
        expect(await vault.add(key, secret, AT)).toEqual(key);
        expect(await second.find(key.id)).toEqual(key);
        await second.check();
        expect(await second.open(key)).toEqual(secret);
        expect(await vault.open(key)).toEqual(secret);
      },
    );

    test('a removed key is gone, for every connection', async () => {
      const { key, secret } = newKey();
      await vault.add(key, secret, AT);
      expect([await second.remove(key.id, AT), await vault.remove(key.id, AT)]).toEqual([true, false]);
      expect([await vault.find(key.id), await second.pending(GUN, 'timestamp', 'ed25519')]).toEqual([
        undefined,
        undefined,
      ]);
      const next = newKey();
      expect((await vault.add(next.key, next.secret, AT)).id).toBe(next.key.id);
    });

    test('hands out an unused key only for its own GUN, role and type', async () => {
      const { key, secret } = newKey();
      await vault.add(key, secret, AT);
      expect(await vault.pending(GUN, 'timestamp', 'ed25519')).toEqual(key);
      expect(await vault.pending(OTHER, 'timestamp', 'ed25519')).toBeUndefined();
      expect(await vault.pending(GUN, 'snapshot', 'ed25519')).toBeUndefined();
      expect(await vault.pending(GUN, 'timestamp', 'ecdsa')).toBeUndefined();
    });

    test('adds no second key while one is unused', async () => {
      const [first, late] = [newKey(), newKey()];
      await vault.add(first.key, first.secret, AT);
      expect(await second.add(late.key, late.secret, AT)).toEqual(first.key);
      expect(await vault.find(late.key.id)).toBeUndefined();
    });

    test('a used key is still found but not handed out again', async () => {
      const [first, next] = [newKey(), newKey()];
      await vault.add(first.key, first.secret, AT);
      await vault.markUsed(first.key.id, AT);
      await vault.markUsed(first.key.id, AT + 1000);
      expect(await vault.pending(GUN, 'timestamp', 'ed25519')).toBeUndefined();
      expect(await vault.find(first.key.id)).toEqual({ ...first.key, used: true });
      expect(await vault.open(first.key)).toEqual(first.secret);
      expect(await vault.add(next.key, next.secret, AT)).toEqual(next.key);
    });

    test('of many added at once one stays', async () => {
      const keys = Array.from({ length: 10 }, () => newKey());
      const added = await Promise.all(
        keys.map(({ key, secret }, index) => (index % 2 === 0 ? vault : second).add(key, secret, AT)),
      );
      expect(new Set(added.map(({ id }) => id)).size).toBe(1);
    });
  });
}
