import type { Database } from 'bun:sqlite';
import { SignetError } from '../../core/errors/index.ts';
import type { SqlDatabase } from '../../store/sql.ts';
import type { Statements } from '../../store/sql-connection.ts';

/** A position in a table: the key values of the last processed row. */
export type CopyPosition = readonly (string | number)[];

/**
 * The progress of a database copy (`signet serve database copy`). It is stored in the target database, in a table that
 * exists until the copy is complete, and is updated in the transactions that add rows.
 */
export interface CopyMark {
  /** The source database, without a password. */
  readonly source: string;
  /** The table being copied, by its name in SQLite. */
  readonly table: string;
  readonly position?: CopyPosition | undefined;
}

const TABLE = 'signet_copy';

/** Refuses a database with an unfinished copy. Throws `database-incomplete`. */
export function refuseIncomplete(mark: CopyMark | undefined): void {
  if (mark === undefined) return;
  throw new SignetError('database-incomplete', `the database is half of a copy of ${mark.source}`);
}

/** The mark in an SQLite file. Undefined if no copy is in progress. */
export function sqliteCopyMark(database: Database): CopyMark | undefined {
  const find = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?";
  if (database.query(find).get(TABLE) === null) return undefined;
  const row = database.query<{ mark: string }, []>(`SELECT mark FROM ${TABLE}`).get();
  return row === null ? undefined : (JSON.parse(row.mark) as CopyMark);
}

/** Call it within a transaction. */
export function setSqliteCopyMark(database: Database, mark: CopyMark): void {
  database.run(`CREATE TABLE IF NOT EXISTS ${TABLE} (mark TEXT NOT NULL) STRICT`);
  database.run(`DELETE FROM ${TABLE}`);
  database.query(`INSERT INTO ${TABLE} (mark) VALUES (?)`).run(JSON.stringify(mark));
}

/** Removes the table of the mark, which marks the copy as complete. */
export function dropSqliteCopyMark(database: Database): void {
  database.run(`DROP TABLE ${TABLE}`);
}

/** The mark in a server's database. Undefined if no copy is in progress. */
export async function sqlCopyMark(database: SqlDatabase): Promise<CopyMark | undefined> {
  const schema = database.dialect === 'postgres' ? 'current_schema()' : 'database()';
  const found = await database.first(
    `SELECT 1 AS found FROM information_schema.tables WHERE table_schema = ${schema} AND table_name = $name`,
    { name: TABLE },
  );
  if (found === undefined) return undefined;
  const row = await database.first<{ mark: string }>(`SELECT mark FROM ${TABLE}`);
  return row && (JSON.parse(row.mark) as CopyMark);
}

/** Creates the table of the mark unless it exists, and stores the mark. */
export async function makeSqlCopyMark(database: SqlDatabase, mark: CopyMark): Promise<void> {
  const type = database.dialect === 'postgres' ? 'TEXT' : 'LONGTEXT';
  await database.run(`CREATE TABLE IF NOT EXISTS ${TABLE} (mark ${type} NOT NULL)`);
  await database.transaction((statements) => setSqlCopyMark(statements, mark));
}

/** Call it within a transaction, after `makeSqlCopyMark`. */
export async function setSqlCopyMark(statements: Statements, mark: CopyMark): Promise<void> {
  await statements.run(`DELETE FROM ${TABLE}`);
  await statements.run(`INSERT INTO ${TABLE} (mark) VALUES ($mark)`, { mark: JSON.stringify(mark) });
}

/** Removes the table of the mark, which marks the copy as complete. */
export async function dropSqlCopyMark(database: SqlDatabase): Promise<void> {
  await database.run(`DROP TABLE ${TABLE}`);
}
