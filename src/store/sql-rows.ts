import type { SqlDatabase } from './sql.ts';
import type { SqlParameters, Statements } from './sql-connection.ts';
import { isUniqueSqlViolation } from './sql-error.ts';
import { isStorageError } from './storage-error.ts';

type Row = Readonly<Record<string, string | number | Uint8Array | null>>;

/** Most rows in one INSERT, and most values in one list. */
const MAX_BATCH = 256;
/** Most attempts if another writer keeps adding the same row. */
const MAX_CONFLICTS = 10;

/**
 * `SqlDatabase.transaction` for work that adds a row if it does not find it. If another writer adds the row in between,
 * the transaction runs again and finds it.
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

/** Returns the result of optional work. Undefined if the database is unavailable, busy or full at the moment. */
export async function orNothing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isStorageError(error)) return undefined;
    throw error;
  }
}

/**
 * Inserts rows that all have the same columns, in batches whose sizes are powers of two: that limits the number of
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

/** Splits a list into pieces short enough for `IN ($list)`. */
export function inBatches<T>(list: readonly T[]): readonly (readonly T[])[] {
  const count = Math.ceil(list.length / MAX_BATCH);
  return Array.from({ length: count }, (_, index) => list.slice(index * MAX_BATCH, (index + 1) * MAX_BATCH));
}
