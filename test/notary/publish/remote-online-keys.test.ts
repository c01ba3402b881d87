import { beforeEach, describe, expect, test } from 'bun:test';
import { SignetError } from '../../../src/core/errors/index.ts';
import { generatePrivateKey, type PrivateKey } from '../../../src/core/keys/private-key.ts';
import type { PublicKey } from '../../../src/core/keys/public-key.ts';
import { type Gun, parseGun } from '../../../src/core/names/gun.ts';
import type { KeyId } from '../../../src/core/names/key-id.ts';
import { verifySignature } from '../../../src/core/signature.ts';
import type { RemoteSigner } from '../../../src/notary/grpc/remote-signer.ts';
import { LocalOnlineKeys } from '../../../src/notary/publish/local-online-keys.ts';
import { RemoteOnlineKeys } from '../../../src/notary/publish/remote-online-keys.ts';
import { Vault } from '../../../src/notary/publish/seal.ts';
import { SealedKeyVault } from '../../../src/notary/publish/sealed-key-vault.ts';
import type { OnlineKeyType, OnlineRole } from '../../../src/notary/store/online-key-store.ts';
import { ONLINE_KEY_MIGRATIONS, SqliteOnlineKeyStore } from '../../../src/notary/store/sqlite-online-key-store.ts';
import { IN_MEMORY, openDatabase } from '../../../src/store/sqlite.ts';
import { failure } from '../../support/failure.ts';
import { GUN, MASTER_KEY } from '../fixture.ts';

const MALLORYS = parseGun('registry.example.com/mallory/app');
const MESSAGE = Buffer.from('{"_type":"Timestamp"}');

/** A signer in memory: every request for a key makes a new one, as those of Notary without a database do. */
class MemorySigner implements RemoteSigner {
  readonly keys = new Map<KeyId, PrivateKey>();
  readonly asked: string[] = [];
  failure: SignetError | undefined;

  async createKey(type: OnlineKeyType, gun: Gun, role: OnlineRole): Promise<PublicKey> {
    this.note(`create ${type} ${gun} ${role}`);
    return this.add(generatePrivateKey(type));
  }

  add(key: PrivateKey): PublicKey {
    this.keys.set(key.id, key);
    return key.publicKey;
  }

  async find(id: KeyId): Promise<PublicKey | undefined> {
    this.note(`find ${id}`);
    return this.keys.get(id)?.publicKey;
  }

  async sign(key: PublicKey, message: Uint8Array) {
    this.note(`sign ${key.id}`);
    return this.keys.get(key.id)?.sign(message);
  }

  async check(): Promise<void> {
    this.note('check');
  }

  close(): void {}

  private note(what: string): void {
    this.asked.push(what);
    if (this.failure !== undefined) throw this.failure;
  }
}

let signer: MemorySigner;
let store: SqliteOnlineKeyStore;
let proven: Map<Gun, Map<KeyId, OnlineRole>>;
let local: LocalOnlineKeys;
let keys: RemoteOnlineKeys;

beforeEach(() => {
  signer = new MemorySigner();
  store = new SqliteOnlineKeyStore(openDatabase(IN_MEMORY, ONLINE_KEY_MIGRATIONS));
  proven = new Map();
  local = new LocalOnlineKeys(new SealedKeyVault(store, new Vault(MASTER_KEY)), 'ed25519', () => 1000);
  keys = remote(local);
});

function remote(former: LocalOnlineKeys | undefined): RemoteOnlineKeys {
  const provenOf = async (gun: Gun) => proven.get(gun) ?? new Map<KeyId, OnlineRole>();
  return new RemoteOnlineKeys({
    ...{ signer, store, local: former, type: 'ecdsa', proven: provenOf, clock: () => 1000 },
  });
}

test('the signer makes one key for a GUN and a role until something that it signed is stored', async () => {
  const first = await keys.next(GUN, 'timestamp', []);
  expect((await keys.current(GUN, 'timestamp', [])).id).toBe(first.id);
  expect((await keys.next(GUN, 'timestamp', [])).id).toBe(first.id);
  expect(signer.asked).toEqual([`create ecdsa ${GUN} timestamp`]);
  const signing = keys.signer(GUN);
  const signature = await signing.sign(first.id, MESSAGE);
  expect(signature !== undefined && verifySignature(first, signature, MESSAGE)).toBe(true);
  expect((await keys.next(GUN, 'timestamp', [first.id])).id).not.toBe(first.id);
  expect((await keys.current(GUN, 'timestamp', [first.id])).id).toBe(first.id);
});

