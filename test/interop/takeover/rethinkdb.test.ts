import { beforeAll, expect, test } from 'bun:test';
import { copyFileSync, cpSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { importRethinkdb } from '../../../src/serve/storage/rethinkdb/import.ts';
import { atEnd } from '../../support/cleanup.ts';
import { execute } from '../../support/database-server.ts';
import { beginningOf, blocksOf, type Example, examplesIn, patternOf, readDocument } from '../../support/documents.ts';
import { endChild } from '../../support/end.ts';
import { failure } from '../../support/failure.ts';
import { Person, succeeds } from '../../support/notary-client.ts';
import { type NotaryOnDatabase, startNotaryOnDatabase } from '../../support/notary-on-database.ts';
import { published } from '../../support/published.ts';
import {
  binary,
  type DumpTables,
  dumpEntries,
  dumpFile,
  fileRow,
  NO_TIME,
  tarOf,
  time,
} from '../../support/rethinkdb-dump.ts';
import { type Outcome, run } from '../../support/run.ts';
import { freePort, signetCommand } from '../../support/signet-server.ts';
import { describeSqlServers, SQL_SERVERS, serverOf } from '../../support/sql-databases.ts';
import { temporaryFolder } from '../../support/temp.ts';
import { targetsOf } from '../delegated.ts';

const DOCUMENT = readDocument('docs/migrate-database.md');
const GUN = 'dtr.example.com/team/app';
const PLENTY_MS = 120_000;

let made: NotaryOnDatabase;
let owner: Person;
/** All that the Notary had, as it would have been in RethinkDB. */
let tables: DumpTables;
let dump: string;

beforeAll(async () => {
  made = await startNotaryOnDatabase(await SQL_SERVERS[0].start());
  owner = new Person(made.notary);
  await succeeds(owner.notary('init', GUN, '-p'));
  await succeeds(owner.notary('key', 'rotate', GUN, 'snapshot', '-r'));
  await succeeds(owner.add(GUN, 'before'));
  await made.stop();
  tables = await asRethinkdb(made);
  dump = dumpFile(tarOf(dumpEntries(tables)));
}, PLENTY_MS);

/** The rows of a Notary in PostgreSQL as those of one in RethinkDB (protocol B.12.5), sorted by what is the primary key there. */
async function asRethinkdb({ database, keyDatabase }: NotaryOnDatabase): Promise<DumpTables> {
  const files = await execute(database, 'SELECT * FROM tuf_files ORDER BY gun, role, version');
  const changes = await execute(database, 'SELECT *, md5(id::text)::uuid AS uuid FROM changefeed ORDER BY uuid');
  const keys = await execute(keyDatabase, 'SELECT * FROM private_keys ORDER BY key_id');
  return {
    'dtr2.repositories': [{ id: 'x' }],
    'notaryserver.tuf_files': files.map(({ gun, role, version, data, created_at }) =>
      fileRow(`${gun}`, `${role}`, Number(version), data as Uint8Array, created_at as Date),
    ),
    'notaryserver.changefeed': changes.map(({ uuid, gun, version, sha256, category, created_at }) => {
      return { id: uuid, created_at: time(created_at as Date), gun, version, sha256, category };
    }),
    'notarysigner.private_keys': keys.map(({ id: _, created_at, updated_at, deleted_at: __, last_used, ...key }) => ({
      ...key,
      public: binary(key.public as Uint8Array),
      private: binary(key.private as Uint8Array),
      created_at: time(created_at as Date),
      updated_at: time(updated_at as Date),
      deleted_at: NO_TIME,
      last_used: time(last_used as Date | null),
    })),
  };
}

/** `signet serve database import-rethinkdb`, with the database in a file. */
function importDump(file: string, database: string, ...args: readonly string[]): Promise<Outcome> {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'to.url'), `${database}\n`, { mode: 0o600 });
  const words = ['serve', 'database', 'import-rethinkdb', file, 'to.url', ...args];
  return run([...signetCommand(), ...words], { cwd: folder, env: { PATH: process.env.PATH ?? '', HOME: folder } });
}

