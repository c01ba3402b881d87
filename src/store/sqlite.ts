import { Database, SQLiteError } from 'bun:sqlite';
import { chmodSync, closeSync, constants, openSync } from 'node:fs';
import { SignetError } from '../core/errors/index.ts';

/** The schema of one part of the server: SQL steps, each run once and in order, recorded under the part's name. */
export interface Migrations {
  readonly part: string;
  readonly steps: readonly string[];
}

/** Keeps everything in memory; the database ends with its connection. */
export const IN_MEMORY = ':memory:';

/** How long a writer waits for another process, in milliseconds. It holds up the event loop meanwhile. */
const BUSY_TIMEOUT = 5000;
const RETRY_MS = 5;

/**
 * Opens the database file at `path`, created with mode 0600 where it does not exist, and brings the schema of every
 * part up to date. Several processes may open, and migrate, the same file at once.
 *
 * A committed transaction survives a power failure. Named parameters are bound without their prefix.
 * Throws `database-unusable`, or `database-newer` where a newer program has migrated the file.
 */
export function openDatabase(path: string, ...migrations: Migrations[]): Database {
  const database = open(path);
  try {
    for (const part of migrations) migrate(database, part);
    return database;
  } catch (cause) {
    database.close();
    throw cause instanceof SignetError ? cause : unusable(path, cause);
  }
}

/** Whether a statement failed because a row with the same unique values exists. */
export function isUniqueViolation(error: unknown): boolean {
  return (
    error instanceof SQLiteError &&
    (error.code === 'SQLITE_CONSTRAINT_UNIQUE' || error.code === 'SQLITE_CONSTRAINT_PRIMARYKEY')
  );
}

function open(path: string): Database {
  let database: Database | undefined;
  try {
    if (path !== IN_MEMORY) makePrivate(path);
    database = new Database(path, { readwrite: true, create: true, strict: true });
    database.run(`PRAGMA busy_timeout = ${BUSY_TIMEOUT}`);
    writeAhead(database);
    database.run('PRAGMA synchronous = FULL');
    database.run('PRAGMA foreign_keys = ON');
    database.run('PRAGMA trusted_schema = OFF');
    database.run(
      'CREATE TABLE IF NOT EXISTS migrations (part TEXT NOT NULL, step INTEGER NOT NULL, PRIMARY KEY (part, step)) STRICT',
    );
    return database;
  } catch (cause) {
    database?.close();
    throw unusable(path, cause);
  }
}

/** Of processes that open a new file at the same moment SQLite refuses all but one at once, whatever the busy timeout. */
function writeAhead(database: Database): void {
  const deadline = Date.now() + BUSY_TIMEOUT;
  for (;;) {
    try {
      database.run('PRAGMA journal_mode = WAL');
      return;
    } catch (error) {
      if (!(error instanceof SQLiteError) || error.code !== 'SQLITE_BUSY' || Date.now() > deadline) throw error;
      Bun.sleepSync(RETRY_MS);
    }
  }
}

/** SQLite gives the journal files the mode of the database file, so this one must be right before it starts. */
function makePrivate(path: string): void {
  closeSync(openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600));
  chmodSync(path, 0o600);
}

function migrate(database: Database, { part, steps }: Migrations): void {
  const count = database.query<{ done: number }, [string]>('SELECT count(*) AS done FROM migrations WHERE part = ?');
  const record = database.query('INSERT INTO migrations (part, step) VALUES (?, ?)');
  const run = database.transaction(() => {
    const done = count.get(part)?.done ?? 0;
    if (done > steps.length) {
      throw new SignetError(
        'database-newer',
        `the ${part} data has schema ${done}, this program knows ${steps.length}`,
      );
    }
    for (const [step, sql] of steps.entries()) {
      if (step < done) continue;
      database.run(sql);
      record.run(part, step);
    }
  });
  run.immediate();
}

function unusable(path: string, cause: unknown): SignetError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new SignetError('database-unusable', `cannot use the database ${path}: ${why}`, { cause });
}
