import { createHash, type Hash } from 'node:crypto';
import { SignetError } from '../../../core/errors/index.ts';
import { SECOND } from '../../../core/time.ts';
import { NOTARY_DIALECTS, timeText } from '../../../notary/store/notary-dialect.ts';
import { findTables, openSignerTable } from '../../../notary/store/notary-tables.ts';
import { type DatabaseServer, type DatabaseUrl, formatDatabaseUrl } from '../../../store/database-url.ts';
import { SqlDatabase, type SqlOptions } from '../../../store/sql.ts';
import type { Statements } from '../../../store/sql-connection.ts';
import { COPIED_TABLES } from '../copy/tables.ts';
import { refuseIncomplete, sqlCopyMark } from '../copy-mark.ts';
import { openSqlDatabase } from '../sql-storage.ts';
import { type DumpSummary, readDump, type TableName } from './dump.ts';
import type { DumpedChange, DumpedFile, DumpedKey } from './rows.ts';

/** What an import is doing, and how far it is: bytes of the dump, or rows. */
interface ImportProgress {
  readonly step: 'reading' | 'importing' | 'checking';
  readonly what: string;
  readonly done: number;
  readonly total: number;
}

interface ImportOptions {
  /** The file that `rethinkdb dump` has written. */
  readonly dump: string;
  readonly to: DatabaseUrl;
  readonly sql?: SqlOptions;
  readonly onProgress?: (progress: ImportProgress) => void;
}

/** Rows that are in the database now, as they are in the dump. */
interface ImportedCount {
  readonly what: string;
  readonly rows: number;
}

/** What an import came to. */
interface RethinkdbImport {
  readonly counts: readonly ImportedCount[];
  /** Tables that are not Notary's, which were left out. */
  readonly others: readonly TableName[];
  /** Rows that Notary has marked as deleted, which were left out. */
  readonly deleted: number;
}

/** A dump that was read through: everything but the files, which are too large to keep. */
interface Survey {
  readonly summary: DumpSummary;
  readonly files: RowHash;
  readonly changes: readonly DumpedChange[];
  readonly keys: readonly DumpedKey[];
}

interface FileRow {
  readonly id: number;
  readonly gun: string;
  readonly role: string;
  readonly version: number;
  readonly sha256: string;
  readonly data: Uint8Array;
  readonly at: number | null;
}

const [FILES, CHANGES, KEYS] = ['trust data', 'changes of trust data', 'keys of the signer'] as const;
/** Files that are read at once; each may have megabytes. */
const PAGE = 8;

/**
 * Imports what a notary-server and a notary-signer had in RethinkDB (protocol B.12.5) from a dump of it into an empty database
 * of a PostgreSQL, MySQL or MariaDB server, in the tables that Notary has there. Keys stay encrypted as they are. The dump
 * is read through before the database is opened, and again for the import, which is one transaction; what it wrote is
 * read back and compared before its end.
 *
 * Throws `dump-invalid`, `database-not-empty`, `database-copy-differs`, `gun-case-conflict`, `database-url-invalid` for an SQLite database, and
 * what opening the database throws.
 */
export async function importRethinkdb({ dump, to, sql, onProgress }: ImportOptions): Promise<RethinkdbImport> {
  if (to.kind === 'sqlite') throw needsServer(to);
  const survey = await surveyDump(dump, to, (done, total) => {
    onProgress?.({ step: 'reading', what: 'bytes of the dump', done, total });
  });
  const database = await openTarget(to, survey.summary, sql);
  try {
    await database.transaction(async (statements) => {
      await refuseFull(statements, to);
      const total = survey.files.count;
      const written = new RowHash();
      await readDump(dump, {
        onFile: async (file) => {
          await insertFile(statements, file);
          written.add(file, file.data);
          onProgress?.({ step: 'importing', what: FILES, done: written.count, total });
        },
      });
      if (written.digest !== survey.files.digest) throw differs('the dump was changed while it was read');
      for (const change of survey.changes) await insertChange(statements, change);
      for (const key of survey.keys) await insertKey(statements, key);
      await compare(statements, survey, (done) => onProgress?.({ step: 'checking', what: FILES, done, total }));
    });
  } finally {
    await database.close();
  }
  return {
    counts: [
      { what: FILES, rows: survey.files.count },
      { what: CHANGES, rows: survey.changes.length },
      { what: KEYS, rows: survey.keys.length },
    ],
    others: survey.summary.others,
    deleted: survey.summary.deleted,
  };
}

