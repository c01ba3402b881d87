import { beforeEach, expect, test } from 'bun:test';
import { CurrentChains } from '../../../src/notary/publish/current-chains.ts';
import { SqliteMetadataStore } from '../../../src/notary/store/sqlite-metadata-store.ts';
import { GUN, Owner, TestServer } from '../fixture.ts';

const CAPACITY = 1024 * 1024;

let server: TestServer;
let owner: Owner;
let store: SqliteMetadataStore;
/** What the store was asked for. */
let asked: string[];
beforeEach(async () => {
  server = new TestServer();
  owner = new Owner(server);
  await owner.publishFirst();
  store = new SqliteMetadataStore(server.database);
  asked = [];
  for (const method of ['revision', 'current'] as const) {
    const original = store[method].bind(store) as (gun: typeof GUN) => Promise<never>;
    store[method] = (gun: typeof GUN) => {
      asked.push(method);
      return original(gun);
    };
  }
});

function chains(isExclusive: boolean): CurrentChains {
  return new CurrentChains({ store, capacity: CAPACITY, isExclusive, onUnreadable: () => {} });
}

async function timestampOf(from: CurrentChains): Promise<number | undefined> {
  return (await from.get(GUN)).files.get('timestamp')?.version;
}

test('a store of this process alone is asked once, and again after a change', async () => {
  const kept = chains(true);
  expect([await timestampOf(kept), await timestampOf(kept)]).toEqual([1, 1]);
  expect(asked.splice(0)).toEqual(['current']);
  await owner.addTag('next');
  kept.changed(GUN);
  expect(kept.kept(GUN)).toBeUndefined();
  expect([await timestampOf(kept), await timestampOf(kept)]).toEqual([2, 2]);
  expect(asked).toEqual(['current']);
  expect(kept.kept(GUN)?.files.get('timestamp')?.version).toBe(2);
});

test('what was read before a change is not kept after it', async () => {
  const kept = chains(true);
  const door = Promise.withResolvers<void>();
  const current = store.current.bind(store);
  store.current = async (gun) => {
    const files = await current(gun);
    await door.promise;
    return files;
  };
  const reading = timestampOf(kept);
  await owner.addTag('next');
  kept.changed(GUN);
  door.resolve();
  expect(await reading).toBe(1);
  expect(await timestampOf(kept)).toBe(2);
});

test('a store that others change too is asked at each read whether it has changed', async () => {
  const shared = chains(false);
  expect([await timestampOf(shared), await timestampOf(shared)]).toEqual([1, 1]);
  await owner.addTag('next');
  expect(await timestampOf(shared)).toBe(2);
  expect(asked).toEqual(['current', 'revision', 'revision', 'current']);
  expect(shared.kept(GUN)).toBeUndefined();
});

test('a name without files is not kept', async () => {
  const kept = chains(true);
  await server.send('DELETE', `/v2/${GUN}/_trust/tuf/`);
  expect([await timestampOf(kept), await timestampOf(kept)]).toEqual([undefined, undefined]);
  expect(asked).toEqual(['current', 'current']);
});

test('a server with a store of its own serves what was just published, renewed or deleted', async () => {
  const alone = new TestServer({ isExclusive: true });
  const publisher = new Owner(alone);
  const version = async () => {
    const { status, text } = await alone.get('timestamp.json');
    return status === 200 ? (JSON.parse(text) as { signed: { version: number } }).signed.version : status;
  };
  expect(await version()).toBe(404);
  await publisher.publishFirst();
  expect([await version(), await version()]).toEqual([1, 1]);
  await publisher.addTag('next');
  expect(await version()).toBe(2);
  alone.now += 20 * 24 * 3600 * 1000;
  expect([await version(), await version()]).toEqual([3, 3]);
  await alone.send('DELETE', `/v2/${GUN}/_trust/tuf/`);
  expect(await version()).toBe(404);
  await new Owner(alone).publishFirst();
  expect(await version()).toBe(1);
});
