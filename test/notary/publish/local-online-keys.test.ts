import { beforeEach, expect, test } from 'bun:test';
import { parseGun } from '../../../src/core/names/gun.ts';
import { type KeyId, parseKeyId } from '../../../src/core/names/key-id.ts';
import { verifySignature } from '../../../src/core/signature.ts';
import { LocalOnlineKeys } from '../../../src/notary/publish/local-online-keys.ts';
import { Vault } from '../../../src/notary/publish/seal.ts';
import { SealedKeyVault } from '../../../src/notary/publish/sealed-key-vault.ts';
import type { OnlineKeyType } from '../../../src/notary/store/online-key-store.ts';
import { ONLINE_KEY_MIGRATIONS, SqliteOnlineKeyStore } from '../../../src/notary/store/sqlite-online-key-store.ts';
import { IN_MEMORY, openDatabase } from '../../../src/store/sqlite.ts';
import { codeOf, GUN, MASTER_KEY } from '../fixture.ts';

const OTHER = parseGun('registry.example.com/mallory/app');
const MESSAGE = Buffer.from('{"_type":"Timestamp"}');

let store: SqliteOnlineKeyStore;
let keys: LocalOnlineKeys;
beforeEach(() => {
  store = new SqliteOnlineKeyStore(openDatabase(IN_MEMORY, ONLINE_KEY_MIGRATIONS));
  keys = localKeys();
});

function localKeys(masterKey = MASTER_KEY, type: OnlineKeyType = 'ed25519'): LocalOnlineKeys {
  return new LocalOnlineKeys(new SealedKeyVault(store, new Vault(masterKey)), type, () => 1000);
}

/** Signs something that is stored then. */
async function use(id: KeyId): Promise<void> {
  const signer = keys.signer(GUN);
  await signer.sign(id, MESSAGE);
  await signer.settle();
}

test('asking again gives the same key until something that it signed is stored', async () => {
  const first = await keys.next(GUN, 'timestamp', []);
  expect((await keys.current(GUN, 'timestamp', [])).id).toBe(first.id);
  expect((await keys.next(GUN, 'timestamp', [])).id).toBe(first.id);
  await keys.signer(GUN).sign(first.id, MESSAGE);
  expect((await keys.next(GUN, 'timestamp', [])).id).toBe(first.id);
  await use(first.id);
  const second = await keys.next(GUN, 'timestamp', []);
  expect(second.id).not.toBe(first.id);
  expect((await keys.next(GUN, 'timestamp', [])).id).toBe(second.id);
});

test('a key that the root lists is not given out as a new one, though no one noted that it signed', async () => {
  const first = await keys.next(GUN, 'timestamp', []);
  const second = await keys.next(GUN, 'timestamp', [first.id]);
  expect(second.id).not.toBe(first.id);
  expect((await store.find(first.id))?.used).toBe(true);
  expect((await keys.current(GUN, 'timestamp', [first.id])).id).toBe(first.id);
});

test('every GUN and role has keys of its own', async () => {
  const ids = await Promise.all([
    keys.next(GUN, 'timestamp', []),
    keys.next(GUN, 'snapshot', []),
    keys.next(OTHER, 'timestamp', []),
    keys.next(OTHER, 'snapshot', []),
  ]);
  expect(new Set(ids.map(({ id }) => id)).size).toBe(4);
});

test('the current key is the first listed one that the server has', async () => {
  const first = await keys.next(GUN, 'timestamp', []);
  await use(first.id);
  const second = await keys.next(GUN, 'timestamp', []);
  const unknown = parseKeyId('0'.repeat(64));
  expect((await keys.current(GUN, 'timestamp', [unknown, first.id, second.id])).id).toBe(first.id);
  expect((await keys.current(GUN, 'timestamp', [unknown])).id).toBe(second.id);
});

test.each(['ecdsa', 'ed25519'] as const)('makes and signs with keys of type %s', async (type) => {
  const own = localKeys(MASTER_KEY, type);
  const key = await own.next(GUN, 'snapshot', []);
  expect(key.type).toBe(type);
  const signature = await own.signer(GUN).sign(key.id, MESSAGE);
  expect(signature && verifySignature(key, signature, MESSAGE)).toBe(true);
});

test('a key signs for its own GUN only, also once it is in memory', async () => {
  const key = await keys.next(GUN, 'timestamp', []);
  expect(await keys.signer(OTHER).sign(key.id, MESSAGE)).toBeUndefined();
  expect(await keys.signer(GUN).sign(key.id, MESSAGE)).toBeDefined();
  expect(await keys.signer(OTHER).sign(key.id, MESSAGE)).toBeUndefined();
  expect((await keys.current(OTHER, 'timestamp', [key.id])).id).not.toBe(key.id);
});

test('an unknown key signs nothing', async () => {
  expect(await keys.signer(GUN).sign(parseKeyId('0'.repeat(64)), MESSAGE)).toBeUndefined();
});

test('a key that another process made signs here too', async () => {
  const key = await keys.next(GUN, 'timestamp', []);
  const other = localKeys();
  const signature = await other.signer(GUN).sign(key.id, MESSAGE);
  expect(signature && verifySignature(key, signature, MESSAGE)).toBe(true);
});

test('keeps signing right while more keys are in use than fit into memory', async () => {
  const guns = Array.from({ length: 1100 }, (_, index) => parseGun(`example.com/app${index}`));
  const made = await Promise.all(guns.map((gun) => keys.next(gun, 'timestamp', [])));
  const signAll = () =>
    Promise.all(guns.map((gun, index) => keys.signer(gun).sign(made[index]?.id ?? parseKeyId(''), MESSAGE)));
  const [first, second] = [await signAll(), await signAll()];
  expect(first.every((signature) => signature !== undefined)).toBe(true);
  expect(second).toEqual(first);
});

test('nothing of a private key stands in the store', async () => {
  const key = await keys.next(GUN, 'timestamp', []);
  const stored = await store.find(key.id);
  const opened = new Vault(MASTER_KEY).open(stored?.sealed ?? Buffer.alloc(0), [key.id, GUN, 'timestamp']);
  expect(opened).toHaveLength(96);
  const seed = opened.subarray(32, 64);
  expect(stored?.sealed.includes(seed)).toBe(false);
  expect(stored?.publicBytes.includes(seed)).toBe(false);
});

test('finds out that the master key is another one', async () => {
  const wrong = localKeys(Buffer.alloc(32, 9), 'ed25519');
  await wrong.check();
  const key = await keys.next(GUN, 'timestamp', []);
  await keys.check();
  expect(await codeOf(wrong.check())).toBe('online-key-unreadable');
  expect(await codeOf(wrong.signer(GUN).sign(key.id, MESSAGE))).toBe('online-key-unreadable');
});