/** Reads a dump through. Its changes and keys come in the order in which they were made: the dump has them by their ids. */
async function surveyDump(
  dump: string,
  to: DatabaseServer,
  onProgress: (done: number, total: number) => void,
): Promise<Survey> {
  const files = new RowHash();
  const changes: DumpedChange[] = [];
  const keys: DumpedKey[] = [];
  const timestamps: DumpedChange[] = [];
  const variants = new Map<string, string>();
  const visitor = {
    onFile: (file: DumpedFile) => {
      const { gun, role, version, sha256, createdAt } = file;
      files.add(file, file.data);
      if (to.dialect === 'mysql') {
        refuseVariant(variants, gun);
        refuseVariant(variants, `${role} of ${gun}`);
      }
      if (role === 'timestamp') timestamps.push({ id: sha256, gun, version, sha256, category: 'update', createdAt });
    },
    onChange: (change: DumpedChange) => void changes.push(change),
    onKey: (key: DumpedKey) => void keys.push(key),
  };
  const summary = await readDump(dump, visitor, { onProgress });
  // Early Notary had no changefeed. Its own SQL migrations fill it from the timestamps, too.
  const feed = summary.tables.has('changefeed') ? changes : timestamps;
  return { summary, files, changes: feed.toSorted(byAge), keys: keys.toSorted(byAge) };
}

function byAge(one: DumpedChange | DumpedKey, other: DumpedChange | DumpedKey): number {
  return (one.createdAt ?? 0) - (other.createdAt ?? 0) || (one.id < other.id ? -1 : 1);
}

/** MySQL's tables take names that differ in case only for one. */
function refuseVariant(variants: Map<string, string>, name: string): void {
  const former = variants.get(name.toLowerCase());
  variants.set(name.toLowerCase(), name);
  if (former === undefined || former === name) return;
  throw new SignetError('gun-case-conflict', `${name} and ${former} have one name to MySQL and MariaDB`, {
    next: 'Import the dump into PostgreSQL.',
  });
}

