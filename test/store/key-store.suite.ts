import { describe, expect, test } from 'bun:test';
import { openKeyFile, sealKey } from '../../src/core/keys/key-file.ts';
import { generatePrivateKey } from '../../src/core/keys/private-key.ts';
import { parseGun } from '../../src/core/names/gun.ts';
import type { KeyStore } from '../../src/store/key-store.ts';
import { failure } from '../support/failure.ts';

const GUN = parseGun('reg.example:5000/team/app');
const NONE = Buffer.alloc(0);

/** What every key store does. `make` gives an empty one. */
export function keyStoreSuite(name: string, make: () => KeyStore): void {
  describe(name, () => {
    test('lists what was added, without opening it', async () => {
      const store = make();
      expect(await store.list()).toEqual([]);
      const root = generatePrivateKey('ecdsa');
      const targets = generatePrivateKey('ed25519');
      expect(
        await store.add(root.id, sealKey(root, { role: 'root', passphrase: Buffer.from('s3cret'), iterations: 1 })),
      ).toBe(true);
      expect(await store.add(targets.id, sealKey(targets, { role: 'targets', gun: GUN, passphrase: NONE }))).toBe(true);
      const expected = [
        { id: root.id, role: 'root', gun: undefined, encrypted: true },
        { id: targets.id, role: 'targets', gun: GUN, encrypted: false },
      ];
      expect(await store.list()).toEqual(expected.sort((one, other) => (one.id < other.id ? -1 : 1)));
    });

    test('loads what was added, still sealed', async () => {
      const store = make();
      const key = generatePrivateKey('ecdsa');
      const passphrase = Buffer.from('s3cret');
      await store.add(key.id, sealKey(key, { role: 'alice', passphrase, iterations: 1 }));
      const file = await store.load(key.id);
      expect(file).toMatchObject({ role: 'alice', gun: undefined, encrypted: true });
      if (file === undefined) throw new Error('the key is gone');
      expect(openKeyFile(file, passphrase).id).toBe(key.id);
      expect(await store.load(generatePrivateKey('ecdsa').id)).toBeUndefined();
    });

    test('keeps the first of two with the same role, and refuses one with another', async () => {
      const store = make();
      const key = generatePrivateKey('ecdsa');
      await store.add(key.id, sealKey(key, { role: 'alice', passphrase: NONE }));
      expect(
        await store.add(key.id, sealKey(key, { role: 'alice', passphrase: Buffer.from('x'), iterations: 1 })),
      ).toBe(false);
      expect((await store.load(key.id))?.encrypted).toBe(false);
      const error = await failure(
        store.add(key.id, sealKey(key, { role: 'bob', passphrase: NONE })),
        'key-role-conflict',
      );
      expect(error.message).toBe('key with same ID already exists for role: alice');
      expect((await store.load(key.id))?.role).toBe('alice');
    });

    test('refuses what is no key', async () => {
      const store = make();
      const { id } = generatePrivateKey('ecdsa');
      await failure(store.add(id, Buffer.from('no key')), 'key-malformed');
      expect(await store.list()).toEqual([]);
    });

    test('replaces only what is there', async () => {
      const store = make();
      const key = generatePrivateKey('ecdsa');
      const sealed = sealKey(key, { role: 'alice', passphrase: Buffer.from('x'), iterations: 1 });
      const error = await failure(store.replace(key.id, sealed), 'signing-key-missing');
      expect(error.message).toBe(`signing key not found: ${key.id}`);
      await store.add(key.id, sealKey(key, { role: 'alice', passphrase: NONE }));
      await store.replace(key.id, sealed);
      expect((await store.load(key.id))?.encrypted).toBe(true);
    });

    test('removes', async () => {
      const store = make();
      const key = generatePrivateKey('ecdsa');
      await store.add(key.id, sealKey(key, { role: 'alice', passphrase: NONE }));
      expect(await store.remove(key.id)).toBe(true);
      expect(await store.remove(key.id)).toBe(false);
      expect(await store.load(key.id)).toBeUndefined();
      expect(await store.list()).toEqual([]);
    });
  });
}
