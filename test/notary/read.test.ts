import { beforeEach, expect, test } from 'bun:test';
import { RELEASES } from '../../src/core/names/role.ts';
import { DAY, YEAR } from '../../src/core/time.ts';
import { payloadOf, put } from '../support/forgery.ts';
import { ANYONE, GUN, NOW, Owner, type Reply, TARGET, TestServer, user, versionOf } from './fixture.ts';

const FORTNIGHT = 14 * DAY;

let server: TestServer;
let owner: Owner;
beforeEach(async () => {
  server = new TestServer();
  owner = new Owner(server);
  await owner.publishFirst();
});

function caching({ headers }: Reply): (string | null)[] {
  return ['Content-Type', 'Last-Modified', 'Cache-Control', 'Pragma'].map((name) => headers.get(name));
}

async function version(name: string): Promise<number> {
  const { status, text } = await server.get(name);
  return status === 200 ? versionOf(text) : -status;
}

function rows(): number {
  return server.database.query<{ n: number }, []>('SELECT count(*) AS n FROM tuf_files').get()?.n ?? 0;
}

test('a current file has the headers of Notary', async () => {
  for (const role of ['root', 'timestamp', 'snapshot', 'targets']) {
    expect(caching(await server.get(`${role}.json`))).toEqual([
      'text/plain; charset=utf-8',
      'Mon, 23 Nov 2026 12:00:00 GMT',
      'public, max-age=300, s-maxage=300, must-revalidate',
      null,
    ]);
  }
});

test('a file named by checksum or version may be kept for a month', async () => {
  const { files } = await server.server.currentChain(GUN);
  const headers = [
    'text/plain; charset=utf-8',
    'Mon, 23 Nov 2026 12:00:00 GMT',
    'public, max-age=2592000, s-maxage=2592000',
    null,
  ];
  for (const { role, sha256, version, bytes } of files.values()) {
    for (const name of [`${role}.${sha256}.json`, `${version}.${role}.json`, `00${version}.${role}.json`]) {
      const reply = await server.get(name);
      expect([reply.status, reply.text]).toEqual([200, bytes.toString()]);
      expect(caching(reply)).toEqual(headers);
    }
    expect((await server.get(`${role}.${sha256.toUpperCase()}.json`)).status).toBe(404);
  }
});

test('what a user with a name gets is for him alone', async () => {
  const path = `/v2/${GUN}/_trust/tuf`;
  const gate = user('alice');
  const current = await server.send('GET', `${path}/timestamp.json`, { gate });
  expect(current.headers.get('Cache-Control')).toBe('private, max-age=300, must-revalidate');
  const consistent = await server.send('GET', `${path}/1.root.json`, { gate });
  expect(consistent.headers.get('Cache-Control')).toBe('private, max-age=2592000');
});

test('caching can be switched off', async () => {
  const uncached = new TestServer({ maxAge: { current: 0, consistent: 60 } });
  await new Owner(uncached).publishFirst();
  expect(caching(await uncached.get('root.json')).slice(2)).toEqual(['max-age=0, no-cache, no-store', 'no-cache']);
  expect(caching(await uncached.get('1.root.json')).slice(2)).toEqual(['public, max-age=60, s-maxage=60', null]);
});

test('there are no conditional answers', async () => {
  const headers = { 'If-None-Match': '*', 'If-Modified-Since': 'Mon, 23 Nov 2036 12:00:00 GMT' };
  const reply = await server.send('GET', `/v2/${GUN}/_trust/tuf/root.json`, { headers });
  expect(reply.status).toBe(200);
  expect(reply.headers.get('ETag')).toBeNull();
});

test('a role that the snapshot does not list is not there, though it was published', async () => {
  const own = new TestServer();
  const client = new Owner(own);
  await client.publishFirst({ ownSnapshotKey: true });
  await client.edit((editor) => {
    editor.addDelegation(RELEASES, [client.newKey()], ['']);
    editor.addTarget(RELEASES, 'v1', TARGET);
  });
  expect((await own.get('targets/releases.json')).status).toBe(200);
  // Notary's own client takes the entry out of a snapshot that it signs; Signet leaves it in.
  const files = await client.edited((editor) => editor.removeDelegation(RELEASES));
  const listing = put(['meta', RELEASES], undefined)(payloadOf(files.get('snapshot') ?? Buffer.of()));
  await client.expectPublished(new Map([...files, ['snapshot', await client.sealed('snapshot', listing)]]));
  expect((await own.get('targets/releases.json')).status).toBe(404);
  expect((await own.get('1.targets/releases.json')).status).toBe(200);
  expect((await own.server.currentChain(GUN)).files.has(RELEASES)).toBe(false);
});

