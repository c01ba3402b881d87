import { expect, test } from 'bun:test';
import { SignetError } from '../../../src/core/errors/index.ts';
import { formatScope, type Scope } from '../../../src/core/scope.ts';
import { AuthorizationRequired } from '../../../src/http/gate.ts';
import { failure } from '../../support/failure.ts';
import { random } from '../../support/random.ts';
import { ask } from '../../support/routes.ts';
import { ANYONE, GUN, Owner, type Reply, stranger, TestServer, user } from '../fixture.ts';

const NOT_FOUND =
  '{"errors":[{"code":"METADATA_NOT_FOUND","message":"You have requested metadata that does not exist."}]}\n';
const NOT_STORED =
  '{"errors":[{"code":"METADATA_NOT_FOUND","message":"You have requested metadata that does not exist.","detail":{}}]}\n';
const BASE = `/v2/${GUN}/_trust/tuf/`;
const SHA = 'a'.repeat(64);

function short({ status, text }: Reply): [number, string] {
  return [status, text];
}

async function isAnswered(server: TestServer, path: string): Promise<boolean> {
  const url = new URL(path, 'https://trust.example.com');
  return (await ask(server.server.routes, new Request(url.href), stranger()).catch(() => true)) !== undefined;
}

test.each([
  '/',
  '/v2',
  '/v2/',
  '/v2/_catalog',
  '/v2/app/manifests/latest',
  '/v2/app/_trust',
  '/_trust/tuf/root.json',
  '/auth/token',
  '/v1/app/_trust/tuf/root.json',
  '/_notary_server/health',
])('leaves %s to others', async (path) => {
  expect(await isAnswered(new TestServer(), path)).toBe(false);
});

test('errors are typed, and end in a line break', async () => {
  const reply = await new TestServer().get('root.json');
  expect(short(reply)).toEqual([404, NOT_STORED]);
  expect(reply.headers.get('Content-Type')).toBe('application/json; charset=utf-8');
  expect(reply.headers.get('Cache-Control')).toBeNull();
});

test.each([
  'root.json',
  'timestamp.json',
  'snapshot.json',
  'targets.json',
  'targets/releases.json',
  '1.root.json',
  '0.root.json',
  '007.targets/releases.json',
  '9007199254740993.root.json',
  '9223372036854775807.root.json',
  `root.${SHA}.json`,
  `root.${SHA.toUpperCase()}.json`,
  `root.${'a'.repeat(96)}.json`,
  `root.${'a'.repeat(128)}.json`,
  `targets/releases.${SHA}.json`,
  'targets/A.json',
  'targets/a.b.json',
  'targets/%2e%2e%2froot.json',
  'targets/..%2f..%2froot.json',
  `targets/${'a'.repeat(300)}.json`,
])('%s is not stored', async (name) => {
  expect(short(await new TestServer().get(name))).toEqual([404, NOT_STORED]);
});

test('a version that is no 64-bit number is not stored either, in the words of Go', async () => {
  for (const number of ['9223372036854775808', '99999999999999999999999']) {
    const detail = `{"Func":"Atoi","Num":"${number}","Err":{}}`;
    const text = NOT_STORED.replace('"detail":{}', `"detail":${detail}`);
    expect(short(await new TestServer().get(`${number}.root.json`))).toEqual([404, text]);
  }
});

test.each([
  '',
  'root',
  'root.key',
  'targets.key',
  'targets/releases.key',
  'timestamp',
  'timestamp.json/',
  'Root.json',
  'mirror.json',
  `root.${'a'.repeat(63)}.json`,
  `root.${SHA}.txt`,
  '-1.root.json',
  '1.5.root.json',
  'root.json%0a',
  '%zz.json',
  'targets/a%20b.json',
  `targets/${'a/'.repeat(1500)}b.json`,
])('%j is no route', async (name) => {
  expect(short(await new TestServer().get(name))).toEqual([404, NOT_FOUND]);
});

test.each(['1'.repeat(2000), `targets/${'a.'.repeat(900)}`, `targets${'/a'.repeat(900)}`, `root.${'a'.repeat(1900)}`])(
  'a name made to be slow is refused like any other',
  async (name) => {
    expect((await new TestServer().get(`${name}!`)).status).toBe(404);
  },
);

test.each(['PUT', 'HEAD'])('%s is not found, like every other unknown route', async (method) => {
  expect((await new TestServer().send(method, `${BASE}root.json`)).status).toBe(404);
});

test.each(['PATCH', 'OPTIONS', 'PROPFIND'])('%s is not allowed, without a body', async (method) => {
  const reply = await new TestServer().send(method, `${BASE}root.json`);
  expect(short(reply)).toEqual([405, '']);
});

