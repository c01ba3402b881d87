import type { Database } from 'bun:sqlite';
import type { Gun } from '../../core/names/gun.ts';
import { parseRole, type RoleName } from '../../core/names/role.ts';
import type { Instant } from '../../core/time.ts';
import { type Migrations, write } from '../../store/sqlite.ts';
import { filesOf, snapshotOf } from './links.ts';
import {
  type ChangeQuery,
  type ChangeRecord,
  type CurrentFiles,
  type Importation,
  type ImportResult,
  KEPT_VERSIONS,
  type MetadataFile,
  type MetadataStore,
  type MetadataUpdate,
  type PublicationResult,
} from './metadata-store.ts';
import { type NewFile, newFiles } from './new-files.ts';

/** Notary's tables (protocol B.12), without the columns that nothing reads. Times are milliseconds since 1970. */
export const METADATA_MIGRATIONS: Migrations = {
  part: 'trust-metadata',
  steps: [
    `CREATE TABLE tuf_files (
       id INTEGER PRIMARY KEY,
       created_at INTEGER NOT NULL,
       gun TEXT NOT NULL,
       role TEXT NOT NULL,
       version INTEGER NOT NULL,
       sha256 TEXT NOT NULL,
       data BLOB NOT NULL,
       UNIQUE (gun, role, version)
     ) STRICT;
     CREATE INDEX tuf_files_sha256 ON tuf_files (sha256);
     CREATE TABLE changefeed (
       id INTEGER PRIMARY KEY AUTOINCREMENT,
       created_at INTEGER NOT NULL,
       gun TEXT NOT NULL,
       version INTEGER NOT NULL,
       sha256 TEXT NOT NULL,
       category TEXT NOT NULL CHECK (category IN ('update', 'deletion'))
     ) STRICT;
     CREATE INDEX changefeed_gun ON changefeed (gun);`,
  ],
};

interface FileRow {
  readonly created_at: number;
  readonly role: string;
  readonly version: number;
  readonly sha256: string;
  readonly data: Uint8Array;
}

interface ChangeRow {
  readonly id: number;
  readonly created_at: number;
  readonly gun: string;
  readonly version: number;
  readonly sha256: string;
  readonly category: 'update' | 'deletion';
}

const FILE = 'SELECT created_at, role, version, sha256, data FROM tuf_files';
const CHANGE = 'SELECT id, created_at, gun, version, sha256, category FROM changefeed';

/** The metadata store in SQLite, in a database opened with `METADATA_MIGRATIONS`. Several processes may share it. */
export class SqliteMetadataStore implements MetadataStore {
  private readonly database: Database;
  private readonly keptVersions: number;

  constructor(database: Database, options: { keptVersions?: number } = {}) {
    this.database = database;
    this.keptVersions = Math.max(1, options.keptVersions ?? KEPT_VERSIONS);
  }

  async revision(gun: Gun): Promise<number> {
    return this.revisionNow(gun);
  }

  async current(gun: Gun): Promise<CurrentFiles> {
    return this.database.transaction(() => ({ revision: this.revisionNow(gun), files: this.currentNow(gun) }))();
  }

  async byVersion(gun: Gun, role: RoleName, version: number): Promise<MetadataFile | undefined> {
    return fileOf(this.files(`${FILE} WHERE gun = ? AND role = ? AND version = ?`).get(gun, role, version));
  }

  async byChecksum(gun: Gun, role: RoleName, sha256: string): Promise<MetadataFile | undefined> {
    return this.withChecksum(gun, role, sha256);
  }

  async publish({ gun, files, expected, at }: MetadataUpdate): Promise<PublicationResult> {
    const { rows, timestamp } = newFiles(gun, files);
    return write(this.database, (): PublicationResult => {
      if (this.revisionNow(gun) !== expected) return 'outdated';
      if (rows.some(({ role, version }) => this.newestVersion(gun, role) >= version)) return 'version-exists';
      this.insert(gun, rows, at);
      this.record(at, gun, timestamp.version, timestamp.sha256, 'update');
      this.prune(
        gun,
        rows.map(({ role }) => role),
      );
      return 'stored';
    });
  }

  async import({ gun, files, at }: Importation): Promise<ImportResult> {
    const { rows, timestamp } = newFiles(gun, files);
    return write(this.database, (): ImportResult => {
      if (this.database.query('SELECT 1 FROM tuf_files WHERE gun = ? LIMIT 1').get(gun) !== null) return 'taken';
      this.insert(gun, rows, at);
      this.record(at, gun, timestamp.version, timestamp.sha256, 'update');
      return 'stored';
    });
  }

  async delete(gun: Gun, at: Instant): Promise<boolean> {
    return write(this.database, () => {
      const { changes } = this.database.query('DELETE FROM tuf_files WHERE gun = ?').run(gun);
      if (changes > 0) this.record(at, gun, 0, '', 'deletion');
      return changes > 0;
    });
  }

