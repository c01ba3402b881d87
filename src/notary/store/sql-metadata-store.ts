import { SignetError } from '../../core/errors/index.ts';
import type { Gun } from '../../core/names/gun.ts';
import { parseRole, type RoleName } from '../../core/names/role.ts';
import type { Instant } from '../../core/time.ts';
import type { SqlDatabase } from '../../store/sql.ts';
import type { Statements } from '../../store/sql-connection.ts';
import { isUniqueSqlViolation } from '../../store/sql-error.ts';
import { filesOf, snapshotOf } from './links.ts';
import type {
  ChangeQuery,
  ChangeRecord,
  CurrentFiles,
  Importation,
  ImportResult,
  MetadataFile,
  MetadataStore,
  MetadataUpdate,
  PublicationResult,
} from './metadata-store.ts';
import { type NewFile, newFiles } from './new-files.ts';
import { NOTARY_DIALECTS, type NotaryDialect, timeText } from './notary-dialect.ts';

/** The largest version that fits Notary's column. */
const MAX_VERSION = 2 ** 31 - 1;
const SHA256 = /^[0-9a-f]{64}$/;

interface FileRow {
  readonly id: number;
  /** Null in rows that were inserted by hand. */
  readonly at: number | null;
  readonly role: string;
  readonly version: number;
  readonly sha256: string;
  readonly data: Uint8Array;
}

interface ChangeRow {
  readonly id: number;
  readonly at: number | null;
  readonly gun: string;
  readonly version: number;
  readonly sha256: string | null;
  readonly category: 'update' | 'deletion';
}

interface SqlMetadataOptions {
  /** How many versions of a role are kept, all of them by default. Clients of Notary may ask for any. */
  readonly keptVersions?: number;
}

/**
 * The metadata store on Notary's own tables in PostgreSQL, MySQL and MariaDB (protocol B.12). It reads and writes them
 * as notary-server does, so that one can replace the other, or run at the same time. Races with other writers are
 * decided by the unique key of `tuf_files`, the only rule that a Notary follows.
 */
export class SqlMetadataStore implements MetadataStore {
  private readonly database: SqlDatabase;
  private readonly dialect: NotaryDialect;
  private readonly keptVersions: number | undefined;

  constructor(database: SqlDatabase, { keptVersions }: SqlMetadataOptions = {}) {
    this.database = database;
    this.dialect = NOTARY_DIALECTS[database.dialect];
    this.keptVersions = keptVersions;
  }

  revision(gun: Gun): Promise<number> {
    return this.revisionOf(this.database, gun, '');
  }

  current(gun: Gun): Promise<CurrentFiles> {
    return this.database.snapshot(async (statements) => {
      const timestamp = await statements.first<FileRow>(
        `${this.file} AND role = 'timestamp' ORDER BY version DESC LIMIT 1`,
        { gun },
      );
      const revision =
        timestamp === undefined ? await this.deletedRevision(statements, gun) : rowRevision(timestamp.id);
      return { revision, files: timestamp === undefined ? new Map() : await this.chain(statements, gun, timestamp) };
    });
  }

  async byVersion(gun: Gun, role: RoleName, version: number): Promise<MetadataFile | undefined> {
    if (version > MAX_VERSION) return undefined;
    const sql = `${this.file} AND ${this.dialect.same('role', 'role')} AND version = $version`;
    return fileOf(await this.database.first<FileRow>(sql, { gun, role, version }));
  }

  async byChecksum(gun: Gun, role: RoleName, sha256: string): Promise<MetadataFile | undefined> {
    if (!SHA256.test(sha256)) return undefined;
    const sql = `${this.file} AND ${this.dialect.same('role', 'role')} AND sha256 = $sha256 ORDER BY id LIMIT 1`;
    return fileOf(await this.database.first<FileRow>(sql, { gun, role, sha256 }));
  }

  async publish({ gun, files, expected, at }: MetadataUpdate): Promise<PublicationResult> {
    const { rows, timestamp } = newFiles(gun, files);
    try {
      return await this.database.transaction(async (statements): Promise<PublicationResult> => {
        if ((await this.revisionOf(statements, gun, 'FOR UPDATE')) !== expected) return 'outdated';
        if (await this.hasNewer(statements, gun, rows)) return this.outrun(statements, gun, expected);
        for (const row of rows) await this.insert(statements, gun, row, at);
        await this.record(statements, { gun, at, category: 'update', ...timestamp });
        await this.prune(statements, gun, rows);
        return 'stored';
      });
    } catch (error) {
      return this.conflict(gun, rows, expected, error);
    }
  }

  async import({ gun, files, at }: Importation): Promise<ImportResult> {
    const { rows, timestamp } = newFiles(gun, files);
    try {
      return await this.database.transaction(async (statements): Promise<ImportResult> => {
        if (await this.isTaken(statements, gun)) return 'taken';
        for (const row of rows) await this.insert(statements, gun, row, at);
        await this.record(statements, { gun, at, category: 'update', ...timestamp });
        return 'stored';
      });
    } catch (error) {
      if (!isUniqueSqlViolation(error)) throw error;
      if (await this.isTaken(this.database, gun)) return 'taken';
      await this.refuseVariant(gun);
      throw error;
    }
  }

