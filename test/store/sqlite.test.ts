import { afterEach, beforeEach, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isSignetError } from '../../src/core/errors/index.ts';
import { IN_MEMORY, isUniqueViolation, type Migrations, openDatabase } from '../../src/store/sqlite.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signet-sqlite-'));
  path = join(folder, 'signet.db');
});
afterEach(() => rmSync(folder, { recursive: true }));

const FIRST = "CREATE TABLE thing (id INTEGER PRIMARY KEY, name TEXT UNIQUE) STRICT; INSERT INTO thing VALUES (1, 'a')";
const SECOND = 'ALTER TABLE thing ADD COLUMN size INTEGER; UPDATE thing SET size = 7';
const CHILD = 'CREATE TABLE child (thing INTEGER NOT NULL REFERENCES thing (id)) STRICT';

function things(...steps: string[]): Migrations {
  return { part: 'things', steps };
}

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (isSignetError(error)) return error.code;
    throw error;
  }
  return 'none';
}

test('runs each step once, across reopening and growth', () => {
  openDatabase(path, things(FIRST)).close();
  openDatabase(path, things(FIRST, SECOND)).close();
  const database = openDatabase(path, things(FIRST, SECOND));
  expect(database.query('SELECT * FROM thing').all()).toEqual([{ id: 1, name: 'a', size: 7 }]);
  database.close();
});

test('parts do not share their step numbers', () => {
  const database = openDatabase(path, things(FIRST), {
    part: 'others',
    steps: ['CREATE TABLE other (id INTEGER) STRICT'],
  });
  expect(database.query('SELECT part, step FROM migrations ORDER BY part').all()).toEqual([
    { part: 'others', step: 0 },
    { part: 'things', step: 0 },
  ]);
  database.close();
});

test('a step that fails leaves nothing of itself or of its companions', () => {
  expect(codeOf(() => openDatabase(path, things(FIRST, `${SECOND}; INSERT INTO nowhere VALUES (1)`)))).toBe(
    'database-unusable',
  );
  const database = openDatabase(path, things(FIRST));
  expect(database.query('SELECT * FROM thing').all()).toEqual([{ id: 1, name: 'a' }]);
  database.close();
});

test('refuses data of a newer program', () => {
  openDatabase(path, things(FIRST, SECOND)).close();
  expect(codeOf(() => openDatabase(path, things(FIRST)))).toBe('database-newer');
});

test('is durable, checks foreign keys, and writes ahead', () => {
  const database = openDatabase(path, things(FIRST, CHILD));
  const pragma = (name: string) => Object.values(database.query(`PRAGMA ${name}`).get() as object)[0];
  expect([pragma('journal_mode'), pragma('synchronous'), pragma('foreign_keys')]).toEqual(['wal', 2, 1]);
  expect(() => database.run('INSERT INTO child VALUES (9)')).toThrow('FOREIGN KEY');
  database.close();
});

test('only the owner can read the database and its journal', () => {
  writeFileSync(path, '', { mode: 0o644 });
  const database = openDatabase(path, things(FIRST));
  const modes = [path, `${path}-wal`, `${path}-shm`].map((file) => statSync(file).mode & 0o777);
  expect(modes).toEqual([0o600, 0o600, 0o600]);
  database.close();
});

test('tells a unique violation from other failures', () => {
  const database = openDatabase(IN_MEMORY, things(FIRST, CHILD));
  const failure = (sql: string): unknown => {
    try {
      return database.run(sql);
    } catch (error) {
      return error;
    }
  };
  expect(isUniqueViolation(failure("INSERT INTO thing VALUES (2, 'a')"))).toBe(true);
  expect(isUniqueViolation(failure("INSERT INTO thing VALUES (1, 'b')"))).toBe(true);
  expect(isUniqueViolation(failure('INSERT INTO child VALUES (9)'))).toBe(false);
  expect(isUniqueViolation(failure('nonsense'))).toBe(false);
  expect(isUniqueViolation(new Error('UNIQUE'))).toBe(false);
});

test('says what is wrong with the file or its folder', () => {
  expect(codeOf(() => openDatabase(join(folder, 'missing', 'signet.db'), things(FIRST)))).toBe('database-unusable');
  writeFileSync(path, 'this is not a database, and it is longer than the header of one would have to be'.repeat(20));
  expect(codeOf(() => openDatabase(path, things(FIRST)))).toBe('database-unusable');
});

test('two processes can migrate the same new file', async () => {
  const script = `
    import { openDatabase } from ${JSON.stringify(join(import.meta.dir, '../../src/store/sqlite.ts'))};
    openDatabase(${JSON.stringify(path)}, { part: 'things', steps: ${JSON.stringify([FIRST, SECOND])} }).close();
  `;
  const processes = Array.from({ length: 4 }, () => Bun.spawn([process.execPath, '-e', script], { stderr: 'inherit' }));
  expect(await Promise.all(processes.map((child) => child.exited))).toEqual([0, 0, 0, 0]);
  const database = openDatabase(path, things(FIRST, SECOND));
  expect(database.query('SELECT count(*) AS n FROM thing').get()).toEqual({ n: 1 });
  database.close();
});