test('a key that signed what is stored is no unused one', async () => {
  const { id } = await keys.next(GUN, 'snapshot', []);
  const signing = keys.signer(GUN);
  await signing.sign(id, MESSAGE);
  expect(await keys.signer(GUN, 'unused').sign(id, MESSAGE)).toBeDefined();
  await signing.settle();
  expect(await keys.signer(GUN, 'unused').sign(id, MESSAGE)).toBeUndefined();
  expect((await keys.next(GUN, 'snapshot', [])).id).not.toBe(id);
});

test('a key that the signer has lost signs nothing', async () => {
  const { id } = await keys.next(GUN, 'timestamp', []);
  signer.keys.clear();
  expect(await keys.signer(GUN).sign(id, MESSAGE)).toBeUndefined();
});

describe('the keys of another repository', () => {
  test('sign for no other, whatever its root lists', async () => {
    const { id } = await keys.next(GUN, 'timestamp', []);
    expect(await keys.signer(MALLORYS).sign(id, MESSAGE)).toBeUndefined();
    expect((await keys.current(MALLORYS, 'timestamp', [id])).id).not.toBe(id);
    expect(signer.asked.filter((what) => what.startsWith('sign'))).toEqual([]);
  });

  test('that no one has noted here are of the repository that they have signed for, and of no other', async () => {
    const taken = signer.add(generatePrivateKey('ecdsa'));
    expect(await keys.signer(MALLORYS).sign(taken.id, MESSAGE)).toBeUndefined();
    expect(signer.asked).toEqual([]);
    proven.set(GUN, new Map([[taken.id, 'timestamp']]));
    expect((await keys.current(GUN, 'timestamp', [taken.id])).id).toBe(taken.id);
    expect(await keys.signer(GUN).sign(taken.id, MESSAGE)).toBeDefined();
    expect(await store.find(taken.id)).toMatchObject({ gun: GUN, role: 'timestamp', used: true, sealed: Buffer.of() });
    // Noted once, it stays: what a root of another repository says later counts for nothing.
    proven.set(MALLORYS, new Map([[taken.id, 'timestamp']]));
    expect(await keys.signer(MALLORYS).sign(taken.id, MESSAGE)).toBeUndefined();
  });
});

describe('keys that were sealed here before', () => {
  test('go on until they are rotated', async () => {
    const sealed = await local.next(GUN, 'timestamp', []);
    const signing = keys.signer(GUN);
    expect((await keys.current(GUN, 'timestamp', [sealed.id])).id).toBe(sealed.id);
    const signature = await signing.sign(sealed.id, MESSAGE);
    expect(signature !== undefined && verifySignature(sealed, signature, MESSAGE)).toBe(true);
    await signing.settle();
    expect((await store.find(sealed.id))?.used).toBe(true);
    expect((await keys.next(GUN, 'timestamp', [sealed.id])).type).toBe('ecdsa');
    expect(signer.asked).toEqual([`create ecdsa ${GUN} timestamp`]);
  });

  test('and never published are no new keys', async () => {
    const same = new LocalOnlineKeys(new SealedKeyVault(store, new Vault(MASTER_KEY)), 'ecdsa', () => 1000);
    const sealed = await same.next(GUN, 'timestamp', []);
    expect((await keys.next(GUN, 'timestamp', [])).id).not.toBe(sealed.id);
    expect(signer.keys.size).toBe(1);
  });

  test('of a signer are not those of a server that holds its keys itself again', async () => {
    const remoteKey = await keys.next(GUN, 'timestamp', []);
    const own = new LocalOnlineKeys(new SealedKeyVault(store, new Vault(MASTER_KEY)), 'ecdsa', () => 1000);
    expect(await own.signer(GUN).sign(remoteKey.id, MESSAGE)).toBeUndefined();
    expect((await own.current(GUN, 'timestamp', [remoteKey.id])).id).not.toBe(remoteKey.id);
    await own.check();
  });
});

test('what is wrong with the signer is said by every call, and by the health', async () => {
  const { id } = await keys.next(GUN, 'timestamp', []);
  signer.failure = new SignetError('signer-unreachable', 'cannot reach the signer');
  await failure(keys.signer(GUN).sign(id, MESSAGE), 'signer-unreachable');
  await failure(keys.next(GUN, 'snapshot', []), 'signer-unreachable');
  await failure(keys.check(), 'signer-unreachable');
  expect(await store.pending(GUN, 'snapshot', 'ecdsa')).toBeUndefined();
});
