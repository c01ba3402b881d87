import type { Database } from 'bun:sqlite';
import { write } from '../../../store/sqlite.ts';
import {
  type CopyMark,
  type CopyPosition,
  dropSqliteCopyMark,
  setSqliteCopyMark,
  sqliteCopyMark,
} from '../copy-mark.ts';
import { openSqliteDatabase } from '../sqlite-storage.ts';
import type { CopiedRow, CopiedValue, CopySide } from './side.ts';
import type { ColumnKind, CopiedTable } from './tables.ts';

/** Index of a name in SQLite. */
const SQLITE = 0;

/** Opens an SQLite file for a copy. Throws what `openSqliteDatabase` throws. */
export function openSqliteSide(path: string): CopySide {
  return new SqliteSide(openSqliteDatabase(path));
}

class SqliteSide implements CopySide {
  private readonly database: Database;

  constructor(database: Database) {
    this.database = database;
  }

  async count({ names }: CopiedTable): Promise<number> {
    const sql = `SELECT count(*) AS rows FROM ${names[SQLITE]}`;
    return this.database.query<{ rows: number }, []>(sql).get()?.rows ?? 0;
  }

  async read(table: CopiedTable, after: CopyPosition | undefined, limit: number): Promise<readonly CopiedRow[]> {
    const key = table.key.map(({ names }) => names[SQLITE]).join(', ');
    const position = after?.map((value, index) => own(value, table.key[index]?.kind)) ?? [];
    const condition = after === undefined ? '' : `WHERE (${key}) > (${position.map(() => '?').join(', ')})`;
    const columns = table.columns.map(({ names }) => names[SQLITE]).join(', ');
    const sql = `SELECT ${columns} FROM ${table.names[SQLITE]} ${condition} ORDER BY ${key} LIMIT ${limit}`;
    const rows = this.database.query<unknown, (string | number | Uint8Array | null)[]>(sql).values(...position);
    return rows.map((row) => row.map((value, index) => neutral(value, table.columns[index]?.kind)));
  }

  async write(table: CopiedTable, rows: readonly CopiedRow[], mark: CopyMark): Promise<void> {
    const columns = table.columns.map(({ names }) => names[SQLITE]);
    const insert = this.database.query<unknown, (string | number | Uint8Array | null)[]>(
      `INSERT INTO ${table.names[SQLITE]} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
    );
    await write(this.database, () => {
      for (const row of rows) insert.run(...row.map((value, index) => own(value, table.columns[index]?.kind)));
      setSqliteCopyMark(this.database, mark);
    });
  }

  async signerKeys(): Promise<number> {
    return 0;
  }

  async mark(): Promise<CopyMark | undefined> {
    return sqliteCopyMark(this.database);
  }

  async begin(mark: CopyMark): Promise<void> {
    await write(this.database, () => setSqliteCopyMark(this.database, mark));
  }

  async finish(): Promise<void> {
    await write(this.database, () => dropSqliteCopyMark(this.database));
  }

  async close(): Promise<void> {
    this.database.close();
  }
}

function neutral(value: unknown, kind: ColumnKind | undefined): CopiedValue {
  if (value instanceof Uint8Array) {
    const bytes = Buffer.from(value);
    return kind === 'hash' ? bytes.toString('hex') : bytes;
  }
  return value as string | number | null;
}

function own(value: CopiedValue, kind: ColumnKind | undefined): string | number | Uint8Array | null {
  return kind === 'hash' && typeof value === 'string' ? Buffer.from(value, 'hex') : value;
}