  delete(gun: Gun, at: Instant): Promise<boolean> {
    return this.database.transaction(async (statements) => {
      let total = 0;
      // The first DELETE may wait for a publish that holds the timestamp's row, and only the next one sees the rows
      // that it added.
      for (let found = -1; found !== 0; total += found) {
        found = await statements.run(`DELETE FROM tuf_files WHERE ${this.dialect.same('gun', 'gun')}`, { gun });
      }
      if (total > 0) await this.record(statements, { gun, at, category: 'deletion', version: 0, sha256: '' });
      return total > 0;
    });
  }

  async changes({ gun, direction, id, limit }: ChangeQuery): Promise<readonly ChangeRecord[]> {
    const { same, readTime } = this.dialect;
    const conditions = ['1 = 1'];
    if (gun !== undefined) conditions.push(same('gun', 'gun'));
    if (direction === 'after' || id > 0) conditions.push(direction === 'after' ? 'id > $id' : 'id < $id');
    const rows = await this.database.all<ChangeRow>(
      `SELECT id, ${readTime('created_at')} AS at, gun, version, sha256, category FROM changefeed
       WHERE ${conditions.join(' AND ')} ORDER BY id ${direction === 'after' ? 'ASC' : 'DESC'} LIMIT ${limit}`,
      { ...(gun === undefined ? {} : { gun }), id },
    );
    const changes = rows.map(changeOf);
    return direction === 'after' ? changes : changes.reverse();
  }

  async check(): Promise<void> {
    await this.database.first('SELECT id FROM tuf_files LIMIT 1');
  }

  /** The beginning of every query for files of `$gun`. */
  private get file(): string {
    const { same, readTime } = this.dialect;
    return `SELECT id, ${readTime('created_at')} AS at, role, version, sha256, data FROM tuf_files
            WHERE deleted_at IS NULL AND ${same('gun', 'gun')}`;
  }

  /**
   * Derived from the newest timestamp's row, because all current files follow from it and rows never change. Without a
   * timestamp it is derived from the last deletion. Even numbers are used for timestamps, odd numbers for deletions.
   */
  private async revisionOf(statements: Statements, gun: Gun, lock: 'FOR UPDATE' | ''): Promise<number> {
    const sql = `SELECT id FROM tuf_files WHERE deleted_at IS NULL AND ${this.dialect.same('gun', 'gun')}
                 AND role = 'timestamp' ORDER BY version DESC LIMIT 1 ${lock}`;
    const timestamp = await statements.first<{ id: number }>(sql, { gun });
    return timestamp === undefined ? this.deletedRevision(statements, gun) : rowRevision(timestamp.id);
  }

  private async deletedRevision(statements: Statements, gun: Gun): Promise<number> {
    const sql = `SELECT max(id) AS id FROM changefeed WHERE ${this.dialect.same('gun', 'gun')}`;
    const id = (await statements.first<{ id: number | null }>(sql, { gun }))?.id ?? 0;
    return id === 0 ? 0 : 2 * id + 1;
  }

  /** The files that a timestamp leads to (protocol B.5): the snapshot that it names, and what that snapshot lists. */
  private async chain(statements: Statements, gun: Gun, row: FileRow): Promise<ReadonlyMap<RoleName, MetadataFile>> {
    const timestamp = toFile(row);
    const files = new Map<RoleName, MetadataFile>([['timestamp', timestamp]]);
    const named = new Map<RoleName, string>([['snapshot', snapshotOf(timestamp.bytes)]]);
    const [snapshot] = await this.withChecksums(statements, gun, named);
    if (snapshot === undefined) return files;
    files.set('snapshot', snapshot);
    for (const file of await this.withChecksums(statements, gun, filesOf(snapshot.bytes))) files.set(file.role, file);
    return files;
  }

  /** The files of these roles with these checksums. Leaves out files that are not stored. */
  private async withChecksums(
    statements: Statements,
    gun: Gun,
    wanted: ReadonlyMap<RoleName, string>,
  ): Promise<readonly MetadataFile[]> {
    const checksums = [...wanted.values()].filter((sha256) => SHA256.test(sha256));
    if (checksums.length === 0) return [];
    const rows = await statements.all<FileRow>(`${this.file} AND sha256 IN ($checksums)`, { gun, checksums });
    return rows.filter(({ role, sha256 }) => wanted.get(role as RoleName) === sha256).map(toFile);
  }

  private async isTaken(statements: Statements, gun: Gun): Promise<boolean> {
    const sql = `SELECT id FROM tuf_files WHERE ${this.dialect.same('gun', 'gun')} LIMIT 1`;
    return (await statements.first(sql, { gun })) !== undefined;
  }

