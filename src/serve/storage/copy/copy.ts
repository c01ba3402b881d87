import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { isSignetError, SignetError } from '../../../core/errors/index.ts';
import { type DatabaseUrl, formatDatabaseUrl } from '../../../store/database-url.ts';
import type { SqlOptions } from '../../../store/sql.ts';
import { dataFolder } from '../../data/data-folder.ts';
import { lockFolder } from '../../data/folder-lock.ts';
import type { CopyMark } from '../copy-mark.ts';
import { type CopySide, positionOf, TableHash } from './side.ts';
import { COPIED_TABLES, type CopiedTable } from './tables.ts';

/** The progress of a copy: rows of a table that are done, and their total. */
export interface CopyProgress {
  readonly step: 'copying' | 'checking';
  readonly what: string;
  readonly done: number;
  readonly total: number;
}

interface CopyOptions {
  readonly from: DatabaseUrl;
  readonly to: DatabaseUrl;
  readonly sql?: SqlOptions;
  readonly onProgress?: (progress: CopyProgress) => void;
}

/** How many rows were copied. Both sides are equal, row by row. */
interface CopiedCount {
  readonly what: string;
  readonly rows: number;
}

/** The result of a copy. */
interface CopyResult {
  readonly counts: readonly CopiedCount[];
  /** Keys of a notary-signer in the source database, which were not copied. */
  readonly signerKeys: number;
}

/** Rows read at once. Fewer for tables with files, as each row may have megabytes. */
const PAGE = 512;
const PAGE_OF_FILES = 8;

/**
 * Copies everything that a server keeps in its database to an empty one, of any kind, and compares every row of every
 * table at the end. An interrupted copy continues where it stopped. Servers refuse the target database until the copy
 * is complete.
 *
 * Throws `data-folder-locked` if a server works on either database, `database-not-empty`, `database-copy-differs` if the
 * source has changed meanwhile, and what opening throws.
 */
export async function copyDatabase(options: CopyOptions): Promise<CopyResult> {
  const { from, to } = options;
  const source = formatDatabaseUrl(from);
  if (source === formatDatabaseUrl(to)) throw notEmpty(to, 'it is the database that is to be copied');
  if (from.kind === 'sqlite' && !existsSync(from.path)) {
    throw new SignetError('database-unusable', `there is no database ${from.path}`, { next: 'Check the path.' });
  }
  await using cleanup = new AsyncDisposableStack();
  for (const [folder, url] of dataFoldersOf(from, to)) cleanup.defer(lockServer(folder, url));
  const origin = await openSide(from, options.sql);
  cleanup.defer(() => origin.close());
  const target = await openSide(to, options.sql);
  cleanup.defer(() => target.close());

  const mark = await startingPoint(target, to, source);
  const first = COPIED_TABLES.findIndex(({ names }) => names[0] === mark.table);
  for (const [index, table] of COPIED_TABLES.entries()) {
    if (index < first) continue;
    await copyTable(origin, target, table, index === first ? mark : { source, table: table.names[0] }, options);
  }
  const counts: CopiedCount[] = [];
  for (const table of COPIED_TABLES) counts.push(await compareTable(origin, target, table, options));
  await target.finish();
  return { counts, signerKeys: await origin.signerKeys() };
}

/** The data folders of servers that databases lie in. */
function dataFoldersOf(...urls: readonly DatabaseUrl[]): ReadonlyMap<string, DatabaseUrl> {
  const folders = urls.flatMap((url) => (url.kind === 'sqlite' ? [[dirname(url.path), url] as const] : []));
  return new Map(folders.filter(([path]) => existsSync(dataFolder(path).lock)));
}

/**
 * Keeps servers from a data folder while a database in it is copied; returns what lets them in again. Throws
 * `data-folder-locked` if one works there.
 */
function lockServer(path: string, url: DatabaseUrl): () => void {
  try {
    const lock = lockFolder(dataFolder(path));
    return () => lock.release();
  } catch (error) {
    if (isSignetError(error, 'data-folder-locked')) {
      throw error.reworded(`${formatDatabaseUrl(url)} is in use: ${error.message}`, {
        next: 'Stop that server, and run the command again.',
      });
    }
    // A backup that may only be read has no server.
    if (isSignetError(error, 'data-folder-unusable')) return () => {};
    throw error;
  }
}

async function openSide(url: DatabaseUrl, options: SqlOptions | undefined): Promise<CopySide> {
  if (url.kind === 'sqlite') return (await import('./sqlite-side.ts')).openSqliteSide(url.path);
  return (await import('./sql-side.ts')).openSqlSide(url, options);
}

/** The mark to continue from, or the beginning. Throws `database-not-empty` for a database with other content. */
async function startingPoint(target: CopySide, to: DatabaseUrl, source: string): Promise<CopyMark> {
  const mark = await target.mark();
  if (mark?.source === source) return mark;
  if (mark !== undefined) throw notEmpty(to, `it is half of a copy of ${mark.source}`);
  for (const table of COPIED_TABLES) {
    if ((await target.count(table)) > 0) throw notEmpty(to, `it has ${table.what}`);
  }
  const beginning = { source, table: COPIED_TABLES[0]?.names[0] ?? '' };
  await target.begin(beginning);
  return beginning;
}

async function copyTable(
  origin: CopySide,
  target: CopySide,
  table: CopiedTable,
  mark: CopyMark,
  { onProgress }: CopyOptions,
): Promise<void> {
  const total = await origin.count(table);
  let done = mark.position === undefined ? 0 : await target.count(table);
  for (let position = mark.position; ; ) {
    const rows = await origin.read(table, position, pageOf(table));
    const last = rows.at(-1);
    if (last === undefined) return;
    position = positionOf(table, last);
    await target.write(table, rows, { ...mark, position });
    done += rows.length;
    onProgress?.({ step: 'copying', what: table.what, done, total });
  }
}

async function compareTable(
  origin: CopySide,
  target: CopySide,
  table: CopiedTable,
  { onProgress }: CopyOptions,
): Promise<CopiedCount> {
  const total = await origin.count(table);
  const report = (done: number) => onProgress?.({ step: 'checking', what: table.what, done, total });
  const [one, other] = await Promise.all([hashOf(origin, table, report), hashOf(target, table)]);
  if (one.count !== other.count || one.digest() !== other.digest()) {
    const rows = one.count === other.count ? 'in their rows' : `${one.count} rows and ${other.count}`;
    throw new SignetError('database-copy-differs', `the two databases differ in ${table.what}: ${rows}`);
  }
  return { what: table.what, rows: one.count };
}

async function hashOf(side: CopySide, table: CopiedTable, report?: (done: number) => void): Promise<TableHash> {
  const hash = new TableHash();
  for (let rows = await side.read(table, undefined, pageOf(table)); ; ) {
    const last = rows.at(-1);
    if (last === undefined) return hash;
    for (const row of rows) hash.add(table, row);
    report?.(hash.count);
    rows = await side.read(table, positionOf(table, last), pageOf(table));
  }
}

function pageOf({ columns }: CopiedTable): number {
  return columns.some(({ kind }) => kind === 'bytes') ? PAGE_OF_FILES : PAGE;
}

function notEmpty(to: DatabaseUrl, why: string): SignetError {
  return new SignetError('database-not-empty', `cannot copy to ${formatDatabaseUrl(to)}: ${why}`);
}
