import { beforeEach, describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { isSignetError } from '../../src/core/errors/index.ts';
import { DatabaseServer } from '../../src/store/database-url.ts';
import type { SqlDatabase } from '../../src/store/sql.ts';
import { isUniqueSqlViolation } from '../../src/store/sql-error.ts';
import { migrateSql, type SqlMigrations } from '../../src/store/sql-migrations.ts';
import { failure } from '../support/failure.ts';
import {
  describeSqlServers,
  emptyDatabaseUrl,
  emptySqlDatabase,
  openSql,
  SQL_SERVERS,
  serverOf,
} from '../support/sql-databases.ts';
import { temporaryFolder } from '../support/temp.ts';

type Step = SqlMigrations['steps'][number];

const CREATE: Step = ({ createTable, id, integer, name, bytes }) =>
  createTable(
    'signet_things',
    [`id ${id}`, `name ${name(200)} NOT NULL UNIQUE`, `size ${integer}`, `content ${bytes}`],
    { signet_things_size: 'size' },
  );
const FILL: Step = () => ["INSERT INTO signet_things (name, size) VALUES ('a', 7)"];
const THINGS = { part: 'things', steps: [CREATE] };

interface Thing {
  id: number;
  name: string;
  size: number | null;
}

describeSqlServers((server) => {
  let database: SqlDatabase;
  beforeEach(async () => {
    database = await emptySqlDatabase(server);
  });

  const things = (where = '') => database.all<Thing>(`SELECT id, name, size FROM signet_things ${where} ORDER BY name`);
  const add = (name: string, size: number | null = null) =>
    database.insert('INSERT INTO signet_things (name, size) VALUES ($name, $size)', { name, size });

  describe('statements', () => {
    beforeEach(() => migrateSql(database, THINGS));

    test('numbers, text and bytes come back as they went', async () => {
      const content = Buffer.from([0, 255, 128, 10]);
      const sizes = [0, 5, -7, 2 ** 31, 1_790_000_000_000, Number.MAX_SAFE_INTEGER];
      for (const size of sizes) {
        await database.insert('INSERT INTO signet_things (name, size, content) VALUES ($name, $size, $content)', {
          name: `nämé 🙂 ${size}`,
          size,
          content,
        });
      }
      const rows = await database.all<Thing & { content: Buffer }>('SELECT * FROM signet_things ORDER BY id');
      expect(rows.map(({ name }) => name)).toEqual(sizes.map((size) => `nämé 🙂 ${size}`));
      expect(rows.map(({ size }) => size)).toEqual(sizes);
      for (const row of rows) expect(Buffer.compare(row.content, content)).toBe(0);
    });

    test('names compare and sort byte for byte', async () => {
      for (const name of ['b', 'B', 'a', 'a ', 'ä', 'Z', 'á']) await add(name);
      expect((await things()).map(({ name }) => name)).toEqual(['B', 'Z', 'a', 'a ', 'b', 'á', 'ä']);
      expect(await database.first('SELECT id FROM signet_things WHERE name = $name', { name: 'A' })).toBeUndefined();
      expect(await database.all('SELECT id FROM signet_things WHERE name = $name', { name: 'a' })).toHaveLength(1);
    });

    test('a list stands for as many values as it has', async () => {
      for (const name of ['a', 'b', 'c', 'd', 'e']) await add(name);
      for (const names of [['a'], ['a', 'x'], ['a', 'b', 'e'], ['a', 'b', 'c', 'd', 'e']]) {
        const rows = await database.all('SELECT id FROM signet_things WHERE name IN ($names)', { names });
        expect(rows).toHaveLength(names.filter((name) => name !== 'x').length);
      }
    });

    test('a statement lacks none of its values', async () => {
      expect(database.run('DELETE FROM signet_things WHERE name = $name', { nam: 'a' })).rejects.toThrow('$name');
    });

    test('says how many rows were changed, and counts what is found as changed', async () => {
      const id = await add('a', 1);
      await add('b', 1);
      expect((await things()).map((thing) => thing.id)).toContain(id);
      expect(await database.run('UPDATE signet_things SET size = 1')).toBe(2);
      expect(await database.run('DELETE FROM signet_things WHERE name = $name', { name: 'a' })).toBe(1);
      expect(await database.run('DELETE FROM signet_things WHERE name = $name', { name: 'a' })).toBe(0);
    });

    test('tells a unique violation from other failures', async () => {
      await add('a');
      const error = (sql: string) => database.run(sql).catch((caught: unknown) => caught);
      expect(isUniqueSqlViolation(await error("INSERT INTO signet_things (name) VALUES ('a')"))).toBe(true);
      expect(isUniqueSqlViolation(await error('INSERT INTO signet_things (name) VALUES (NULL)'))).toBe(false);
      expect(isUniqueSqlViolation(await error('nonsense'))).toBe(false);
    });

    test('no number is rounded', async () => {
      await database.run('INSERT INTO signet_things (name, size) VALUES ($name, 9007199254740993)', { name: 'a' });
      expect(things()).rejects.toThrow('too large');
    });
  });

  describe('transactions', () => {
    beforeEach(() => migrateSql(database, THINGS));

    test('what throws leaves nothing, and the connection goes on', async () => {
      for (let round = 0; round < 20; round++) {
        const failed = database.transaction(async (statements) => {
          await statements.run("INSERT INTO signet_things (name) VALUES ('a')");
          throw new Error('mine');
        });
        await expect(failed).rejects.toThrow('mine');
      }
      expect(await things()).toEqual([]);
    });

    test('a transaction that goes on after a statement failed is not taken for done', async () => {
      await add('a');
      const swallowed = database.transaction(async (statements) => {
        await statements.run("INSERT INTO signet_things (name) VALUES ('b')");
        await statements.run("INSERT INTO signet_things (name) VALUES ('a')").catch(() => {});
      });
      if (server.dialect === 'postgres') await expect(swallowed).rejects.toThrow('failed');
      else await swallowed;
      const names = (await things()).map(({ name }) => name);
      expect(names).toEqual(server.dialect === 'postgres' ? ['a'] : ['a', 'b']);
    });

    test('counters that many transactions raise at once lose nothing', async () => {
      await add('a', 0);
      const raise = () =>
        database.transaction(async (statements) => {
          const row = await statements.first<Thing>("SELECT size FROM signet_things WHERE name = 'a' FOR UPDATE");
          await statements.run('UPDATE signet_things SET size = $size', { size: (row?.size ?? 0) + 1 });
        });
      await Promise.all(Array.from({ length: 40 }, raise));
      expect((await things())[0]?.size).toBe(40);
    });

    test('a deadlock is tried again', async () => {
      await add('a', 0);
      await add('b', 0);
      let tries = 0;
      let holding = 0;
      const bothHold = Promise.withResolvers<void>();
      const raise = (first: string, second: string) =>
        database.transaction(async (statements) => {
          tries++;
          const sql = 'UPDATE signet_things SET size = size + 1 WHERE name = $name';
          await statements.run(sql, { name: first });
          holding++;
          if (holding === 2) bothHold.resolve();
          await bothHold.promise;
          await statements.run(sql, { name: second });
        });
      await Promise.all([raise('a', 'b'), raise('b', 'a')]);
      expect(tries).toBeGreaterThan(2);
      expect((await things()).map(({ size }) => size)).toEqual([2, 2]);
    });

    test('who holds a row for too long makes others busy', async () => {
      await add('a', 0);
      const done = Promise.withResolvers<void>();
      const held = Promise.withResolvers<void>();
      const holder = database.transaction(async (statements) => {
        await statements.first('SELECT id FROM signet_things FOR UPDATE');
        held.resolve();
        await done.promise;
      });
      await held.promise;
      const error = await failure(
        database.transaction((statements) => statements.run('UPDATE signet_things SET size = 1')),
        'database-busy',
      );
      expect(error.detail.retryAfter).toBe(5);
      done.resolve();
      await holder;
    }, 20_000);

    test('a snapshot sees one moment, and writes nothing', async () => {
      await add('a');
      const counts = await database.snapshot(async (statements) => {
        const count = async () => (await statements.all('SELECT id FROM signet_things')).length;
        const before = await count();
        await add('b');
        return [before, await count()];
      });
      expect(counts).toEqual([1, 1]);
      await expect(database.snapshot((statements) => statements.run('DELETE FROM signet_things'))).rejects.toThrow();
      expect(await things()).toHaveLength(2);
    });
  });

  describe('migrations', () => {
    test('run each step once, across growth', async () => {
      await migrateSql(database, THINGS);
      await migrateSql(database, { part: 'things', steps: [CREATE, FILL] });
      await migrateSql(database, { part: 'things', steps: [CREATE, FILL] });
      expect(await things()).toMatchObject([{ name: 'a', size: 7 }]);
    });

    test('of many replicas at once come to the same', async () => {
      const parts = [
        { part: 'things', steps: [CREATE, FILL] },
        { part: 'others', steps: [() => ["INSERT INTO signet_things (name) VALUES ('b')"]] },
      ];
      await Promise.all(Array.from({ length: 6 }, () => migrateSql(database, ...parts)));
      expect((await things()).map(({ name }) => name)).toEqual(['a', 'b']);
    });

    test('of a newer program are refused', async () => {
      await migrateSql(database, { part: 'things', steps: [CREATE, FILL] });
      const error = await failure(migrateSql(database, THINGS), 'database-newer');
      expect(error.message).toContain('things');
    });

    test('that fail are not recorded, and run again when they can', async () => {
      const broken: Step = () => ['INSERT INTO nowhere (id) VALUES (1)'];
      await expect(migrateSql(database, { part: 'things', steps: [CREATE, broken] })).rejects.toThrow('nowhere');
      await migrateSql(database, { part: 'things', steps: [CREATE, FILL] });
      expect(await things()).toHaveLength(1);
    });

    test('need no right to make tables where all is made', async () => {
      const url = await (await server.start()).makeDatabase();
      await migrateSql(await openSql(serverOf(url)), THINGS);
      const reader = await (await server.start()).makeUser(url, 'SELECT, INSERT');
      await migrateSql(await openSql(serverOf(reader)), THINGS);
    });
  });

  describe('a server that cannot be used', () => {
    const changed = (url: DatabaseServer, changes: Partial<Record<keyof DatabaseServer, unknown>>) =>
      new DatabaseServer({ ...url, password: url.revealPassword(), ...changes } as never);

    test('wrong password, unknown database: what the server says, and never the password', async () => {
      const url = await emptyDatabaseUrl(server);
      for (const wrong of [changed(url, { password: 'hunter2' } as never), changed(url, { name: 'nowhere' })]) {
        const error = await failure(openSql(wrong), 'database-unusable');
        expect(error.message).toContain(String(wrong));
        expect(Bun.inspect(error)).not.toMatch(new RegExp(`hunter2|${url.revealPassword()}`));
        expect(error.next).toStartWith(
          wrong.name === 'nowhere' ? 'Check the name of the database in the URL' : 'Check user and password in the URL',
        );
      }
    });

    test('no one at the port', async () => {
      const url = changed(await emptyDatabaseUrl(server), { port: 1 });
      const error = await failure(openSql(url), 'database-unavailable');
      expect(error.message).toEndWith('cannot be reached: connection refused');
      expect(error.next).toBe('Start the database server, or check host and port in the URL.');
      expect(error.httpStatus).toBe(503);
    });

    test('a host that no one knows, and a socket that is not there', async () => {
      const url = await emptyDatabaseUrl(server);
      const host = await failure(openSql(changed(url, { host: 'db.invalid' })), 'database-unavailable');
      expect(host.message).toMatch(
        /cannot be reached: the name of its host (?:does not resolve|cannot be looked up now)$/,
      );
      expect(host.next).toStartWith('Check the host in the URL');
      const socket = join(temporaryFolder(), 'none');
      const none = await failure(openSql(changed(url, { socket })), 'database-unavailable');
      expect(none.message).toEndWith('cannot be reached: there is no such socket');
    });

    test('another kind of server at the port, and none at all, are told long before the time is up', async () => {
      const url = await emptyDatabaseUrl(server);
      const other = SQL_SERVERS.find(({ dialect }) => dialect !== server.dialect);
      const { port } = await emptyDatabaseUrl(other ?? server);
      const [here, there] =
        server.dialect === 'postgres' ? ['PostgreSQL', 'MySQL or MariaDB'] : ['MySQL or MariaDB', 'PostgreSQL'];
      const limit = { connectTimeout: 600 };
      const wrong = await failure(openSql(changed(url, { port }), limit), 'database-unusable');
      expect(wrong.message).toEndWith(`: what answers there is ${there}, not ${here}`);
      expect(wrong.next).toBe(`Write ${other?.dialect}:// in the URL, or the port of ${here}.`);
      const web = Bun.listen({
        hostname: '127.0.0.1',
        port: 0,
        socket: { data: (socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n') },
      });
      const none = await failure(openSql(changed(url, { port: web.port }), limit), 'database-unusable');
      expect(none.message).toEndWith(`: what answers there is not ${here}`);
      web.stop(true);
    }, 30_000);

    test('one that takes connections and says nothing', async () => {
      const mute = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } });
      const url = changed(await emptyDatabaseUrl(server), { port: mute.port });
      const error = await failure(openSql(url, { connectTimeout: 1 }), 'database-unavailable');
      expect(error.message).toEndWith('cannot be reached: what is there takes connections, and does not answer');
      mute.stop(true);
    });

    test('TLS that it does not speak is not done without', async () => {
      const url = changed(await emptyDatabaseUrl(server), { tls: 'verify-full' });
      const error = await failure(openSql(url), 'database-unusable');
      expect(error.next).toContain('sslmode=disable');
    });
  });

  test('a statement that takes too long ends, and the pool goes on', async () => {
    const slow = await openSql(await emptyDatabaseUrl(server), { statementTimeout: 1, poolSize: 1 });
    const sleep = server.dialect === 'postgres' ? 'SELECT pg_sleep(60)' : 'SELECT sleep(60)';
    const error = await slow.all(sleep).catch((caught: unknown) => caught);
    expect(isSignetError(error, 'database-busy', 'database-unavailable')).toBe(true);
    expect(await slow.all('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await failure(
      slow.reserved(() => slow.all('SELECT 1')),
      'database-unavailable',
    );
    expect(await slow.all('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  }, 20_000);

  test('connections that were ended while no one used them are replaced unseen', async () => {
    await migrateSql(database, THINGS);
    const running = await server.start();
    await Promise.all(Array.from({ length: 5 }, () => things()));
    await running.stop();
    await failure(things(), 'database-unavailable');
    await failure(add('lost'), 'database-unavailable');
    await running.start();
    expect(await things()).toEqual([]);
    await database.transaction((statements) => statements.run("INSERT INTO signet_things (name) VALUES ('a')"));
    await running.kill();
    await running.start();
    await database.transaction((statements) => statements.run("INSERT INTO signet_things (name) VALUES ('b')"));
    expect(await things()).toHaveLength(2);
  }, 60_000);

  if (server.dialect === 'postgres') {
    test('no password is taken from the environment in the place of an empty one', async () => {
      const url = await (await server.start()).makeDatabase();
      const { username, password } = new URL(url);
      process.env.PGPASSWORD = password;
      try {
        const withoutPassword = serverOf(url.replace(`${username}:${password}`, username));
        await failure(openSql(withoutPassword), 'database-unusable');
      } finally {
        delete process.env.PGPASSWORD;
      }
    });
  }
});
