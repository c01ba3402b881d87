import { Database } from 'bun:sqlite';
import { afterAll, expect, test } from 'bun:test';
import { join } from 'node:path';
import { recordEvent } from '../../src/accounts/store/sqlite-account-events.ts';
import { digestOf } from '../../src/core/names/digest.ts';
import { dataFolder } from '../../src/serve/data/data-folder.ts';
import { content, image, OCI_MANIFEST } from '../registry/fixture.ts';
import { atEnd } from '../support/cleanup.ts';
import { target } from '../support/simulator.ts';
import { Publisher } from './attacks/victim.ts';
import { request, startTestServer } from './fixture.ts';

// Another process that holds the database's write lock: a backup, a shell, a program that hangs.

const LOCKER = `
const { Database } = require('bun:sqlite');
const database = new Database(process.argv.at(-1));
database.run('PRAGMA busy_timeout = 5000');
database.run('BEGIN IMMEDIATE');
console.log('locked');
process.stdin.on('data', () => {}).on('end', () => process.exit());
`;
const BUSY = {
  errors: [{ code: 'UNAVAILABLE', message: 'another process has locked the database, try again soon' }],
};

let now = Date.now();
const server = await startTestServer({ auth: false, gcGrace: 60 }, { now: () => now });
const [config, layer] = [Buffer.from('{"architecture":"amd64","os":"linux"}'), content(3, 3000)];
const manifest = image(config, [layer]);
const owner = new Publisher(
  {
    gun: (name) => `localhost:${server.port}/${name}`,
    fetch: (path, init = {}) => request(server, path, init),
    bearer: async () => ({ Authorization: '' }),
  },
  'alice',
  'alice/app',
);
for (const blob of [config, layer]) {
  expect((await send('POST', `blobs/uploads/?digest=${digestOf(blob)}`, blob)).status).toBe(201);
}
expect((await put('1')).status).toBe(201);
await owner.create();

function send(method: string, path: string, body?: Buffer, headers: Record<string, string> = {}): Promise<Response> {
  const init = { method, headers, ...(body === undefined ? {} : { body: new Uint8Array(body) }) };
  return request(server, `/v2/alice/app/${path}`, init);
}

function put(tag: string): Promise<Response> {
  return send('PUT', `manifests/${tag}`, manifest, { 'Content-Type': OCI_MANIFEST });
}

/** Locks the database from another process; the function that it returns ends that. */
async function lock(): Promise<() => Promise<void>> {
  const path = dataFolder(server.settings.data).database;
  const child = Bun.spawn([process.execPath, '-e', LOCKER, path], { stdin: 'pipe', stdout: 'pipe', stderr: 'inherit' });
  const release = async () => {
    await child.stdin.end();
    await child.exited;
  };
  atEnd(release);
  const { value } = await child.stdout.getReader().read();
  expect(Buffer.from(value ?? []).toString()).toBe('locked\n');
  return release;
}

/** Everything that only reads. */
async function readingWorks(): Promise<void> {
  const paths = ['/_signet/health', '/v2/', '/v2/alice/app/tags/list', '/metrics'];
  for (const path of paths) expect([path, (await request(server, path)).status]).toEqual([path, 200]);
  for (const method of ['GET', 'HEAD']) {
    expect((await send(method, 'manifests/1')).status).toBe(200);
    expect((await send(method, `blobs/${digestOf(layer)}`)).status).toBe(200);
  }
  expect((await owner.load()).targets.size).toBe(1);
}

test('writers wait for it while everyone reads, and then go on', async () => {
  const release = await lock();
  let isOver = false;
  const writing = Promise.all([put('2'), put('3'), send('POST', 'blobs/uploads/')]).finally(() => {
    isOver = true;
  });
  // So much later, HEAD would note that it told of what is there.
  now += 30_000;
  await readingWorks();
  expect(isOver).toBe(false);
  await release();
  expect((await writing).map(({ status }) => status)).toEqual([201, 201, 202]);
}, 30_000);

test('writers that wait for too long are told to come again; nothing of theirs is kept', async () => {
  const release = await lock();
  const publish = owner.signed(['a', 'b']).then((file) => owner.post([['targets', file]]));
  const answers = await Promise.all([put('4'), send('POST', 'blobs/uploads/'), send('DELETE', 'manifests/1')]);
  for (const answer of answers) {
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5']);
    expect(await answer.json()).toEqual(BUSY);
  }
  expect(await publish).toBe(503);
  await readingWorks();
  await release();
  expect((await send('HEAD', 'manifests/4')).status).toBe(404);
  expect([...new Bun.Glob('*').scanSync(join(dataFolder(server.settings.data).blobs, 'uploads'))].length).toBe(1);
  expect((await put('4')).status).toBe(201);
  await owner.edit((editor) => editor.addTarget('targets', '2', target(1)));
}, 60_000);

test('a server starts beside it, as its schema is up to date', async () => {
  await server.stop();
  // A change that waits to be logged waits on.
  const database = new Database(dataFolder(server.settings.data).database);
  recordEvent(database, {
    at: 0,
    actor: { name: 'bob', address: '' },
    action: 'user added',
    user: 'carol',
    detail: '',
  });
  database.close();
  const release = await lock();
  const again = await startTestServer({ ...server.settings });
  expect((await request(again, '/v2/alice/app/manifests/1')).status).toBe(200);
  expect(again.logged.filter((line) => line.includes('carol'))).toEqual([]);
  await again.stop();
  await release();
  const last = await startTestServer({ ...server.settings });
  expect(last.logged.filter((line) => line.includes('carol'))).toHaveLength(1);
  await last.stop();
}, 30_000);

afterAll(() => server.stop());
