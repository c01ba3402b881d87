import { createReadStream, type Stats, statSync } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { SignetError } from '../../../core/errors/index.ts';
import { printable, quoted } from '../../../core/printable.ts';
import { readTar } from '../../../core/tar.ts';
import { unreadable } from '../../../store/files.ts';
import { readDocuments } from './documents.ts';
import { changeIn, type DumpedChange, type DumpedFile, type DumpedKey, fileIn, keyIn } from './rows.ts';

/** A table of RethinkDB, as `DATABASE.TABLE`. */
export type TableName = `${string}.${string}`;

/** What is done with the rows of a dump, in their order. */
interface DumpVisitor {
  onFile(file: DumpedFile): void | Promise<void>;
  onChange?(change: DumpedChange): void;
  onKey?(key: DumpedKey): void;
}

/** What a dump has. */
export interface DumpSummary {
  /** The tables that were read. */
  readonly tables: ReadonlyMap<NotaryTable, TableName>;
  /** Tables of other programs. */
  readonly others: readonly TableName[];
  /** Rows that are marked as deleted. */
  readonly deleted: number;
}

interface DumpOptions {
  /** Bytes that a dump has at most, unpacked. */
  readonly limit?: number;
  /** Told how many bytes of the file have been read, of how many. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

type NotaryTable = 'tuf_files' | 'changefeed' | 'private_keys';

const LIMIT = 2 ** 38;
const NOTARY_TABLES: readonly string[] = ['tuf_files', 'changefeed', 'private_keys'] satisfies NotaryTable[];
const PATH = /^(?:[^/]+\/)?([A-Za-z0-9_-]+)\/([A-Za-z0-9_-]+)\.(json|info)$/;
const MAX_TABLES = 10_000;

/**
 * Reads what `rethinkdb dump` writes: a gzipped tar archive with `DATABASE/TABLE.json`, an array of documents, and
 * `DATABASE/TABLE.info` for each table, in a folder of the dump's name. Rows of Notary's tables are handed to the visitor one by
 * one, those marked as deleted excepted; every other table is passed over and named. Throws `dump-invalid`, which says where,
 * and `file-unreadable`; and what the visitor throws.
 */
export async function readDump(
  path: string,
  visitor: DumpVisitor,
  { limit = LIMIT, onProgress }: DumpOptions = {},
): Promise<DumpSummary> {
  const seen = new Set<string>();
  const roots = new Set<string>();
  const tables = new Map<NotaryTable, TableName>();
  const others: TableName[] = [];
  let deleted = 0;
  await using bytes = openDump(path, limit, onProgress);
  for await (const { path: name, content } of guarded(path, undefined, readTar(bytes))) {
    const [, database, table, kind] = PATH.exec(name) ?? [];
    if (database === undefined || table === undefined)
      throw invalid(path, `it has ${quoted(name, 200)}, which is no table`);
    roots.add(name.split('/').slice(0, -2).join());
    if (roots.size > 1) throw invalid(path, 'its tables lie in several folders');
    if (seen.has(name)) throw invalid(path, `it has ${quoted(name, 200)} twice`);
    if (seen.add(name).size > 2 * MAX_TABLES) throw invalid(path, `it has more than ${MAX_TABLES} tables`);
    if (kind === 'info') continue;
    const tableName: TableName = `${database}.${table}`;
    if (!isNotarys(table)) {
      others.push(tableName);
      continue;
    }
    const former = tables.get(table);
    if (former !== undefined) throw invalid(path, `it has two tables ${table}: ${former} and ${tableName}`);
    tables.set(table, tableName);
    deleted += await readTable(path, tableName, table, content, visitor);
  }
  for (const name of seen) {
    const other = name.endsWith('.json') ? name.replace(/json$/, 'info') : name.replace(/info$/, 'json');
    if (!seen.has(other)) throw invalid(path, `it has ${name}, but not ${other}`);
  }
  refuseMixed(path, tables);
  return { tables, others, deleted };
}

async function readTable(
  path: string,
  name: TableName,
  table: NotaryTable,
  content: AsyncIterable<Uint8Array>,
  visitor: DumpVisitor,
): Promise<number> {
  let [number, deleted] = [0, 0];
  const keys = new Set<string>();
  const where = () => `${name}, row ${number + 1}`;
  for await (const document of guarded(path, where, readDocuments(content))) {
    const row = within(path, where, () => READERS[table](document));
    if (row !== undefined && keys.size === keys.add(keyOf(row)).size) {
      throw invalid(path, `${where()}: there is another row for ${keyOf(row)}`);
    }
    if (row === undefined) deleted++;
    else if (table === 'tuf_files') await visitor.onFile(row as DumpedFile);
    else if (table === 'changefeed') visitor.onChange?.(row as DumpedChange);
    else visitor.onKey?.(row as DumpedKey);
    number++;
  }
  return deleted;
}

const READERS = { tuf_files: fileIn, changefeed: changeIn, private_keys: keyIn } as const;

/** What no two rows of a table have in common. */
function keyOf(row: DumpedFile | DumpedChange | DumpedKey): string {
  return 'role' in row && 'data' in row ? `${row.role} ${row.version} of ${row.gun}` : row.id;
}

/** The server's two tables are of one database. */
function refuseMixed(path: string, tables: ReadonlyMap<NotaryTable, TableName>): void {
  const [files, changes] = [tables.get('tuf_files'), tables.get('changefeed')];
  if (tables.size === 0) throw invalid(path, `it has none of the tables ${NOTARY_TABLES.join(', ')}`);
  if (changes !== undefined && files === undefined) throw invalid(path, `it has ${changes}, but no tuf_files`);
  if (files === undefined || changes === undefined) return;
  if (files.split('.')[0] !== changes.split('.')[0]) {
    throw invalid(path, `${files} and ${changes} are of two databases`);
  }
}

function isNotarys(table: string): table is NotaryTable {
  return NOTARY_TABLES.includes(table);
}

/** The archive in a file, unpacked as it is read. */
function openDump(path: string, limit: number, onProgress: DumpOptions['onProgress']) {
  const total = sizeOf(path);
  const file = createReadStream(path);
  const archive = createGunzip();
  file.on('error', (error) => archive.destroy(error));
  file.pipe(archive);
  return {
    async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
      let length = 0;
      try {
        for await (const chunk of archive) {
          length += chunk.length;
          if (length > limit) throw new SignetError('too-large', `it has more than ${limit} bytes`);
          if (file.bytesRead < total) onProgress?.(file.bytesRead, total);
          yield chunk;
        }
        onProgress?.(total, total);
      } catch (cause) {
        if (cause instanceof SignetError) throw cause;
        const why = cause instanceof Error ? printable(cause.message, 100) : 'it is damaged';
        throw new SignetError('archive-invalid', `it cannot be unpacked by gzip: ${why}`, { cause });
      }
    },
    async [Symbol.asyncDispose](): Promise<void> {
      file.destroy();
      archive.destroy();
    },
  };
}

function sizeOf(path: string): number {
  let stats: Stats;
  try {
    stats = statSync(path);
  } catch (cause) {
    throw unreadable(path, cause);
  }
  if (stats.isFile()) return stats.size;
  throw invalid(path, 'it is no file');
}

/** What reading throws, with where it was. */
async function* guarded<T>(
  path: string,
  where: (() => string) | undefined,
  items: AsyncGenerator<T>,
): AsyncGenerator<T> {
  for (;;) {
    let next: IteratorResult<T>;
    try {
      next = await items.next();
    } catch (error) {
      throw explained(path, where, error);
    }
    if (next.done === true) return;
    yield next.value;
  }
}

function within<T>(path: string, where: () => string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw explained(path, where, error);
  }
}

function explained(path: string, where: (() => string) | undefined, error: unknown): unknown {
  if (!(error instanceof SignetError) || error.code === 'dump-invalid') return error;
  return invalid(path, where === undefined ? error.message : `${where()}: ${error.message}`, error);
}

function invalid(path: string, why: string, cause?: unknown): SignetError {
  return new SignetError('dump-invalid', `the dump ${printable(path, 200)} cannot be imported: ${why}`, { cause });
}