test.each([
  ['GET', '/v2/_trust/tuf/root.json'],
  ['POST', '/v2/_trust/tuf/'],
  ['POST', '/v2/_trust/changefeed'],
  ['POST', `${BASE}root.json`],
  ['DELETE', `${BASE}root.json`],
  ['GET', `/v2/${GUN}/_trust/changefeed/`],
  ['POST', `/v2/${GUN}/_trust/changefeed`],
])('%s %s is no route', async (method, path) => {
  expect(short(await new TestServer().send(method, path))).toEqual([404, NOT_FOUND]);
});

test.each([
  'a/_trust/tuf/b',
  '_trust',
  'a b',
  'a/*',
  'a/..%2fb',
  '..%2fb',
  'a%00b',
  'a%0ab',
  'a%5cb',
  '%252e%252e/b',
  'ä',
  'a'.repeat(256),
  'a/%2fb',
])('the GUN %j is refused', async (gun) => {
  const server = new TestServer();
  const wanted: Scope[] = [];
  const gate = user('mallory', wanted);
  const reply = await server.send('GET', `/v2/${gun}/_trust/tuf/root.json`, { gate });
  expect(reply.status).toBe(404);
  expect(wanted.every(({ name }) => name === 'catalog')).toBe(true);
  const posted = await server.send('POST', `/v2/${gun}/_trust/tuf/`, { gate, body: 'x' });
  expect([400, 404]).toContain(posted.status);
  expect(wanted.every(({ name }) => name === 'catalog')).toBe(true);
});

test('dot segments are resolved before anyone is asked for permission', async () => {
  const wanted: Scope[] = [];
  const path = '/v2/public/app/%2e%2e/../secret/./app/_trust/tuf/root.json';
  expect((await new TestServer().send('GET', path, { gate: user('mallory', wanted) })).status).toBe(404);
  expect(wanted.map(formatScope)).toEqual(['repository:secret/app:pull']);
  expect(await isAnswered(new TestServer(), '/v2/../app/_trust/tuf/root.json')).toBe(false);
});

test('a publisher learns that the name is not supported', async () => {
  expect(short(await new TestServer().send('POST', '/v2/a%20b/_trust/tuf/', { body: 'x' }))).toEqual([
    400,
    '{"errors":[{"code":"INVALID_GUN","message":"The server does not support actions on images of this name."}]}\n',
  ]);
});

test('names with a port, brackets and capitals are served', async () => {
  const server = new TestServer();
  for (const gun of ['localhost:5000/app', '[::1]:5000/Team_a/app-1.2~x', 'user@host/app+b', 'app']) {
    expect((await server.get('timestamp.key', gun)).status).toBe(200);
    expect((await server.get('timestamp.key', encodeURIComponent(gun))).status).toBe(200);
  }
});

const GET_BY_NAME = ['pull'];
test.each([
  ['POST', '', ['push', 'pull']],
  ['GET', `root.${SHA}.json`, GET_BY_NAME],
  ['GET', '1.root.json', GET_BY_NAME],
  ['GET', 'timestamp.json', GET_BY_NAME],
  ['GET', 'snapshot.key', ['push', 'pull']],
  ['POST', 'timestamp.key', ['*']],
  ['DELETE', '', ['*']],
])('%s %s asks for %j', async (method, name, actions) => {
  const server = new TestServer();
  await new Owner(server).publishFirst();
  const before = server.database.query('SELECT * FROM tuf_files, online_keys').all();
  const wanted: Scope[] = [];
  const gate = stranger(wanted);
  const refused = server.send(method, BASE + name, { gate, ...(method === 'POST' ? { body: 'x' } : {}) });
  await expect(refused).rejects.toBeInstanceOf(AuthorizationRequired);
  expect(wanted).toEqual([{ type: 'repository', name: GUN, actions }]);
  expect(server.database.query('SELECT * FROM tuf_files, online_keys').all()).toEqual(before);
});

test.each([
  ['GET', '/v2/_trust/changefeed?records=1'],
  ['GET', `${BASE}unknown`],
  ['HEAD', `${BASE}root.json`],
  ['PUT', '/v2/_trust/tuf/'],
])('%s %s asks for the catalog', async (method, path) => {
  const wanted: Scope[] = [];
  await expect(new TestServer().send(method, path, { gate: stranger(wanted) })).rejects.toBeInstanceOf(
    AuthorizationRequired,
  );
  expect(wanted.map(formatScope)).toEqual(['registry:catalog:*']);
});

test('the changefeed of a GUN asks for it alone', async () => {
  const wanted: Scope[] = [];
  const path = `/v2/${GUN}/_trust/changefeed?records=1`;
  expect((await new TestServer().send('GET', path, { gate: user('alice', wanted) })).status).toBe(200);
  expect(wanted.map(formatScope)).toEqual([`repository:${GUN}:pull`]);
});

