import { beforeAll, describe, expect, test } from 'bun:test';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SERVER_ACTOR } from '../../../src/accounts/store/account-events.ts';
import { digestOf } from '../../../src/core/names/digest.ts';
import { dataFolder } from '../../../src/serve/data/data-folder.ts';
import { openStorage } from '../../../src/serve/storage/open-storage.ts';
import type { DatabaseServer } from '../../../src/store/database-url.ts';
import { content, image, OCI_MANIFEST } from '../../registry/fixture.ts';
import { failure } from '../../support/failure.ts';
import { target } from '../../support/simulator.ts';
import { describeSqlServers, emptyDatabaseUrl } from '../../support/sql-databases.ts';
import { temporaryFolder } from '../../support/temp.ts';
import { Publisher } from '../attacks/victim.ts';
import { request, startTestServer, type TestServer } from '../fixture.ts';

const [config, layer] = [Buffer.from('{"architecture":"amd64","os":"linux"}'), content(3, 3000)];
const manifest = image(config, [layer]);

function send(server: TestServer, method: string, path: string, body?: Buffer, type?: string): Promise<Response> {
  return request(server, `/v2/alice/app/${path}`, {
    method,
    ...(type === undefined ? {} : { headers: { 'Content-Type': type } }),
    ...(body === undefined ? {} : { body: new Uint8Array(body) }),
  });
}

async function push(server: TestServer, tag: string): Promise<number> {
  for (const blob of [config, layer]) {
    const { status } = await send(server, 'POST', `blobs/uploads/?digest=${digestOf(blob)}`, blob);
    if (status !== 201) return status;
  }
  return (await send(server, 'PUT', `manifests/${tag}`, manifest, OCI_MANIFEST)).status;
}

function publisher(server: TestServer): Publisher {
  return new Publisher(
    {
      gun: (name) => `localhost/${name}`,
      fetch: (path, init = {}) => request(server, path, init),
      bearer: async () => ({ Authorization: '' }),
    },
    'alice',
    'alice/app',
  );
}

/** A data folder with the keys of another server, and its blobs. */
function replicaOf(server: TestServer): string {
  const [of, data] = [dataFolder(server.settings.data), join(temporaryFolder(), 'data')];
  mkdirSync(data, { mode: 0o700 });
  for (const file of [of.masterKey, of.tokenKey]) cpSync(file, file.replace(of.path, data));
  symlinkSync(of.blobs, dataFolder(data).blobs);
  return data;
}

