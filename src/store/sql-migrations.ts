import { SignetError } from '../core/errors/index.ts';
import { SECOND } from '../core/time.ts';
import type { Dialect } from './database-url.ts';
import type { SqlDatabase } from './sql.ts';
import type { SqlParameters, Statements } from './sql-connection.ts';

/** The tables of one part of the server in a database server. All their names begin with `signet_`. */
export interface SqlMigrations {
  readonly part: string;
  /**
   * Steps that are each run once and in order. MySQL commits after each statement that changes the schema, so a step
   * must be safe to repeat after a crash, as `createTable` is.
   */
  readonly steps: readonly ((types: ColumnTypes) => readonly string[])[];
}

/** Column types of a dialect. */
export interface ColumnTypes {
  readonly dialect: Dialect;
  /** A number that the database generates for each row and never reuses. */
  readonly id: string;
  /** Integers up to 2^53. Times are milliseconds since 1970. */
  readonly integer: string;
  /** Text of at most `length` bytes that compares and sorts byte for byte and can be part of a key. */
  name(length: number): string;
  /** Text of any length that is not compared. */
  readonly text: string;
  readonly bytes: string;
  /** Creates a table unless it exists, with indexes as `{name: columns}`. */
  createTable(name: string, lines: readonly string[], indexes?: Readonly<Record<string, string>>): readonly string[];
}

const TYPES: Readonly<Record<Dialect, ColumnTypes>> = {
  postgres: {
    dialect: 'postgres',
    id: 'BIGSERIAL PRIMARY KEY',
    integer: 'BIGINT',
    name: (length) => `VARCHAR(${length}) COLLATE "C"`,
    text: 'TEXT',
    bytes: 'BYTEA',
    createTable: (name, lines, indexes = {}) => [
      `CREATE TABLE IF NOT EXISTS ${name} (${lines.join(', ')})`,
      ...Object.entries(indexes).map(
        ([index, columns]) => `CREATE INDEX IF NOT EXISTS ${index} ON ${name} (${columns})`,
      ),
    ],
  },
  mysql: {
    dialect: 'mysql',
    id: 'BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY',
    integer: 'BIGINT',
    name: (length) => `VARBINARY(${length})`,
    text: 'LONGTEXT',
    bytes: 'LONGBLOB',
    createTable: (name, lines, indexes = {}) => {
      const all = [...lines, ...Object.entries(indexes).map(([index, columns]) => `INDEX ${index} (${columns})`)];
      return [
        `CREATE TABLE IF NOT EXISTS ${name} (${all.join(', ')}) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`,
      ];
    },
  },
};

const BOOKS = 'signet_migrations';
/** How long a replica waits while another one migrates, and how often it checks, in milliseconds. */
const PATIENCE = 120 * SECOND;
const RETRY_MS = 50;
/** PostgreSQL's locks have numbers: this is "signet" in ASCII. */
const POSTGRES_LOCK = 0x7369676e6574;

/**
 * Migrates the tables of every part to the current schema. Several replicas may call it at the same time. Changes only
 * Signet's own tables. Throws `database-newer` if a newer program has migrated the database.
 */
export async function migrateSql(database: SqlDatabase, ...parts: readonly SqlMigrations[]): Promise<void> {
  if (await isUpToDate(database, parts)) return;
  const types = TYPES[database.dialect];
  const migrate = async (statements: Statements) => {
    const lines = [`part ${types.name(64)} NOT NULL`, `step ${types.integer} NOT NULL`, 'PRIMARY KEY (part, step)'];
    for (const sql of types.createTable(BOOKS, lines)) await statements.run(sql);
    for (const part of parts) await migratePart(statements, part, types);
  };
  await (database.dialect === 'postgres' ? inPostgres(database, migrate) : inMysql(database, migrate));
}

/** If all is up to date, neither the lock nor the right to create tables is needed. */
async function isUpToDate(database: SqlDatabase, parts: readonly SqlMigrations[]): Promise<boolean> {
  const schema = database.dialect === 'postgres' ? 'current_schema()' : 'database()';
  const found = await database.first(
    `SELECT 1 AS found FROM information_schema.tables WHERE table_schema = ${schema} AND table_name = $name`,
    { name: BOOKS },
  );
  if (found === undefined) return false;
  for (const { part, steps } of parts) if ((await stepsDone(database, part, steps.length)) < steps.length) return false;
  return true;
}

async function migratePart(statements: Statements, { part, steps }: SqlMigrations, types: ColumnTypes): Promise<void> {
  const done = await stepsDone(statements, part, steps.length);
  for (const [step, statementsOf] of steps.entries()) {
    if (step < done) continue;
    for (const sql of statementsOf(types)) await statements.run(sql);
    await statements.run(`INSERT INTO ${BOOKS} (part, step) VALUES ($part, $step)`, { part, step });
  }
}

async function stepsDone(statements: Statements, part: string, known: number): Promise<number> {
  const row = await statements.first<{ done: number }>(`SELECT count(*) AS done FROM ${BOOKS} WHERE part = $part`, {
    part,
  });
  const done = row?.done ?? 0;
  if (done > known) {
    throw new SignetError('database-newer', `the ${part} data has schema ${done}, this program knows ${known}`);
  }
  return done;
}

function inPostgres(database: SqlDatabase, work: (statements: Statements) => Promise<void>): Promise<void> {
  return database.transaction(async (statements) => {
    await untilHeld(statements, 'SELECT pg_try_advisory_xact_lock($lock)::int AS held', { lock: POSTGRES_LOCK });
    await work(statements);
  });
}

/** Locks are global to the server, so the lock's name contains the database. */
function inMysql(database: SqlDatabase, work: (statements: Statements) => Promise<void>): Promise<void> {
  const lock = "concat('signet-', sha1(database()))";
  return database.reserved(async (statements) => {
    await untilHeld(statements, `SELECT get_lock(${lock}, 0) AS held`, {});
    try {
      await work(statements);
    } finally {
      await statements.run(`DO release_lock(${lock})`);
    }
  });
}

async function untilHeld(statements: Statements, attempt: string, parameters: SqlParameters): Promise<void> {
  const deadline = performance.now() + PATIENCE;
  while ((await statements.first<{ held: number }>(attempt, parameters))?.held !== 1) {
    if (performance.now() > deadline) {
      throw new SignetError('database-busy', 'another process has been changing the tables of the database for long');
    }
    await Bun.sleep(RETRY_MS);
  }
}