test('the chain is the same whether it is read from memory or from the store', async () => {
  const fromMemory = await server.server.currentChain(GUN);
  expect(await server.server.currentChain(GUN)).toBe(fromMemory);
  const elsewhere = new TestServer({ cacheBytes: 0 });
  await new Owner(elsewhere).publishFirst();
  const chain = await elsewhere.server.currentChain(GUN);
  expect(await elsewhere.server.currentChain(GUN)).not.toBe(chain);
  expect(await elsewhere.server.currentChain(GUN)).toEqual(chain);
  expect([...fromMemory.files.keys()].sort()).toEqual(['root', 'snapshot', 'targets', 'timestamp']);
});

test('deleting takes everything of the GUN and nothing of one that begins alike', async () => {
  const path = `/v2/${GUN}/_trust/tuf/`;
  const neighbour = `${GUN}2`;
  await server.get('timestamp.key', neighbour);
  const other = new Owner(server, `${GUN}2` as typeof GUN);
  await other.publishFirst();
  const reply = await server.send('DELETE', path);
  expect([reply.status, reply.text, reply.headers.get('Content-Length')]).toEqual([200, '', '0']);
  for (const name of ['root.json', 'timestamp.json', '1.root.json']) expect((await server.get(name)).status).toBe(404);
  expect((await server.server.currentChain(GUN)).files.size).toBe(0);
  await other.load();
  const before = server.log.length;
  expect((await server.send('DELETE', path)).status).toBe(200);
  expect(server.log).toHaveLength(before);
});

test('a deleted repository can be published again', async () => {
  await server.send('DELETE', `/v2/${GUN}/_trust/tuf/`);
  const again = new Owner(server);
  await again.publishFirst();
  expect((await again.load()).timestamp.payload.version).toBe(1);
});

// Refresh

test('nothing is renewed up to the last moment of validity', async () => {
  server.now = NOW + FORTNIGHT;
  expect(await version('timestamp.json')).toBe(1);
  expect(rows()).toBe(4);
});

test('an expired timestamp is renewed when it is read', async () => {
  server.now = NOW + FORTNIGHT + 1;
  for (const role of ['root', 'targets']) expect(await version(`${role}.json`)).toBe(1);
  expect(rows()).toBe(4);
  expect(await version('timestamp.json')).toBe(2);
  expect(await version('timestamp.json')).toBe(2);
  expect(await version('snapshot.json')).toBe(1);
  expect(rows()).toBe(5);
  await owner.load();
  const { text } = await server.send('GET', `/v2/${GUN}/_trust/changefeed?records=10`);
  expect((JSON.parse(text) as { records: { Version: number }[] }).records.map(({ Version }) => Version)).toEqual([
    1, 2,
  ]);
});

test('an expired snapshot is renewed, and the timestamp with it', async () => {
  server.now = NOW + 3 * YEAR + 1;
  const { files } = await server.server.currentChain(GUN);
  expect([files.get('root'), files.get('targets')].map((file) => file?.version)).toEqual([1, 1]);
  expect([files.get('snapshot'), files.get('timestamp')].map((file) => file?.version)).toEqual([2, 2]);
  expect(await version('snapshot.json')).toBe(2);
});

test('of many readers of an expired timestamp one renews it', async () => {
  server.now = NOW + FORTNIGHT + 1;
  const replies = await Promise.all(Array.from({ length: 20 }, () => server.get('timestamp.json')));
  expect(new Set(replies.map(({ text }) => text)).size).toBe(1);
  expect(replies.map(({ text }) => versionOf(text))).toEqual(replies.map(() => 2));
  expect(rows()).toBe(5);
});

test('where the snapshot key is a client\u2019s, its expired snapshot is served as it is', async () => {
  const own = new TestServer();
  await new Owner(own).publishFirst({ ownSnapshotKey: true });
  own.now = NOW + 3 * YEAR + 1;
  expect(versionOf((await own.get('snapshot.json')).text)).toBe(1);
  expect(versionOf((await own.get('timestamp.json')).text)).toBe(1);
  expect(own.log.at(-1)).toBe(`cannot renew the timestamp of ${GUN}`);
});

test('where the root has expired, what is there is served', async () => {
  server.now = NOW + 10 * YEAR + 1;
  for (const name of ['root.json', 'timestamp.json', 'snapshot.json', 'targets.json']) {
    expect((await server.get(name)).status).toBe(200);
  }
});

test('a caller who may not read sees nothing of a refresh either', async () => {
  server.now = NOW + FORTNIGHT + 1;
  const gate = { ...ANYONE, require: () => Promise.reject(new Error('no')) };
  await server.send('GET', `/v2/${GUN}/_trust/tuf/timestamp.json`, { gate });
  expect(rows()).toBe(4);
});
