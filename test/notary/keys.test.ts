import { beforeEach, expect, test } from 'bun:test';
import { parseJson } from '../../src/core/json/parse.ts';
import { parsePublicKey } from '../../src/core/keys/public-key.ts';
import { ANYONE, GUN, Owner, type Reply, TestServer } from './fixture.ts';

const BASE = `/v2/${GUN}/_trust/tuf/`;

let server: TestServer;
beforeEach(() => {
  server = new TestServer();
});

function rotate(role: string): Promise<Reply> {
  return server.send('POST', `${BASE}${role}.key`, { gate: ANYONE });
}

test('a key is answered in the order of Go, without a line break', async () => {
  const { status, text, headers } = await server.get('timestamp.key');
  expect(status).toBe(200);
  expect(text).toMatch(/^\{"keytype":"ed25519","keyval":\{"public":"[A-Za-z0-9+/]{43}=","private":null\}\}$/);
  expect(headers.get('Content-Type')).toBe('text/plain; charset=utf-8');
  expect(headers.get('Cache-Control')).toBeNull();
});

test('the server makes ECDSA keys where it is told to', async () => {
  server = new TestServer({ keyType: 'ecdsa' });
  expect((await server.get('snapshot.key')).text).toStartWith('{"keytype":"ecdsa","keyval":{"public":"MFkwEwYH');
  await new Owner(server).publishFirst();
});

test('before the first publish the same keys are given again and again, also to many at once', async () => {
  const replies = await Promise.all(Array.from({ length: 10 }, () => server.get('timestamp.key')));
  expect(new Set(replies.map(({ text }) => text)).size).toBe(1);
  expect((await rotate('timestamp')).text).toBe(replies[0]?.text ?? '');
  expect((await server.get('snapshot.key')).text).not.toBe(replies[0]?.text ?? '');
});

test('once they are in use, GET gives the keys in use and POST new ones', async () => {
  const owner = new Owner(server);
  await owner.publishFirst();
  const inUse = (await server.get('timestamp.key')).text;
  const next = (await rotate('timestamp')).text;
  expect(next).not.toBe(inUse);
  expect((await rotate('timestamp')).text).toBe(next);
  expect((await server.get('timestamp.key')).text).toBe(inUse);
});

test('where the root lists a key that the server does not have, GET gives a new one', async () => {
  const owner = new Owner(server);
  await owner.publishFirst({ ownSnapshotKey: true });
  const [own] = (await owner.load()).root.root.roles.get('snapshot')?.keyIds ?? [];
  const { text } = await server.get('snapshot.key');
  expect(parsePublicKey(parseJson(text), 'key').id).not.toBe(own ?? '');
  expect((await server.get('snapshot.key')).text).toBe(text);
});

test('keys outlive the deletion of the repository (B.9)', async () => {
  const owner = new Owner(server);
  await owner.publishFirst();
  const count = () => server.database.query<{ n: number }, []>('SELECT count(*) AS n FROM online_keys').get()?.n;
  expect(count()).toBe(2);
  await server.send('DELETE', BASE);
  expect(count()).toBe(2);
});

test('private keys are sealed in the database', async () => {
  const owner = new Owner(server);
  await owner.publishFirst();
  const rows = server.database
    .query<{ private: Uint8Array; public: Uint8Array }, []>('SELECT * FROM online_keys')
    .all();
  for (const row of rows) {
    expect(row.private).toHaveLength(1 + 12 + 96 + 16);
    expect(Buffer.from(row.private).includes(Buffer.from(row.public))).toBe(false);
  }
});