test('names outside the prefixes are refused before anyone is asked to log in', async () => {
  const server = new TestServer({ gunPrefixes: ['registry.example.com:5000/', 'docker.io/acme/'] });
  const wanted: Scope[] = [];
  const gate = stranger(wanted);
  const posted = await server.send('POST', '/v2/docker.io/other/app/_trust/tuf/', { gate, body: 'x' });
  expect(short(posted)).toEqual([
    400,
    '{"errors":[{"code":"INVALID_GUN","message":"The server does not support actions on images of this name.",' +
      '"detail":"Require GUNs with prefix: [registry.example.com:5000/ docker.io/acme/]"}]}\n',
  ]);
  const requests = [
    ['GET', 'root.json'],
    ['GET', '1.root.json'],
    ['GET', `root.${SHA}.json`],
    ['GET', 'snapshot.key'],
    ['POST', 'snapshot.key'],
    ['DELETE', ''],
  ] as const;
  for (const [method, name] of requests) {
    const reply = await server.send(method, `/v2/docker.io/other/app/_trust/tuf/${name}`, { gate });
    expect(short(reply)).toEqual([404, NOT_FOUND]);
  }
  const feed = await server.send('GET', '/v2/docker.io/acme/_trust/changefeed?records=1', { gate });
  expect(short(feed)).toEqual([404, NOT_FOUND]);
  expect(wanted).toEqual([]);
  expect((await server.get('root.json', 'docker.io/acme/app')).text).toBe(NOT_STORED);
});

test.each(['login-throttled', 'login-busy'] as const)('%s is told by who guards the server', async (code) => {
  const refuse = async () => {
    throw new SignetError(code, 'too many failed logins, try again in 1 s');
  };
  const server = new TestServer();
  const gate = { subject: undefined, require: refuse, allows: async () => false };
  await failure(server.send('GET', `${BASE}root.json`, { gate }), code);
  expect(server.log).toEqual([]);
});

test('what no one foresaw is an unknown error, and is logged', async () => {
  const server = new TestServer();
  server.database.run('DROP TABLE tuf_files');
  expect(short(await server.get('1.root.json'))).toEqual([
    500,
    '{"errors":[{"code":"UNKNOWN","message":"unknown error","detail":{}}]}\n',
  ]);
  expect(server.log).toEqual([`GET ${BASE}1.root.json failed`]);
  expect(await server.server.health()).toEqual({ 'DB operational': 'no such table: tuf_files' });
});

test('reports health, and a master key that does not fit the data', async () => {
  const server = new TestServer();
  expect(await server.server.health()).toEqual({});
  await server.get('timestamp.key');
  expect(await server.server.health()).toEqual({});
  server.database.run("UPDATE online_keys SET private = x'0102'");
  const { 'Trust operational': trouble, ...others } = await server.server.health();
  expect(trouble).toStartWith("cannot open the server's key");
  expect(others).toEqual({});
});

test('tells an observer what was answered', async () => {
  const seen: [string, number][] = [];
  const server = new TestServer({ observe: (operation, status) => seen.push([operation, status]) });
  await server.get('root.json');
  await server.get('timestamp.key');
  await server.send('POST', BASE, { body: 'x' });
  await server.send('DELETE', BASE);
  await server.send('GET', '/v2/_trust/changefeed?records=x');
  await server.get('unknown');
  expect(seen).toEqual([
    ['GetRole', 404],
    ['GetKey', 200],
    ['UpdateTUF', 400],
    ['DeleteTUF', 200],
    ['Changefeed', 400],
  ]);
});

test('random paths are answered or left alone, never failed on', async () => {
  const server = new TestServer({ gunPrefixes: ['app/'] });
  const pieces = [
    '/',
    'v2',
    '_trust',
    'tuf',
    'app',
    'root',
    'targets',
    'timestamp',
    '.json',
    '.key',
    '1',
    'changefeed',
    '?records=1',
    '%2f',
    '%2e',
    '%',
    '..',
    'a'.repeat(64),
    '*',
    'ä',
  ];
  const next = random(2026);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(next() * items.length)] as T;
  for (let round = 0; round < 3000; round++) {
    const start = pick(['/v2/app/a/_trust/tuf/', '/v2/app/_trust/', '/v2/_trust/', '/v2/']);
    const path = start + Array.from({ length: next() * 8 }, () => pick(pieces)).join('');
    const method = pick(['GET', 'POST', 'DELETE', 'PUT', 'HEAD', 'PATCH']);
    const url = new URL(path, 'https://trust.example.com');
    const response = await ask(server.server.routes, new Request(url.href, { method }), ANYONE);
    if (response !== undefined) expect([200, 400, 404, 405]).toContain(response.status);
  }
});