/** Opens the database, and makes the tables that the dump has rows for. */
async function openTarget(
  to: DatabaseServer,
  { tables }: DumpSummary,
  options: SqlOptions | undefined,
): Promise<SqlDatabase> {
  const isServers = tables.has('tuf_files');
  const database = isServers ? (await openSqlDatabase(to, options)).database : await SqlDatabase.open(to, options);
  try {
    // Before the signer's table is made: a database that is not empty is left as it is.
    await refuseFull(database, to);
    refuseIncomplete(await sqlCopyMark(database));
    if (tables.has('private_keys')) await openSignerTable(database);
    return database;
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** Throws `database-not-empty` for a database in which a server or a signer has anything. */
async function refuseFull(statements: Statements, to: DatabaseServer): Promise<void> {
  const { columns } = await findTables(statements);
  const tables = [...COPIED_TABLES.map(({ what, names }) => [what, names[1]]), [KEYS, 'private_keys']] as const;
  for (const [what, name = ''] of tables) {
    if (!columns.has(name)) continue;
    if ((await statements.first(`SELECT 1 AS found FROM ${name} LIMIT 1`)) === undefined) continue;
    throw new SignetError('database-not-empty', `cannot import into ${formatDatabaseUrl(to)}: it has ${what}`, {
      next: 'Import into an empty database.',
    });
  }
}

async function insertFile(statements: Statements, { createdAt, ...file }: DumpedFile): Promise<void> {
  const time = NOTARY_DIALECTS[statements.dialect].writeTime('at');
  await statements.run(
    `INSERT INTO tuf_files (created_at, updated_at, gun, role, version, sha256, data)
     VALUES (${time}, ${time}, $gun, $role, $version, $sha256, $data)`,
    { at: timeOf(statements, createdAt), ...file },
  );
}

async function insertChange(statements: Statements, change: DumpedChange): Promise<void> {
  const { gun, version, sha256, category, createdAt } = change;
  await statements.run(
    `INSERT INTO changefeed (created_at, gun, version, sha256, category)
     VALUES (${NOTARY_DIALECTS[statements.dialect].writeTime('at')}, $gun, $version, $sha256, $category)`,
    { at: timeOf(statements, createdAt), gun, version, sha256, category },
  );
}

async function insertKey(statements: Statements, key: DumpedKey): Promise<void> {
  const { writeTime } = NOTARY_DIALECTS[statements.dialect];
  // In MySQL this column is a `datetime`, which has no time zone.
  const used = statements.dialect === 'postgres' ? writeTime('used') : '$used';
  await statements.run(
    `INSERT INTO private_keys (created_at, updated_at, key_id, encryption_alg, keywrap_alg, algorithm, passphrase_alias,
       public, private, gun, role, last_used)
     VALUES (${writeTime('at')}, ${writeTime('at')}, $id, $encryption, $wrapping, $algorithm, $alias,
       $publicBytes, $encrypted, $gun, $role, ${used})`,
    {
      ...{
        at: timeOf(statements, key.createdAt),
        used: timeOf(statements, key.lastUsed),
        id: key.id,
        encryption: key.encryption,
      },
      ...{ wrapping: key.wrapping, algorithm: key.algorithm, alias: key.alias, publicBytes: key.publicBytes },
      ...{ encrypted: key.encrypted, gun: key.gun, role: key.role },
    },
  );
}

/** MySQL has whole seconds, to which it would round up. */
function timeOf({ dialect }: Statements, instant: number | undefined): string | null {
  if (instant === undefined) return null;
  return timeText(dialect === 'mysql' ? instant - (instant % SECOND) : instant);
}

/** Reads back what was written. Throws `database-copy-differs`. */
async function compare(
  statements: Statements,
  { summary, files, changes, keys }: Survey,
  onProgress: (done: number) => void,
): Promise<void> {
  if (summary.tables.has('tuf_files')) {
    const read = await readBack(statements, onProgress);
    if (read.count !== files.count || read.digest !== files.digest) throw differs(`${FILES} are not those of the dump`);
    const rows = await statements.all<Omit<DumpedChange, 'createdAt'>>(
      'SELECT id, gun, version, sha256, category FROM changefeed ORDER BY id',
    );
    const found = rows.map(({ sha256, ...row }) => ({ ...row, sha256: sha256.trimEnd() }));
    refuseOther(CHANGES, found.map(changeText), changes.map(changeText));
  }
  if (!summary.tables.has('private_keys')) return;
  const rows = await statements.all<StoredKey>(
    `SELECT key_id, encryption_alg, keywrap_alg, algorithm, passphrase_alias, public, private, gun, role,
       CASE WHEN last_used IS NULL THEN 0 ELSE 1 END AS is_used FROM private_keys ORDER BY id`,
  );
  refuseOther(KEYS, rows.map(storedKeyText), keys.map(keyText));
}

interface StoredKey {
  readonly key_id: string;
  readonly encryption_alg: string;
  readonly keywrap_alg: string;
  readonly algorithm: string;
  readonly passphrase_alias: string;
  readonly public: Uint8Array;
  readonly private: Uint8Array;
  readonly gun: string;
  readonly role: string;
  readonly is_used: number;
}

async function readBack(statements: Statements, onProgress: (done: number) => void): Promise<RowHash> {
  const { readTime } = NOTARY_DIALECTS[statements.dialect];
  const hash = new RowHash();
  for (let after = 0; ; ) {
    const rows = await statements.all<FileRow>(
      `SELECT id, gun, role, version, sha256, data, ${readTime('created_at')} AS at FROM tuf_files
       WHERE id > $after ORDER BY id LIMIT ${PAGE}`,
      { after },
    );
    for (const row of rows) {
      hash.add({ ...row, createdAt: row.at ?? undefined }, row.data);
      after = row.id;
    }
    if (rows.length > 0) onProgress(hash.count);
    if (rows.length < PAGE) return hash;
  }
}

function changeText({ gun, version, sha256, category }: Omit<DumpedChange, 'createdAt'>): string {
  return JSON.stringify([gun, version, sha256, category]);
}

function keyText(key: DumpedKey): string {
  const { id, encryption, wrapping, algorithm, alias, publicBytes, encrypted, gun, role, lastUsed } = key;
  const bytes = [publicBytes, encrypted].map(sha256Of);
  return JSON.stringify([id, encryption, wrapping, algorithm, alias, gun, role, lastUsed !== undefined, ...bytes]);
}

function storedKeyText(row: StoredKey): string {
  const { key_id, encryption_alg, keywrap_alg, algorithm, passphrase_alias, gun, role, is_used } = row;
  const bytes = [row.public, row.private].map(sha256Of);
  const names = [key_id, encryption_alg, keywrap_alg, algorithm, passphrase_alias, gun, role];
  return JSON.stringify([...names, is_used === 1, ...bytes]);
}

function refuseOther(what: string, found: readonly string[], wanted: readonly string[]): void {
  if (found.join('\n') !== wanted.join('\n')) throw differs(`${what} are not those of the dump`);
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Takes rows of `tuf_files` in, in their order, and says what all of them come to. Times count in whole seconds, as MySQL keeps them. */
class RowHash {
  private readonly hash: Hash = createHash('sha256');
  private rows = 0;

  get count(): number {
    return this.rows;
  }

  get digest(): string {
    return this.hash.copy().digest('hex');
  }

  add(
    row: Pick<FileRow, 'gun' | 'role' | 'version' | 'sha256'> & { createdAt: number | undefined },
    data: Uint8Array,
  ): void {
    const { gun, role, version, sha256, createdAt } = row;
    const at = createdAt === undefined ? null : Math.floor(createdAt / SECOND);
    this.hash.update(`${JSON.stringify([gun, role, version, sha256, at, sha256Of(data)])}\n`);
    this.rows++;
  }
}

function differs(why: string): SignetError {
  return new SignetError('database-copy-differs', `the import was undone: ${why}`, {
    next: 'Stop every server that works on the database, and import again.',
  });
}

function needsServer(to: DatabaseUrl): SignetError {
  return new SignetError(
    'database-url-invalid',
    `cannot import into ${formatDatabaseUrl(to)}: the keys of a notary-signer need a database of PostgreSQL, MySQL or MariaDB`,
    {
      next: 'Import into one of these. To move on to SQLite: signet serve database copy FROM TO, and the imported one as --signer-database',
    },
  );
}
