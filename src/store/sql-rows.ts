import type { SqlDatabase } from './sql.ts';
import type { SqlParameters, Statements } from './sql-connection.ts';
import { isUniqueSqlViolation } from './sql-error.ts';
import { isStorageError } from './storage-error.ts';

type Row = Readonly<Record<string, string | number | Uint8Array | null>>;

/** Rows in one INSERT at most; also values in one list. */
const MAX_BATCH = 256;
/** How often two writers may meet in one new row. */
const MAX_CONFLICTS = 10;

/**
 * `SqlDatabase.transaction` for work that looks whether a row is there and adds it if it is not: when another writer adds
 * it in between, it is tried again, and finds it.
 */
export async function addOrFind<T>(database: SqlDatabase, work: (statements: Statements) => Promise<T>): Promise<T> {
  for (let conflicts = 1; ; conflicts++) {
    try {
      return await database.transaction(work);
    } catch (error) {
      if (!isUniqueSqlViolation(error) || conflicts === MAX_CONFLICTS) throw error;
    }
  }
}

/** The result of what a request can do without; undefined if the database cannot do it at the moment. */
export async function orNothing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isStorageError(error)) return undefined;
    throw error;
  }
}

/**
 * Adds rows, which all have the same columns. In batches of sizes that are powers of two, so that there are few
 * different statements, each of which the server keeps.
 */
export async function insertRows(statements: Statements, table: string, rows: readonly Row[]): Promise<void> {
  const columns = Object.keys(rows[0] ?? {});
  for (let start = 0; start < rows.length; ) {
    const size = Math.min(MAX_BATCH, 2 ** Math.floor(Math.log2(rows.length - start)));
    const parameters: Record<string, SqlParameters[string]> = {};
    const tuples = rows.slice(start, start + size).map((row, index) => {
      const names = columns.map((column, position) => {
        parameters[`v${index}_${position}`] = row[column] ?? null;
        return `$v${index}_${position}`;
      });
      return `(${names.join(', ')})`;
    });
    await statements.run(`INSERT INTO ${table} (${columns.join(', ')}) VALUES ${tuples.join(', ')}`, parameters);
    start += size;
  }
}

/** The list in pieces that are short enough for `IN ($list)`. */
export function inBatches<T>(list: readonly T[]): readonly (readonly T[])[] {
  const count = Math.ceil(list.length / MAX_BATCH);
  return Array.from({ length: count }, (_, index) => list.slice(index * MAX_BATCH, (index + 1) * MAX_BATCH));
}
