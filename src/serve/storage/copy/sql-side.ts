import { NOTARY_DIALECTS, timeText } from '../../../notary/store/notary-dialect.ts';
import { findTables, hasNotary } from '../../../notary/store/notary-tables.ts';
import type { DatabaseServer } from '../../../store/database-url.ts';
import type { SqlDatabase, SqlOptions } from '../../../store/sql.ts';
import type { Statements } from '../../../store/sql-connection.ts';
import { insertRows } from '../../../store/sql-rows.ts';
import {
  type CopyMark,
  type CopyPosition,
  dropSqlCopyMark,
  makeSqlCopyMark,
  setSqlCopyMark,
  sqlCopyMark,
} from '../copy-mark.ts';
import { openSqlDatabase } from '../sql-storage.ts';
import type { CopiedRow, CopiedValue, CopySide } from './side.ts';
import { COPIED_TABLES, type ColumnKind, type CopiedTable } from './tables.ts';

/** Index of a name in a database server. */
const SQL = 1;

/** Opens a database of a database server for a copy. Throws what `openSqlDatabase` throws. */
export async function openSqlSide(server: DatabaseServer, options?: SqlOptions): Promise<CopySide> {
  return new SqlSide((await openSqlDatabase(server, options)).database);
}

class SqlSide implements CopySide {
  private readonly database: SqlDatabase;

  constructor(database: SqlDatabase) {
    this.database = database;
  }

  async count(table: CopiedTable): Promise<number> {
    const row = await this.database.first<{ n: number }>(`SELECT count(*) AS n FROM ${sourceOf(table)}`);
    return row?.n ?? 0;
  }

  async read(table: CopiedTable, after: CopyPosition | undefined, limit: number): Promise<readonly CopiedRow[]> {
    const { readTime } = NOTARY_DIALECTS[this.database.dialect];
    const columns = table.columns.map(({ kind, names }, index) => {
      return `${kind === 'time' ? readTime(names[SQL]) : names[SQL]} AS c${index}`;
    });
    const key = table.key.map(({ names }) => names[SQL]).join(', ');
    const position = Object.fromEntries(after?.map((value, index) => [`p${index}`, value]) ?? []);
    const bound = Object.keys(position).map((name) => `$${name}`);
    const rows = await this.database.all<Record<string, CopiedValue>>(
      `SELECT ${columns.join(', ')} FROM ${sourceOf(table)} ${after === undefined ? '' : `AND (${key}) > (${bound.join(', ')})`}
       ORDER BY ${key} LIMIT ${limit}`,
      position,
    );
    return rows.map((row) => table.columns.map(({ kind }, index) => neutral(row[`c${index}`] ?? null, kind)));
  }

  write(table: CopiedTable, rows: readonly CopiedRow[], mark: CopyMark): Promise<void> {
    return this.database.transaction(async (statements) => {
      const named = rows.map((row) => namedValues(table, row));
      if (table.isNotarys) for (const row of named) await this.insertTimes(statements, table, row);
      else await insertRows(statements, table.names[SQL], named);
      await setSqlCopyMark(statements, mark);
    });
  }

  async signerKeys(): Promise<number> {
    if (!hasNotary(await findTables(this.database), 'signer')) return 0;
    const sql = 'SELECT count(*) AS n FROM private_keys WHERE deleted_at IS NULL';
    return (await this.database.first<{ n: number }>(sql))?.n ?? 0;
  }

  mark(): Promise<CopyMark | undefined> {
    return sqlCopyMark(this.database);
  }

  begin(mark: CopyMark): Promise<void> {
    return makeSqlCopyMark(this.database, mark);
  }

  async finish(): Promise<void> {
    // MySQL continues after the highest number by itself.
    const generated = this.database.dialect === 'postgres' ? COPIED_TABLES.filter((table) => table.hasGeneratedId) : [];
    for (const { names } of generated) {
      const table = names[SQL];
      const next = `setval(pg_get_serial_sequence('${table}', 'id'), (SELECT max(id) FROM ${table}))`;
      await this.database.all(`SELECT ${next} AS next WHERE EXISTS (SELECT 1 FROM ${table})`);
    }
    await dropSqlCopyMark(this.database);
  }

  close(): Promise<void> {
    return this.database.close();
  }

  private async insertTimes(
    statements: Statements,
    table: CopiedTable,
    row: Readonly<Record<string, CopiedValue>>,
  ): Promise<void> {
    const { writeTime } = NOTARY_DIALECTS[this.database.dialect];
    const kinds = new Map<string, ColumnKind>([
      ...table.columns.map(({ names, kind }) => [names[SQL], kind] as const),
      ...table.derived.map(({ name, kind }) => [name, kind] as const),
    ]);
    const isTime = (name: string) => kinds.get(name) === 'time';
    const values = Object.keys(row).map((name) => (isTime(name) ? writeTime(name) : `$${name}`));
    const parameters = Object.entries(row).map(([name, value]) => {
      return [name, isTime(name) && typeof value === 'number' ? timeText(value) : value];
    });
    await statements.run(
      `INSERT INTO ${table.names[SQL]} (${Object.keys(row).join(', ')}) VALUES (${values.join(', ')})`,
      Object.fromEntries(parameters),
    );
  }
}

/** The rows to read. Rows that Notary has marked as deleted are left out. */
function sourceOf({ names }: CopiedTable): string {
  return `${names[SQL]} WHERE ${names[SQL] === 'tuf_files' ? 'deleted_at IS NULL' : '1 = 1'}`;
}

function namedValues(table: CopiedTable, row: CopiedRow): Record<string, CopiedValue> {
  const valueIn = (name: string) => row[table.columns.findIndex(({ names }) => names[0] === name)] ?? null;
  return Object.fromEntries([
    ...table.columns.map(({ names }, index) => [names[SQL], row[index] ?? null]),
    ...table.derived.map(({ name, from, derive }) => [name, derive(valueIn(from))]),
  ]);
}

function neutral(value: CopiedValue, kind: ColumnKind): CopiedValue {
  if (kind === 'padded') return typeof value === 'string' ? value.trimEnd() : '';
  return kind === 'time' ? (value ?? 0) : value;
}
