import { beforeEach, expect, test } from 'bun:test';
import { parseGun } from '../../../src/core/names/gun.ts';
import { parseChangeQuery } from '../../../src/notary/http/changefeed.ts';
import { GUN, Owner, TestServer } from '../fixture.ts';

const OTHER = parseGun('registry.example.com:5000/acme/app/other');

let server: TestServer;
beforeEach(() => {
  server = new TestServer();
});

async function ask(query: string, gun?: string): Promise<[number, string]> {
  const { status, text } = await server.send(
    'GET',
    `/v2/${gun === undefined ? '' : `${gun}/`}_trust/changefeed${query}`,
  );
  return [status, text];
}

async function versions(query: string, gun?: string): Promise<[string, number][]> {
  const [, text] = await ask(query, gun);
  const { count, records } = JSON.parse(text) as { count: number; records: { GUN: string; Version: number }[] };
  expect(count).toBe(records.length);
  return records.map(({ GUN, Version }) => [GUN === OTHER ? 'other' : 'app', Version]);
}

function refused(why: string): [number, string] {
  const error = `"code":"INVALID_PARAMETERS","message":"The parameters provided are not valid.","detail":${why}`;
  return [400, `{"errors":[{${error}}]}\n`];
}

test('an empty feed', async () => {
  expect(await ask('?records=10')).toEqual([200, '{"count":0,"records":[]}']);
  expect(await ask('?records=10', GUN)).toEqual([200, '{"count":0,"records":[]}']);
});

test('a record has the members of Go, in their order', async () => {
  await new Owner(server).publishFirst();
  const sha256 = (await server.server.currentChain(GUN)).files.get('timestamp')?.sha256;
  const record = `{"ID":"1","CreatedAt":"2026-11-23T12:00:00.000Z","GUN":"${GUN}","Version":1,"SHA256":"${sha256}","Category":"update"}`;
  expect(await ask('?records=10')).toEqual([200, `{"count":1,"records":[${record}]}`]);
  await server.send('DELETE', `/v2/${GUN}/_trust/tuf/`);
  const deletion = `{"ID":"2","CreatedAt":"2026-11-23T12:00:00.000Z","GUN":"${GUN}","Version":0,"SHA256":"","Category":"deletion"}`;
  expect(await ask('?records=10')).toEqual([200, `{"count":2,"records":[${record},${deletion}]}`]);
});

test('pages forwards and backwards, over all GUNs or one', async () => {
  const [app, other] = [new Owner(server), new Owner(server, OTHER)];
  await app.publishFirst();
  await other.publishFirst();
  await app.addTag('a');
  await other.addTag('a');
  await app.addTag('b');
  const all = [
    ['app', 1],
    ['other', 1],
    ['app', 2],
    ['other', 2],
    ['app', 3],
  ];
  expect(await versions('?records=0')).toEqual(all as [string, number][]);
  expect(await versions('?records=2')).toEqual(all.slice(0, 2) as [string, number][]);
  expect(await versions('?records=2&change_id=2')).toEqual(all.slice(2, 4) as [string, number][]);
  expect(await versions('?records=-2')).toEqual(all.slice(3) as [string, number][]);
  expect(await versions('?records=-2&change_id=4')).toEqual(all.slice(1, 3) as [string, number][]);
  expect(await versions('?records=3&change_id=-1')).toEqual(all.slice(2) as [string, number][]);
  expect(await versions('?records=9', OTHER)).toEqual([
    ['other', 1],
    ['other', 2],
  ]);
  expect(await versions('?records=-1', OTHER)).toEqual([['other', 2]]);
});

test.each([
  ['', '"invalid records parameter: strconv.ParseInt: parsing \\"\\": invalid syntax"'],
  ['?records=', '"invalid records parameter: strconv.ParseInt: parsing \\"\\": invalid syntax"'],
  ['?records=ten', '"invalid records parameter: strconv.ParseInt: parsing \\"ten\\": invalid syntax"'],
  ['?records=1.5', '"invalid records parameter: strconv.ParseInt: parsing \\"1.5\\": invalid syntax"'],
  ['?records=0x10', '"invalid records parameter: strconv.ParseInt: parsing \\"0x10\\": invalid syntax"'],
  [
    '?records=2147483648',
    '"invalid records parameter: strconv.ParseInt: parsing \\"2147483648\\": value out of range"',
  ],
  ['?records=1&change_id=x', '{}'],
  ['?records=1&change_id=99999999999', '{}'],
])('refuses %j', async (query, detail) => {
  expect(await ask(query)).toEqual(refused(detail));
});

test.each([
  ['records=0', 'after', 0, 100],
  ['records=%2B5&change_id=7', 'after', 7, 5],
  ['records=-5', 'before', 0, 5],
  ['records=5&change_id=-3', 'before', 0, 5],
  ['records=2147483647', 'after', 0, 1000],
  ['records=-2147483648&change_id=9', 'before', 9, 1000],
] as const)('%s asks for the records %s %d, at most %d', (query, direction, id, limit) => {
  expect(parseChangeQuery(new URLSearchParams(query), undefined)).toEqual({ direction, id, limit });
  expect(parseChangeQuery(new URLSearchParams(query), GUN)).toEqual({ gun: GUN, direction, id, limit });
});