describeSqlServers((sql) => {
  let url: DatabaseServer;
  let first: TestServer;
  beforeAll(async () => {
    await sql.start();
    url = await emptyDatabaseUrl(sql);
    first = await startTestServer({ database: url, auth: false });
  }, 60_000);

  test('two replicas share one database: what one takes the other gives', async () => {
    const second = await startTestServer({ database: url, auth: false, data: replicaOf(first) });
    expect(await push(first, 'v1')).toBe(201);
    const owner = publisher(first);
    await owner.create();
    expect((await send(second, 'GET', 'manifests/v1')).status).toBe(200);
    const blob = await send(second, 'GET', `blobs/${digestOf(layer)}`);
    expect(digestOf(await blob.bytes())).toBe(digestOf(layer));
    const path = '/v2/localhost/alice/app/_trust/tuf/timestamp.json';
    const [one, other] = await Promise.all([request(first, path), request(second, path)]);
    expect(await other.text()).toBe(await one.text());
    expect(await push(second, 'v2')).toBe(201);
    expect(((await (await send(first, 'GET', 'tags/list')).json()) as { tags: string[] }).tags).toEqual(['v1', 'v2']);
    await owner.edit((editor) => editor.addTarget('targets', 'v2', target(1)));
    expect(await (await request(second, path)).text()).toBe(await (await request(first, path)).text());
    await second.stop();
  }, 60_000);

  test('nothing of it lies in the data folder, which says where it is, without the password', async () => {
    const folder = dataFolder(first.settings.data);
    expect(readFileSync(folder.databaseNote, 'utf8')).toBe(`${url}\n`);
    expect(first.logged.join('')).not.toContain(url.revealPassword());
    expect(() => readFileSync(folder.database)).toThrow('ENOENT');
  });

  test('while the database is away, everything is answered 503 and may be tried again; then all goes on', async () => {
    expect(await push(first, 'v3')).toBe(201);
    const running = await sql.start();
    await running.stop();
    const trust = '/v2/localhost/alice/app/_trust/tuf/timestamp.json';
    for (const answer of [
      await send(first, 'GET', 'manifests/v3'),
      await send(first, 'GET', `blobs/${digestOf(layer)}`),
      await send(first, 'POST', 'blobs/uploads/'),
      await request(first, trust),
    ]) {
      expect([answer.url, answer.status, answer.headers.get('retry-after')]).toEqual([answer.url, 503, '5']);
      const text = await answer.text();
      expect(text).toContain('the database cannot be reached');
      expect(text).not.toContain(url.user);
    }
    expect((await request(first, '/_signet/health')).status).toBe(503);
    await running.start();
    expect((await send(first, 'GET', 'manifests/v3')).status).toBe(200);
    expect((await request(first, '/_signet/health')).status).toBe(200);
    expect(await push(first, 'v4')).toBe(201);
    expect(first.logged.join('')).not.toContain(url.revealPassword());
  }, 60_000);

  test('replicas that start at once on an empty database make one administrator', async () => {
    const database = await emptyDatabaseUrl(sql);
    const origin = await startTestServer({ auth: false });
    const servers = await Promise.all([1, 2, 3].map(() => startTestServer({ database, data: replicaOf(origin) })));
    const administrators = servers.flatMap(({ administrator }) => administrator ?? []);
    expect(administrators).toHaveLength(1);
    const basic = Buffer.from(`admin:${administrators[0]?.password}`).toString('base64');
    for (const server of servers) {
      const path = '/auth/token?service=signet';
      const answer = await request(server, path, { headers: { Authorization: `Basic ${basic}` } });
      expect(answer.status).toBe(200);
      await server.stop();
    }
    const storage = await openStorage(database);
    expect((await storage.accounts(SERVER_ACTOR).users()).map(({ name }) => String(name))).toEqual(['admin']);
    expect((await storage.accountEvents.latest(10)).map(({ action }) => action)).toEqual(['user added']);
    await storage.close();
    await origin.stop();
  }, 60_000);

  test('a database that cannot be reached, or is another one, is told at the start', async () => {
    const running = await sql.start();
    await running.stop();
    const error = await failure(startTestServer({ database: url, auth: false }), 'database-unavailable');
    expect(error.message).toContain(String(url));
    await running.start();
  }, 60_000);

  describe('signet user', () => {
    const user = async (data: string, environment: Record<string, string>, ...words: readonly string[]) => {
      const main = join(import.meta.dir, '../../../src/cli/main.ts');
      const child = Bun.spawn([process.execPath, main, 'user', ...words, '--data', data], {
        env: { PATH: process.env.PATH ?? '', HOME: temporaryFolder(), ...environment },
        stdin: 'ignore',
        stdout: 'pipe',
        stderr: 'pipe',
      });
      const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
      return { exitCode: await child.exited, stdout, stderr };
    };

    test('works on the database of the server, also beside it', async () => {
      const database = await emptyDatabaseUrl(sql);
      const secret = `${url.dialect}://${database.user}:${database.revealPassword()}@127.0.0.1:${database.port}/${database.name}`;
      const file = join(temporaryFolder(), 'url');
      writeFileSync(file, `${secret}\n`, { mode: 0o600 });
      const server = await startTestServer({ databaseFile: file });
      const { data } = server.settings;
      const found = await user(data, { SIGNET_DATABASE_FILE: file }, 'list');
      expect([found.exitCode, found.stderr]).toEqual([0, '']);
      expect(found.stdout).toContain('admin');

      const lost = await user(data, {}, 'list');
      expect(lost.exitCode).toBe(125);
      expect(lost.stderr).toContain(`keeps its accounts in ${database}`);
      expect(lost.stderr).toContain('SIGNET_DATABASE');

      writeFileSync(join(data, 'signet.json'), JSON.stringify({ databaseFile: file }));
      const granted = await user(data, {}, 'grant', 'admin', 'team/*', 'push');
      expect([granted.exitCode, granted.stderr]).toEqual([0, '']);
      while (!server.logged.some((line) => line.includes('grant given'))) await Bun.sleep(5);
      expect((await user(data, {}, 'log')).stdout).toContain('push on team/*');
      await server.stop();
    }, 60_000);
  });
});