  async changes({ gun, direction, id, limit }: ChangeQuery): Promise<readonly ChangeRecord[]> {
    const conditions = ['1'];
    const values: (string | number)[] = [];
    if (gun !== undefined) {
      conditions.push('gun = ?');
      values.push(gun);
    }
    if (direction === 'after' || id > 0) {
      conditions.push(direction === 'after' ? 'id > ?' : 'id < ?');
      values.push(id);
    }
    const rows = this.database
      .query<ChangeRow, (string | number)[]>(
        `${CHANGE} WHERE ${conditions.join(' AND ')} ORDER BY id ${direction === 'after' ? 'ASC' : 'DESC'} LIMIT ?`,
      )
      .all(...values, limit)
      .map(changeOf);
    return direction === 'after' ? rows : rows.reverse();
  }

  async check(): Promise<void> {
    this.database.query('SELECT id FROM tuf_files LIMIT 1').get();
  }

  private insert(gun: Gun, rows: readonly NewFile[], at: Instant): void {
    const insert = this.database.query(
      'INSERT INTO tuf_files (created_at, gun, role, version, sha256, data) VALUES (?, ?, ?, ?, ?, ?)',
    );
    for (const { role, version, sha256, bytes } of rows) insert.run(at, gun, role, version, sha256, bytes);
  }

  private revisionNow(gun: Gun): number {
    const newest = this.database.query<{ id: number | null }, [string]>(
      'SELECT max(id) AS id FROM changefeed WHERE gun = ?',
    );
    return newest.get(gun)?.id ?? 0;
  }

  private currentNow(gun: Gun): ReadonlyMap<RoleName, MetadataFile> {
    const files = new Map<RoleName, MetadataFile>();
    const keep = (file: MetadataFile | undefined) => {
      if (file !== undefined) files.set(file.role, file);
      return file;
    };
    const timestamp = keep(
      fileOf(this.files(`${FILE} WHERE gun = ? AND role = 'timestamp' ORDER BY version DESC LIMIT 1`).get(gun)),
    );
    if (timestamp === undefined) return files;
    const snapshot = keep(this.withChecksum(gun, 'snapshot', snapshotOf(timestamp.bytes)));
    if (snapshot === undefined) return files;
    for (const [role, sha256] of filesOf(snapshot.bytes)) keep(this.withChecksum(gun, role, sha256));
    return files;
  }

  private withChecksum(gun: Gun, role: RoleName, sha256: string): MetadataFile | undefined {
    return fileOf(this.files(`${FILE} WHERE sha256 = ? AND gun = ? AND role = ?`).get(sha256, gun, role));
  }

  private newestVersion(gun: Gun, role: RoleName): number {
    const newest = this.database.query<{ version: number | null }, [string, string]>(
      'SELECT max(version) AS version FROM tuf_files WHERE gun = ? AND role = ?',
    );
    return newest.get(gun, role)?.version ?? 0;
  }

  private record(at: Instant, gun: Gun, version: number, sha256: string, category: ChangeRecord['category']): void {
    this.database
      .query('INSERT INTO changefeed (created_at, gun, version, sha256, category) VALUES (?, ?, ?, ?, ?)')
      .run(at, gun, version, sha256, category);
  }

  /** Removes versions of `roles` that are beyond what is kept. A snapshot may list an old version, so those are looked at. */
  private prune(gun: Gun, roles: readonly RoleName[]): void {
    const surplus = this.database.query<{ id: number; sha256: string }, [string, string, string, string, number]>(
      `SELECT id, sha256 FROM tuf_files WHERE gun = ? AND role = ? AND version <=
         (SELECT version FROM tuf_files WHERE gun = ? AND role = ? ORDER BY version DESC LIMIT 1 OFFSET ?)`,
    );
    const rows = roles
      .filter((role) => role !== 'root')
      .flatMap((role) => surplus.all(gun, role, gun, role, this.keptVersions));
    if (rows.length === 0) return;
    const listed = this.listedByKeptSnapshots(gun);
    const remove = this.database.query('DELETE FROM tuf_files WHERE id = ?');
    for (const { id, sha256 } of rows) if (!listed.has(sha256)) remove.run(id);
  }

  private listedByKeptSnapshots(gun: Gun): ReadonlySet<string> {
    const snapshots = this.database.query<{ data: Uint8Array }, [string, number]>(
      "SELECT data FROM tuf_files WHERE gun = ? AND role = 'snapshot' ORDER BY version DESC LIMIT ?",
    );
    return new Set(snapshots.all(gun, this.keptVersions).flatMap(({ data }) => [...filesOf(data).values()]));
  }

  private files(sql: string) {
    return this.database.query<FileRow, (string | number)[]>(sql);
  }
}

function fileOf(row: FileRow | null): MetadataFile | undefined {
  if (row === null) return undefined;
  const { role, version, sha256, data } = row;
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return { role: parseRole(role), version, sha256, bytes, createdAt: row.created_at };
}

function changeOf({ id, created_at, gun, category, version, sha256 }: ChangeRow): ChangeRecord {
  return { id, at: created_at, gun, category, version, sha256 };
}
