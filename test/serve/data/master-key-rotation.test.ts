import { beforeEach, expect, test } from 'bun:test';
import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PublicKey } from '../../../src/core/keys/public-key.ts';
import { parseGun } from '../../../src/core/names/gun.ts';
import { LocalOnlineKeys } from '../../../src/notary/publish/local-online-keys.ts';
import { Vault } from '../../../src/notary/publish/seal.ts';
import { SealedKeyVault } from '../../../src/notary/publish/sealed-key-vault.ts';
import type { SealedKey } from '../../../src/notary/store/online-key-store.ts';
import { ONLINE_KEY_MIGRATIONS, SqliteOnlineKeyStore } from '../../../src/notary/store/sqlite-online-key-store.ts';
import { readMasterKey } from '../../../src/serve/data/master-key.ts';
import { rotateMasterKey, settleMasterKey } from '../../../src/serve/data/master-key-rotation.ts';
import { IN_MEMORY, openDatabase } from '../../../src/store/sqlite.ts';
import { failure } from '../../support/failure.ts';
import { temporaryFolder } from '../../support/temp.ts';

const [GUN, OTHER] = [parseGun('example.com/one'), parseGun('example.com/two')];
const MESSAGE = Buffer.from('a payload');
const OLD = `${Buffer.alloc(32, 7).toString('base64')}\n`;

let path: string;
let next: string;
let store: SqliteOnlineKeyStore;
let made: readonly PublicKey[];

beforeEach(async () => {
  path = join(temporaryFolder(), 'master.key');
  next = `${path}.next`;
  writeFileSync(path, OLD, { mode: 0o600 });
  store = new SqliteOnlineKeyStore(openDatabase(IN_MEMORY, ONLINE_KEY_MIGRATIONS));
  made = [await keys().next(GUN, 'timestamp', []), await keys().next(OTHER, 'snapshot', [])];
});

const keys = () => new LocalOnlineKeys(new SealedKeyVault(store, new Vault(readMasterKey(path))), 'ecdsa', () => 1000);

async function allSign(): Promise<boolean> {
  const [one, other] = made;
  if (one === undefined || other === undefined) return false;
  const signed = [await keys().signer(GUN).sign(one.id, MESSAGE), await keys().signer(OTHER).sign(other.id, MESSAGE)];
  return signed.every((signature) => signature !== undefined);
}

test('seals every key under a new master key, which takes the place of the old one', async () => {
  expect(await rotateMasterKey({ path, store })).toBe(2);
  expect(readFileSync(path, 'utf8')).not.toBe(OLD);
  expect([statSync(path).mode & 0o777, existsSync(next)]).toEqual([0o600, false]);
  expect(await allSign()).toBe(true);
  const former = new LocalOnlineKeys(new SealedKeyVault(store, new Vault(Buffer.alloc(32, 7))), 'ecdsa', () => 1000);
  await failure(former.check(), 'online-key-unreadable');
});

test('a place without keys gets a new master key all the same', async () => {
  store = new SqliteOnlineKeyStore(openDatabase(IN_MEMORY, ONLINE_KEY_MIGRATIONS));
  expect(await rotateMasterKey({ path, store })).toBe(0);
  expect(readFileSync(path, 'utf8')).not.toBe(OLD);
});

test('with a master key that does not open a key, changes nothing', async () => {
  writeFileSync(path, `${Buffer.alloc(32, 8).toString('base64')}\n`);
  await failure(rotateMasterKey({ path, store }), 'online-key-unreadable');
  expect(existsSync(next)).toBe(false);
  writeFileSync(path, OLD);
  expect(await allSign()).toBe(true);
  await failure(rotateMasterKey({ path: `${path}.missing`, store }), 'master-key-unreadable');
});

test('cut short before the database took anything, the old master key stays', async () => {
  const failing = Object.assign(Object.create(store), {
    resealAll: async () => {
      throw new Error('killed');
    },
  });
  await expect(rotateMasterKey({ path, store: failing })).rejects.toThrow('killed');
  expect(existsSync(next)).toBe(false);
  writeFileSync(next, `${Buffer.alloc(32, 9).toString('base64')}\n`);
  await settleMasterKey({ path, store });
  expect([readFileSync(path, 'utf8'), existsSync(next)]).toEqual([OLD, false]);
  expect(await allSign()).toBe(true);
});

test('cut short after the database took everything, the new one is put in its place', async () => {
  await rotateMasterKey({ path, store });
  renameSync(path, next);
  writeFileSync(path, OLD);
  await settleMasterKey({ path, store });
  expect(existsSync(next)).toBe(false);
  expect(await allSign()).toBe(true);
});

test('keys that live elsewhere stay as they are', async () => {
  const remote: SealedKey = {
    ...{ id: (await keys().next(GUN, 'snapshot', [])).id, gun: GUN, role: 'snapshot', type: 'ecdsa' },
    ...{ publicBytes: Buffer.of(1), sealed: Buffer.of(), used: true },
  };
  await store.remove(remote.id);
  await store.add(remote, 1);
  expect(await rotateMasterKey({ path, store })).toBe(2);
  expect(await store.find(remote.id)).toEqual(remote);
});