describeSqlServers(({ dialect, start }) => {
  const emptyDatabase = async () => (await start()).makeDatabase();

  /** The rows of all tables that a dump comes to. */
  async function rowsIn(database: string): Promise<number[]> {
    const schema = dialect === 'postgres' ? 'current_schema()' : 'database()';
    const counts = ['tuf_files', 'changefeed', 'private_keys'].map(async (name) => {
      const find = `SELECT 1 AS found FROM information_schema.tables WHERE table_schema = ${schema} AND table_name = '${name}'`;
      if ((await execute(database, find)).length === 0) return -1;
      return Number((await execute(database, `SELECT count(*) AS n FROM ${name}`))[0]?.n);
    });
    return Promise.all(counts);
  }

  test(
    'a Notary in RethinkDB goes on from its dump, by the commands of docs/migrate-database.md, with the same keys',
    async () => {
      const folder = temporaryFolder();
      const port = await freePort();
      const database = await emptyDatabase();
      const environment = Object.entries(made.environment).map(([name, value]) => `${name}=${value}\n`);
      mkdirSync(join(folder, 'data'), { mode: 0o700 });
      copyFileSync(dump, join(folder, 'dump.tar.gz'));
      writeFileSync(join(folder, 'server.url'), `${database}\n`, { mode: 0o600 });
      writeFileSync(join(folder, 'signer.env'), environment.join(''), { mode: 0o600 });
      copyFileSync(made.notary.certificate, join(folder, 'tls.crt'));
      copyFileSync(made.notary.key, join(folder, 'tls.key'));
      const [, , settings = ''] = blocksOf(DOCUMENT, 'json');
      writeFileSync(join(folder, 'signet.json'), settings.replace('0.0.0.0:4443', `127.0.0.1:${port}`));
      const env = { PATH: process.env.PATH ?? '', HOME: folder };

      const examples = examplesIn(blocksOf(DOCUMENT, 'console').at(-1) ?? '');
      expect(examples.map(({ line }) => line)).toEqual([
        'signet serve database import-rethinkdb dump.tar.gz server.url',
        'signet serve --data data --config signet.json --check',
        'signet serve --data data --config signet.json',
      ]);
      const [imported, check, serve] = examples as [Example, Example, Example];
      const commandOf = ({ line }: Example) => [...signetCommand(), ...line.split(' ').slice(1)];
      const first = await run(commandOf(imported), { cwd: folder, env });
      expect(first.exitCode).toBe(0);
      expect(first.stdout).toMatch(patternOf(imported.output));
      expect(first.stderr).toBe(
        `reading bytes of the dump: ${statSync(dump).size}\nimporting trust data: 10\nchecking trust data: 10\nLeft out, since Notary has no such tables: dtr2.repositories\nAll of it is in ${serverOf(database)}, and was compared with the dump.\n`,
      );
      const checked = await run(commandOf(check), { cwd: folder, env });
      expect([checked.stderr, checked.exitCode]).toEqual(['', 0]);
      expect(checked.stdout).toMatch(patternOf(check.output));

      const child = Bun.spawn(commandOf(serve), { cwd: folder, env, stdout: 'pipe', stderr: 'ignore' });
      atEnd(() => void endChild(child));
      const { value } = await child.stdout.getReader().read();
      expect(Buffer.from(value ?? []).toString()).toMatch(beginningOf(serve.output));
      const signet = { ...made.notary, origin: `https://localhost:${port}`, host: `localhost:${port}` };
      expect(await targetsOf(new Person(signet), GUN)).toEqual(['before targets']);
      const before = await published(signet, GUN);
      // On the other kind of database nothing has been published since the dump.
      const publisher = new Person(signet);
      cpSync(owner.home, publisher.home, { recursive: true });
      await succeeds(publisher.add(GUN, 'after'));
      expect(await targetsOf(publisher, GUN)).toEqual(['after targets', 'before targets']);
      const after = await published(signet, GUN);
      expect(after?.payload('root')).toEqual(before?.payload('root'));
      expect(after?.versions.timestamp).toBe((before?.versions.timestamp ?? 0) + 1);
      expect(after?.signersOf('timestamp')).toEqual(before?.signersOf('timestamp'));
      await endChild(child);
    },
    PLENTY_MS,
  );

  test('every row is there as it was in Notary, in the order in which it was made', async () => {
    const database = await emptyDatabase();
    const { stdout, exitCode } = await importDump(dump, database, '--json');
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toEqual([
      { what: 'trust data', rows: 10 },
      { what: 'changes of trust data', rows: 3 },
      { what: 'keys of the signer', rows: 2 },
    ]);
    const seconds = (rows: Record<string, unknown>[]) =>
      rows.map((row) =>
        Object.fromEntries(
          Object.entries(row).map(([name, value]) => {
            if (value instanceof Date) return [name, Math.floor(value.getTime() / 1000)];
            return [name, Buffer.isBuffer(value) ? value.toString('hex') : value];
          }),
        ),
      );
    const compared = [
      [
        made.database,
        'gun, role, version, sha256, data, created_at, updated_at, deleted_at FROM tuf_files ORDER BY gun, role, version',
      ],
      [made.database, 'gun, version, sha256, category, created_at FROM changefeed ORDER BY id'],
      [
        made.keyDatabase,
        'key_id, encryption_alg, keywrap_alg, algorithm, passphrase_alias, public, private, gun, role, created_at, deleted_at, last_used FROM private_keys ORDER BY id',
      ],
    ] as const;
    for (const [source, columns] of compared) {
      const rows = seconds(await execute(source, `SELECT ${columns}`));
      expect(seconds(await execute(database, `SELECT ${columns}`))).toEqual(rows);
    }
  });

  test('the tables of the server and the keys of the signer go to two databases in two imports', async () => {
    const [database, keyDatabase] = [await emptyDatabase(), await emptyDatabase()];
    const { 'notarysigner.private_keys': keys = [], ...server } = tables;
    expect((await importDump(dumpFile(tarOf(dumpEntries(server))), database)).exitCode).toBe(0);
    const keyDump = dumpFile(tarOf(dumpEntries({ 'notarysigner.private_keys': keys })));
    expect((await importDump(keyDump, keyDatabase)).exitCode).toBe(0);
    expect([await rowsIn(database), await rowsIn(keyDatabase)]).toEqual([
      [10, 3, -1],
      [-1, -1, 2],
    ]);
    const words = [
      'serve',
      '--data',
      join(temporaryFolder(), 'data'),
      '--listen',
      'localhost:0',
      '--auth',
      'off',
      '--check',
    ];
    const env = { SIGNET_DATABASE: database, SIGNET_SIGNER_DATABASE: keyDatabase, ...made.environment };
    const checked = await run([...signetCommand(), ...words], {
      env: { PATH: process.env.PATH ?? '', HOME: temporaryFolder(), ...env },
    });
    expect(checked).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('alias main: 2 of 2 keys open') });
  });

  test('without a changefeed, which early Notary did not have, it follows from the timestamps', async () => {
    const database = await emptyDatabase();
    const { 'notaryserver.changefeed': _, ...old } = tables;
    expect((await importDump(dumpFile(tarOf(dumpEntries(old))), database)).exitCode).toBe(0);
    const feed = 'SELECT gun, version, sha256, category FROM changefeed ORDER BY id';
    expect(await execute(database, feed)).toEqual(await execute(made.database, feed));
  });

  test('a database that is not empty is refused, and left as it is', async () => {
    const database = await emptyDatabase();
    expect((await importDump(dump, database)).exitCode).toBe(0);
    const again = await importDump(dump, database);
    expect([again.exitCode, again.stdout]).toEqual([1, '']);
    expect(again.stderr).toContain(`cannot import into ${serverOf(database)}: it has trust data`);
    expect(await rowsIn(database)).toEqual([10, 3, 2]);
    const foreign = await emptyDatabase();
    await execute(foreign, 'CREATE TABLE wp_posts (id int)');
    expect((await importDump(dump, foreign)).stderr).toContain('the database has tables of another program: wp_posts');
    expect(await rowsIn(foreign)).toEqual([-1, -1, -1]);
  });

  test('a dump with one bad row changes nothing', async () => {
    const database = await emptyDatabase();
    const keys = tables['notarysigner.private_keys'] ?? [];
    const bad = { ...tables, 'notarysigner.private_keys': [...keys, { ...keys[0], key_id: 'none' }] };
    const refused = await importDump(dumpFile(tarOf(dumpEntries(bad))), database);
    expect([refused.exitCode, refused.stdout]).toEqual([1, '']);
    expect(refused.stderr).toContain('cannot be imported: notarysigner.private_keys, row 3: "none" is no key id\n');
    expect(await rowsIn(database)).toEqual([-1, -1, -1]);
  });

  test('an import that breaks off changes nothing, nor does one whose dump changes meanwhile', async () => {
    const database = await emptyDatabase();
    const to = serverOf(database);
    for (const step of ['importing', 'checking']) {
      const onProgress = (progress: { readonly step: string; readonly done: number }) => {
        if (progress.step === step && progress.done > 5) throw new Error(`no more ${step}`);
      };
      await expect(importRethinkdb({ dump, to, onProgress })).rejects.toThrow(`no more ${step}`);
      expect(await rowsIn(database)).toEqual([0, 0, 0]);
    }
    const changing = join(temporaryFolder(), 'dump');
    copyFileSync(dump, changing);
    const { 'notaryserver.tuf_files': files = [], ...rest } = tables;
    const onProgress = ({
      step,
      done,
      total,
    }: {
      readonly step: string;
      readonly done: number;
      readonly total: number;
    }) => {
      if (step !== 'reading' || done < total) return;
      copyFileSync(dumpFile(tarOf(dumpEntries({ ...rest, 'notaryserver.tuf_files': files.slice(1) }))), changing);
    };
    const error = await failure(importRethinkdb({ dump: changing, to, onProgress }), 'database-copy-differs');
    expect(error.message).toBe('the import was undone: the dump was changed while it was read');
    expect(await rowsIn(database)).toEqual([0, 0, 0]);
    expect((await importDump(dump, database)).exitCode).toBe(0);
    expect(await rowsIn(database)).toEqual([10, 3, 2]);
  });

  test('repositories that differ in case only are two to PostgreSQL, and refused for MySQL', async () => {
    const database = await emptyDatabase();
    const [at, data] = [new Date('2019-01-01T00:00:00Z'), Buffer.from('{}')];
    const rows = ['example.com/A', 'example.com/a'].map((gun) => fileRow(gun, 'root', 1, data, at));
    const { exitCode, stderr } = await importDump(dumpFile(tarOf(dumpEntries({ 'n.tuf_files': rows }))), database);
    if (dialect === 'postgres') {
      expect([exitCode, await rowsIn(database)]).toEqual([0, [2, 0, -1]]);
      return;
    }
    expect(exitCode).toBe(1);
    expect(stderr).toContain('example.com/a and example.com/A have one name to MySQL and MariaDB\n');
    expect(await rowsIn(database)).toEqual([-1, -1, -1]);
  });
});

test('SQLite is refused with the way there, and a password on the command line too', async () => {
  const words = [...signetCommand(), 'serve', 'database', 'import-rethinkdb', dump];
  const env = { PATH: process.env.PATH ?? '', HOME: temporaryFolder() };
  const sqlite = await run([...words, 'sqlite:/nowhere/x.db'], { env });
  expect(sqlite.exitCode).toBe(125);
  expect(sqlite.stderr).toContain(
    'cannot import into sqlite:/nowhere/x.db: the keys of a notary-signer need a database of PostgreSQL, MySQL or MariaDB',
  );
  expect(sqlite.stderr).toContain('signet serve database copy');
  const password = await run([...words, 'postgres://u:hunter2@localhost/x'], { env });
  expect(password.exitCode).toBe(125);
  expect(password.stderr).toBe('TO has a password, and every user of the machine can read command lines\n');
});