  private async hasNewer(statements: Statements, gun: Gun, rows: readonly NewFile[]): Promise<boolean> {
    const { same, exact } = this.dialect;
    const newest = await statements.all<{ role: string; version: number }>(
      `SELECT min(role) AS role, max(version) AS version FROM tuf_files
       WHERE ${same('gun', 'gun')} AND ${exact('role')} IN ($roles) GROUP BY ${exact('role')}`,
      { gun, roles: rows.map(({ role }) => role) },
    );
    const versions = new Map(newest.map(({ role, version }) => [role, version]));
    return rows.some(({ role, version }) => (versions.get(role) ?? -1) >= version);
  }

  private async insert(statements: Statements, gun: Gun, row: NewFile, at: Instant): Promise<void> {
    const { role, version, sha256, bytes } = row;
    const time = this.dialect.writeTime('at');
    await statements.run(
      `INSERT INTO tuf_files (created_at, updated_at, gun, role, version, sha256, data)
       VALUES (${time}, ${time}, $gun, $role, $version, $sha256, $bytes)`,
      { at: timeText(at), gun, role, version, sha256, bytes },
    );
  }

  private async record(statements: Statements, change: Omit<ChangeRecord, 'id'>): Promise<void> {
    const { gun, at, version, sha256, category } = change;
    await statements.run(
      `INSERT INTO changefeed (created_at, gun, version, sha256, category)
       VALUES (${this.dialect.writeTime('at')}, $gun, $version, $sha256, $category)`,
      { at: timeText(at), gun, version, sha256, category },
    );
  }

  /**
   * The result of a publication that the database refused. Throws the error if it was not caused by another
   * publication.
   */
  private async conflict(
    gun: Gun,
    rows: readonly NewFile[],
    expected: number,
    error: unknown,
  ): Promise<PublicationResult> {
    if (isUniqueSqlViolation(error)) {
      if (await this.hasNewer(this.database, gun, rows)) return this.outrun(this.database, gun, expected);
      await this.refuseVariant(gun);
    }
    throw error;
  }

  /** Whether a version existed before the revision was read, or because of a publication since. */
  private async outrun(statements: Statements, gun: Gun, expected: number): Promise<PublicationResult> {
    return (await this.revisionOf(statements, gun, '')) === expected ? 'version-exists' : 'outdated';
  }

  /** MySQL treats names that differ only in case as equal, so Notary's unique key has room for only one of them. */
  private async refuseVariant(gun: Gun): Promise<void> {
    if (this.database.dialect !== 'mysql') return;
    const variant = await this.database.first<{ gun: string }>(
      'SELECT gun FROM tuf_files WHERE gun = $gun AND BINARY gun <> $gun LIMIT 1',
      { gun },
    );
    if (variant === undefined) return;
    throw new SignetError(
      'gun-case-conflict',
      `the database takes ${gun} for ${variant.gun}, which is published already`,
      { detail: { gun, published: variant.gun } },
    );
  }

  /** Removes versions beyond those kept, except old versions that a kept snapshot lists. */
  private async prune(statements: Statements, gun: Gun, published: readonly NewFile[]): Promise<void> {
    if (this.keptVersions === undefined) return;
    const surplus = [];
    for (const { role } of published) {
      if (role !== 'root') surplus.push(...(await this.beyond(statements, gun, role, this.keptVersions)));
    }
    if (surplus.length === 0) return;
    const listed = await this.listedByKeptSnapshots(statements, gun, this.keptVersions);
    const ids = surplus.filter(({ sha256 }) => !listed.has(sha256)).map(({ id }) => id);
    if (ids.length > 0) await statements.run('DELETE FROM tuf_files WHERE id IN ($ids)', { ids });
  }

  private beyond(
    statements: Statements,
    gun: Gun,
    role: RoleName,
    kept: number,
  ): Promise<readonly { id: number; sha256: string }[]> {
    const { same } = this.dialect;
    return statements.all(
      `SELECT id, sha256 FROM tuf_files WHERE ${same('gun', 'gun')} AND ${same('role', 'role')}
       ORDER BY version DESC LIMIT 1000000 OFFSET ${kept}`,
      { gun, role },
    );
  }

  private async listedByKeptSnapshots(statements: Statements, gun: Gun, kept: number): Promise<ReadonlySet<string>> {
    const snapshots = await statements.all<{ data: Uint8Array }>(
      `SELECT data FROM tuf_files WHERE ${this.dialect.same('gun', 'gun')} AND role = 'snapshot'
       ORDER BY version DESC LIMIT ${kept}`,
      { gun },
    );
    return new Set(snapshots.flatMap(({ data }) => [...filesOf(data).values()]));
  }
}

function rowRevision(id: number): number {
  return 2 * id;
}

function fileOf(row: FileRow | undefined): MetadataFile | undefined {
  return row === undefined ? undefined : toFile(row);
}

function toFile({ at, role, version, sha256, data }: FileRow): MetadataFile {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return { role: parseRole(role), version, sha256, bytes, createdAt: at ?? 0 };
}

/** PostgreSQL pads checksums with blanks, even the empty one of a deletion. */
function changeOf({ at, sha256, ...change }: ChangeRow): ChangeRecord {
  return { ...change, at: at ?? 0, sha256: (sha256 ?? '').trimEnd() };
}
