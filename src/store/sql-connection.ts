import type { ReservedSQL } from 'bun';
import type { Dialect } from './database-url.ts';
import { unavailable } from './sql-error.ts';

type Value = string | number | Uint8Array | null;

/**
 * Values of a statement's `$name` parameters. A list expands to `?, ?, …`, as in `digest IN ($digests)`, and must not
 * be empty.
 */
export type SqlParameters = Readonly<Record<string, Value | readonly Value[]>>;

/** Runs statements, with parameters written as `$name` in both dialects. */
export interface Statements {
  readonly dialect: Dialect;
  all<Row>(sql: string, parameters?: SqlParameters): Promise<readonly Row[]>;
  /** Returns the first row, undefined if there is none. */
  first<Row>(sql: string, parameters?: SqlParameters): Promise<Row | undefined>;
  /** Returns the number of rows changed. An UPDATE counts the rows it matches, even if their values stay the same. */
  run(sql: string, parameters?: SqlParameters): Promise<number>;
  /** Inserts one row into a table with a generated `id`, and returns the ID. */
  insert(sql: string, parameters?: SqlParameters): Promise<number>;
}

/** What Bun's client returns for a statement. */
interface Result extends Array<Record<string, unknown>> {
  readonly affectedRows: number;
  readonly lastInsertRowid: number | bigint | string | null;
  readonly command: string | null;
  readonly columns: readonly { readonly name: string; readonly type: number }[] | null;
}

/** MySQL's type code of VARBINARY, which tables use for names so that they compare byte for byte. */
const VAR_STRING = 253;
const PARAMETER = /\$([a-z]\w*)/g;

/** One connection taken from the pool. It throws the errors of Bun's client. */
export class SqlConnection implements Statements {
  readonly dialect: Dialect;
  private readonly client: ReservedSQL;
  private readonly timeout: number;
  private isDead = false;

  /** A statement that takes longer than `timeout`, in milliseconds, closes the connection. */
  constructor(client: ReservedSQL, dialect: Dialect, timeout: number) {
    this.client = client;
    this.dialect = dialect;
    this.timeout = timeout;
  }

  async all<Row>(sql: string, parameters: SqlParameters = {}): Promise<readonly Row[]> {
    const result = await this.query(sql, parameters);
    return readRows(result, this.dialect) as readonly Row[];
  }

  async first<Row>(sql: string, parameters?: SqlParameters): Promise<Row | undefined> {
    return (await this.all<Row>(sql, parameters))[0];
  }

  async run(sql: string, parameters: SqlParameters = {}): Promise<number> {
    return (await this.query(sql, parameters)).affectedRows;
  }

  async insert(sql: string, parameters: SqlParameters = {}): Promise<number> {
    if (this.dialect === 'mysql') return Number((await this.query(sql, parameters)).lastInsertRowid);
    const [row] = await this.all<{ id: number }>(`${sql} RETURNING id`, parameters);
    if (row === undefined) throw new Error('the database returned no id');
    return row.id;
  }

  /** Begins a transaction with `statements`, which may be several. */
  async begin(statements: string): Promise<void> {
    await this.withinTime(this.client.unsafe(statements).simple());
  }

  /** Throws if the server rolled back instead, as PostgreSQL does after a failed statement. */
  async commit(): Promise<void> {
    const { command } = await this.withinTime<Result>(this.client.unsafe('COMMIT'));
    if (command === 'ROLLBACK') throw new Error('a transaction went on after one of its statements had failed');
  }

  /** Never throws: a connection that cannot roll back is closed, which has the same effect. */
  async rollback(): Promise<void> {
    try {
      if (!this.isDead) await this.withinTime(this.client.unsafe('ROLLBACK'));
    } catch {
      await this.end();
    }
  }

  /** Returns the connection to the pool. */
  async release(): Promise<void> {
    if (!this.isDead) await this.client.release();
  }

  private async query(sql: string, parameters: SqlParameters): Promise<Result> {
    const { text, values } = positional(sql, parameters, this.dialect);
    return this.withinTime<Result>(this.client.unsafe(text, values));
  }

  private async withinTime<T>(query: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(unavailable(new Error(`no answer within ${this.timeout} ms`)));
        void this.end();
      }, this.timeout);
    });
    try {
      return await Promise.race([query, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  private async end(): Promise<void> {
    this.isDead = true;
    await this.client.close({ timeout: 0 }).catch(() => {});
  }
}

/** Replaces `$name` parameters by the server's placeholders. Integers are passed as integers, whatever their size. */
function positional(sql: string, parameters: SqlParameters, dialect: Dialect): { text: string; values: unknown[] } {
  const values: unknown[] = [];
  const placeholder = (value: Value) => {
    values.push(typeof value === 'number' ? BigInt(value) : value);
    return dialect === 'postgres' ? `$${values.length}` : '?';
  };
  const text = sql.replace(PARAMETER, (_, name: string) => {
    const value = parameters[name];
    if (value === undefined) throw new Error(`the statement has no value for $${name}`);
    return isList(value) ? padded(value).map(placeholder).join(', ') : placeholder(value);
  });
  return { text, values };
}

function isList(value: Value | readonly Value[]): value is readonly Value[] {
  return Array.isArray(value);
}

/**
 * Pads a list to a power of two, to keep the number of different statements small: the server prepares and keeps each.
 */
function padded(list: readonly Value[]): readonly Value[] {
  const last = list.at(-1);
  if (last === undefined) throw new Error('the list of a statement is empty');
  const length = 2 ** Math.ceil(Math.log2(list.length));
  return [...list, ...Array.from({ length: length - list.length }, () => last)];
}

function readRows(result: Result, dialect: Dialect): Record<string, unknown>[] {
  const texts = new Set(
    dialect === 'mysql' ? result.columns?.filter(({ type }) => type === VAR_STRING).map(({ name }) => name) : [],
  );
  return Array.from(result, (row) =>
    Object.fromEntries(Object.entries(row).map(([name, value]) => [name, readValue(value, texts.has(name))])),
  );
}

function readValue(value: unknown, isText: boolean): unknown {
  if (isText && Buffer.isBuffer(value)) return value.toString('utf8');
  if (typeof value !== 'bigint') return value;
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new Error('the database holds a number that is too large');
  return number;
}
