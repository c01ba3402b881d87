import { Database, SQLiteError } from 'bun:sqlite';
import { chmodSync, closeSync, constants, openSync } from 'node:fs';
import { SignetError } from '../core/errors/index.ts';
import { isStorageError, storageError } from './storage-error.ts';

/** The schema of one part of the server: SQL steps, each run once and in order, recorded under the part's name. */
export interface Migrations {
  readonly part: string;
  readonly steps: readonly string[];
}

/** An in-memory database, gone when its connection is closed. */
export const IN_MEMORY = ':memory:';

/** How long a writer waits for another process, in milliseconds. */
const BUSY_TIMEOUT = 5000;
/** The first and the longest pause of a waiting writer, in milliseconds. */
const RETRY_MS = 5;
const LONGEST_RETRY_MS = 100;

/**
 * Opens the database file at `path`, creates it with mode 0600 if necessary, and migrates the schema of every part.
 * Several processes may open and migrate the same file at once.
 *
 * A committed transaction survives a power failure. Named parameters are bound without their prefix. Throws
 * `database-unusable`, or `database-newer` if a newer program has migrated the file.
 */
export function openDatabase(path: string, ...migrations: Migrations[]): Database {
  const database = open(path);
  try {
    for (const part of migrations) migrate(database, part);
    // From here on SQLite itself must not wait: that would block the event loop, and with it every request.
    database.run('PRAGMA busy_timeout = 0');
    return database;
  } catch (cause) {
    database.close();
    throw cause instanceof SignetError ? cause : unusable(path, cause);
  }
}

/**
 * Runs `work` in one transaction as the only writer, so that what it reads stays true until it is done. While another
 * process writes, it retries for five seconds without blocking the event loop, so `work` must expect that anything has
 * changed. Throws `database-busy`, `disk-full` or `disk-failing`, and what `work` throws.
 */
export async function write<T>(database: Database, work: () => T): Promise<T> {
  const run = database.transaction(work);
  const deadline = performance.now() + BUSY_TIMEOUT;
  for (let pause = RETRY_MS; ; pause = Math.min(2 * pause, LONGEST_RETRY_MS)) {
    try {
      return run.immediate();
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadline) throw storageError(error);
    }
    await Bun.sleep(pause);
  }
}

/**
 * Like `write`, for optional work: does nothing and returns undefined while another process writes or the disk is full
 * or failing. Reading continues to work then.
 */
export function note<T>(database: Database, work: () => T): T | undefined {
  try {
    return database.transaction(work).immediate();
  } catch (error) {
    if (isStorageError(storageError(error))) return undefined;
    throw error;
  }
}

/** Whether a statement failed because of a unique constraint. */
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

/** If several processes open a new file at once, SQLite refuses all but one immediately, whatever the busy timeout. */
function writeAhead(database: Database): void {
  const deadline = performance.now() + BUSY_TIMEOUT;
  for (;;) {
    try {
      database.run('PRAGMA journal_mode = WAL');
      return;
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadline) throw error;
      Bun.sleepSync(RETRY_MS);
    }
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof SQLiteError && error.code?.startsWith('SQLITE_BUSY') === true;
}

/** SQLite gives the journal files the mode of the database file, so the mode must be right before it starts. */
function makePrivate(path: string): void {
  closeSync(openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600));
  chmodSync(path, 0o600);
}

function migrate(database: Database, { part, steps }: Migrations): void {
  const count = database.query<{ done: number }, [string]>('SELECT count(*) AS done FROM migrations WHERE part = ?');
  // A current schema needs no writer, so the file opens while another process is writing.
  if (count.get(part)?.done === steps.length) return;
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
