import { Database } from 'bun:sqlite';
import { beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { parsePattern } from '../../../../src/accounts/identity/grants.ts';
import { parseUserName } from '../../../../src/accounts/identity/user-name.ts';
import { digestOf } from '../../../../src/core/names/digest.ts';
import { parseGun } from '../../../../src/core/names/gun.ts';
import { dataFolder } from '../../../../src/serve/data/data-folder.ts';
import { type CopyProgress, copyDatabase } from '../../../../src/serve/storage/copy/copy.ts';
import type { CopiedRow, CopySide } from '../../../../src/serve/storage/copy/side.ts';
import { openSqlSide } from '../../../../src/serve/storage/copy/sql-side.ts';
import { openSqliteSide } from '../../../../src/serve/storage/copy/sqlite-side.ts';
import { COPIED_TABLES } from '../../../../src/serve/storage/copy/tables.ts';
import { openStorage } from '../../../../src/serve/storage/open-storage.ts';
import { type DatabaseServer, type DatabaseUrl, formatDatabaseUrl } from '../../../../src/store/database-url.ts';
import { openDatabase } from '../../../../src/store/sqlite.ts';
import { content, image, OCI_MANIFEST } from '../../../registry/fixture.ts';
import { failure } from '../../../support/failure.ts';
import { target } from '../../../support/simulator.ts';
import { emptyDatabaseUrl, SQL_SERVERS } from '../../../support/sql-databases.ts';
import { temporaryFolder } from '../../../support/temp.ts';
import { Publisher } from '../../attacks/victim.ts';
import { request, startTestServer, type TestServer } from '../../fixture.ts';

const [postgres, mariadb] = SQL_SERVERS;
const NOW = Date.parse('2026-11-29T12:00:00.123Z');

/** A server that has something of everything in its SQLite file. */
let server: TestServer;
let owner: Publisher;
let source: DatabaseUrl;

function publisher(of: () => TestServer): Publisher {
  return new Publisher(
    {
      gun: (name) => `localhost/${name}`,
      fetch: (path, init = {}) => request(of(), path, init),
      bearer: async () => ({ Authorization: '' }),
    },
    'alice',
    'alice/app',
  );
}

async function push(to: TestServer, seed: number, tag: string): Promise<void> {
  const [config, layer] = [content(seed, 50), content(seed + 1, 3000)];
  for (const blob of [config, layer]) {
    const path = `/v2/alice/app/blobs/uploads/?digest=${digestOf(blob)}`;
    expect((await request(to, path, { method: 'POST', body: new Uint8Array(blob) })).status).toBe(201);
  }
  const init = {
    method: 'PUT',
    headers: { 'Content-Type': OCI_MANIFEST },
    body: new Uint8Array(image(config, [layer])),
  };
  expect((await request(to, `/v2/alice/app/manifests/${tag}`, init)).status).toBe(201);
}

async function fill(path: string): Promise<void> {
  const storage = await openStorage({ kind: 'sqlite', path });
  const accounts = storage.accounts({ name: 'root (uid 0)', address: '192.0.2.7' });
  for (let number = 0; number < 700; number++) {
    const name = parseUserName(`user${number}`);
    await accounts.addUser({ name, passwordHash: 'hash', admin: number === 0 }, NOW);
  }
  const alice = parseUserName('user1');
  await accounts.grant(alice, { pattern: parsePattern('team/*'), level: 'push' }, NOW);
  const stamp = (await accounts.user(alice))?.stamp ?? '';
  await accounts.addRefreshToken({ hash: Buffer.alloc(32, 200), user: alice, expires: NOW + 1 }, stamp, NOW);
  await accounts.useNetwork(alice, '192.0.2.0/24', NOW);
  await storage.accountEvents.takeNew();
  await accounts.updateUser(alice, { admin: true }, NOW);
  const proposal = Buffer.from('{"not":"parsed"}');
  const gun = parseGun('localhost/other');
  await storage.proposals.replace({ gun, former: undefined, proposal, by: undefined, at: NOW });
  await storage.jobs.ended('garbage collection', NOW);
  await storage.close();
}

beforeAll(async () => {
  for (const { start } of SQL_SERVERS) await start();
  server = await startTestServer({ auth: false });
  owner = publisher(() => server);
  await owner.create();
  await owner.edit((editor) => editor.addTarget('targets', 'v1', target(1)));
  const gone = publisher(() => server);
  Object.assign(gone, { gun: parseGun('localhost/gone') });
  await gone.create();
  await request(server, '/v2/localhost/gone/_trust/tuf/', { method: 'DELETE' });
  await push(server, 1, 'v1');
  await push(server, 3, 'v2');
  await request(server, '/v2/alice/app/blobs/uploads/', { method: 'POST' });
  await server.stop();
  const { database } = dataFolder(server.settings.data);
  await fill(database);
  source = { kind: 'sqlite', path: database };
}, 120_000);

/** All rows of a database, as both kinds tell them, with times of trust data in whole seconds. */
async function everything(url: DatabaseUrl): Promise<Map<string, CopiedRow[]>> {
  const side: CopySide = url.kind === 'sqlite' ? openSqliteSide(url.path) : await openSqlSide(url);
  const tables = new Map<string, CopiedRow[]>();
  for (const table of COPIED_TABLES) {
    const rows = await side.read(table, undefined, 100_000);
    const isTime = (index: number) => table.columns[index]?.kind === 'time';
    const seconds = rows.map((row) =>
      row.map((value, index) => (isTime(index) ? Math.floor(Number(value) / 1000) : value)),
    );
    tables.set(table.what, seconds);
  }
  await side.close();
  return tables;
}

/** Goes on with the server's data folder and another database. */
async function serveFrom(database: DatabaseUrl): Promise<TestServer> {
  // As an operator says it, once, by a flag.
  const commandLine = { flags: new Map([['database', [formatDatabaseUrl(database)]]]), config: undefined };
  return startTestServer({ auth: false, data: server.settings.data, database }, { commandLine });
}

function newFile(): DatabaseUrl {
  return { kind: 'sqlite', path: join(temporaryFolder(), 'signet.db') };
}

test('SQLite to PostgreSQL to MariaDB to SQLite: every row arrives, and servers go on with it', async () => {
  const original = await everything(source);
  for (const [what, rows] of original) expect([what, rows.length > 0]).toEqual([what, true]);
  const [first, second, third] = [await emptyDatabaseUrl(postgres), await emptyDatabaseUrl(mariadb), newFile()];
  let from: DatabaseUrl = source;
  for (const to of [first, second, third]) {
    const progress: CopyProgress[] = [];
    const { counts, signerKeys } = await copyDatabase({ from, to, onProgress: (made) => progress.push(made) });
    expect(counts).toEqual([...original].map(([what, rows]) => ({ what, rows: rows.length })));
    expect(signerKeys).toBe(0);
    expect(await everything(to)).toEqual(original);
    expect(progress).toContainEqual({ step: 'copying', what: 'users', done: 512, total: 700 });
    expect(progress).toContainEqual({ step: 'checking', what: 'users', done: 700, total: 700 });
    from = to;
  }
  for (const database of [first, second, third]) {
    server = await serveFrom(database);
    expect((await owner.load()).targets.get('targets')?.payload.targets.has('v1')).toBe(true);
    await owner.edit((editor) => editor.addTarget('targets', 'v2', target(2)));
    expect((await owner.load()).targets.get('targets')?.payload.targets.has('v2')).toBe(true);
    const tags = (await (await request(server, '/v2/alice/app/tags/list')).json()) as { tags: string[] };
    expect(tags.tags).toEqual(['v1', 'v2']);
    // The numbers that the database gives out go on, and do not begin again.
    await push(server, 5, 'v3');
    await server.stop();
  }
}, 180_000);

describe('a copy', () => {
  let to: DatabaseServer;
  beforeEach(async () => {
    to = await emptyDatabaseUrl(postgres);
  });

  test('that was cut short goes on where it was, and no server starts on it before', async () => {
    let pages = 0;
    const cut = copyDatabase({
      from: source,
      to,
      onProgress: ({ what }) => {
        if (what === 'users' && ++pages === 1) throw new Error('killed');
      },
    });
    await expect(cut).rejects.toThrow('killed');
    const error = await failure(startTestServer({ auth: false, database: to }), 'database-incomplete');
    expect(error.message).toContain(`half of a copy of sqlite:`);
    await failure(copyDatabase({ from: newFileWith(), to }), 'database-not-empty');

    const progress: CopyProgress[] = [];
    await copyDatabase({ from: source, to, onProgress: (made) => progress.push(made) });
    const copied = progress.filter(({ step }) => step === 'copying');
    expect(copied[0]).toEqual({ step: 'copying', what: 'users', done: 700, total: 700 });
    expect(await everything(to)).toEqual(await everything(source));
  }, 60_000);

  test('to a database with anything in it is refused, and changes nothing', async () => {
    const storage = await openStorage(to);
    await storage
      .accounts({ name: 'x', address: 'y' })
      .addUser({ name: parseUserName('bob'), passwordHash: 'hash', admin: false }, NOW);
    await storage.close();
    const before = await everything(to);
    const error = await failure(copyDatabase({ from: source, to }), 'database-not-empty');
    expect(error.message).toBe(`cannot copy to ${to}: it has users`);
    expect(await everything(to)).toEqual(before);
    await (await openStorage(to)).close();
  }, 60_000);

  test('of what changes meanwhile is not taken for whole', async () => {
    const copy = newFile() as { path: string } & DatabaseUrl;
    await copyDatabase({ from: source, to: copy });
    const change = (sql: string) => {
      const database = new Database(copy.path);
      database.run(sql);
      database.close();
    };
    const changed = copyDatabase({
      from: copy,
      to,
      onProgress: ({ what }) => {
        if (what === 'blobs') change("UPDATE users SET stamp = 'another' WHERE name = 'user5'");
      },
    });
    const error = await failure(changed, 'database-copy-differs');
    expect(error.message).toBe('the two databases differ in users: in their rows');
    await failure(startTestServer({ auth: false, database: to }), 'database-incomplete');
  }, 60_000);

  test('of nothing, or to itself, is refused', async () => {
    await failure(copyDatabase({ from: newFile(), to }), 'database-unusable');
    await failure(copyDatabase({ from: source, to: source }), 'database-not-empty');
  });

  test('keeps times of trust data to the millisecond where the database can', async () => {
    await copyDatabase({ from: source, to });
    const timesOf = async (side: CopySide) => {
      const [table] = COPIED_TABLES;
      if (table === undefined) throw new Error('no table');
      const rows = await side.read(table, undefined, 1000);
      await side.close();
      return rows.map((row) => row[1]);
    };
    const path = source.kind === 'sqlite' ? source.path : '';
    expect(await timesOf(await openSqlSide(to))).toEqual(await timesOf(openSqliteSide(path)));
  }, 60_000);
});

function newFileWith(): DatabaseUrl {
  const url = newFile() as { path: string } & DatabaseUrl;
  openDatabase(url.path).close();
  return url;
}
