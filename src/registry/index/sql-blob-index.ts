import { SignetError } from '../../core/errors/index.ts';
import type { Digest } from '../../core/names/digest.ts';
import type { Instant } from '../../core/time.ts';
import type { SqlDatabase } from '../../store/sql.ts';
import type { Statements } from '../../store/sql-connection.ts';
import { addOrFind, orNothing } from '../../store/sql-rows.ts';
import type { RepositoryName, UploadId } from '../names.ts';
import type { BlobIndex, BlobKey, LinkedBlob, UploadIndex } from './registry-index.ts';
import { holdOrAddRepository, holdRepository } from './sql-repositories.ts';

/** The link `l` from the repository `$repository` to the blob `b` with the digest `$digest`. */
const LINK = `signet_registry_links l JOIN signet_registry_blobs b ON b.id = l.blob_id
  JOIN signet_registry_repositories o ON o.id = l.repository WHERE o.name = $repository AND b.digest = $digest`;
const IS_THIS_LINK = `repository = (SELECT id FROM signet_registry_repositories WHERE name = $repository)
  AND blob_id = (SELECT id FROM signet_registry_blobs WHERE digest = $digest)`;

/** Unfinished uploads in a database server. Needs the migrations `SQL_REGISTRY_MIGRATIONS`. */
export class SqlUploadIndex implements UploadIndex {
  private readonly database: SqlDatabase;

  constructor(database: SqlDatabase) {
    this.database = database;
  }

  async add(upload: UploadId, repository: RepositoryName, now: Instant): Promise<void> {
    const sql = 'INSERT INTO signet_registry_uploads (uuid, repository, started) VALUES ($upload, $repository, $now)';
    await this.database.run(sql, { upload, repository, now });
  }

  async has(upload: UploadId, repository: RepositoryName): Promise<boolean> {
    const sql = 'SELECT 1 AS found FROM signet_registry_uploads WHERE uuid = $upload AND repository = $repository';
    return (await this.database.first(sql, { upload, repository })) !== undefined;
  }

  async remove(upload: UploadId): Promise<void> {
    await this.database.run('DELETE FROM signet_registry_uploads WHERE uuid = $upload', { upload });
  }

  async startedBefore(before: Instant, after: string, limit: number): Promise<readonly UploadId[]> {
    const sql = `SELECT uuid FROM signet_registry_uploads WHERE started < $before AND uuid > $after
      ORDER BY uuid LIMIT $limit`;
    const rows = await this.database.all<{ uuid: UploadId }>(sql, { before, after, limit });
    return rows.map(({ uuid }) => uuid);
  }
}

/** Blobs and their links in a database server. Needs the migrations `SQL_REGISTRY_MIGRATIONS`. */
export class SqlBlobIndex implements BlobIndex {
  private readonly database: SqlDatabase;

  constructor(database: SqlDatabase) {
    this.database = database;
  }

  announce(digest: Digest, size: number, now: Instant): Promise<BlobKey> {
    return addOrFind(this.database, async (statements) => {
      const known = 'SELECT id FROM signet_registry_blobs WHERE digest = $digest FOR UPDATE';
      const row = await statements.first<{ id: number }>(known, { digest });
      if (row === undefined) {
        const add = 'INSERT INTO signet_registry_blobs (digest, size, announced) VALUES ($digest, $size, $now)';
        return statements.insert(add, { digest, size, now });
      }
      await statements.run(
        'UPDATE signet_registry_blobs SET size = $size, announced = greatest(announced, $now) WHERE id = $id',
        { id: row.id, size, now },
      );
      return row.id;
    });
  }

  async link(repository: RepositoryName, blob: BlobKey, now: Instant, upload: UploadId | undefined): Promise<void> {
    await addOrFind(this.database, async (statements) => {
      const id = await holdOrAddRepository(statements, repository);
      if (!(await holdBlob(statements, blob))) {
        throw new SignetError('blob-collected', 'the blob was removed before it was linked');
      }
      await addLink(statements, id, blob, now);
      if (upload !== undefined) {
        await statements.run('DELETE FROM signet_registry_uploads WHERE uuid = $upload', { upload });
      }
    });
  }

  mount(repository: RepositoryName, from: RepositoryName, digest: Digest, now: Instant): Promise<boolean> {
    return addOrFind(this.database, async (statements) => {
      const find = `SELECT l.blob_id FROM ${LINK}`;
      const row = await statements.first<{ blob_id: number }>(find, { repository: from, digest });
      if (row === undefined) return false;
      const id = await holdOrAddRepository(statements, repository);
      if (!(await holdBlob(statements, row.blob_id))) return false;
      await addLink(statements, id, row.blob_id, now);
      return true;
    });
  }

  async get(repository: RepositoryName, digest: Digest): Promise<LinkedBlob | undefined> {
    return this.database.first<LinkedBlob>(`SELECT b.size, l.seen FROM ${LINK}`, { repository, digest });
  }

  async touch(repository: RepositoryName, digest: Digest, now: Instant): Promise<boolean> {
    const sql = `UPDATE signet_registry_links SET seen = greatest(seen, $now) WHERE ${IS_THIS_LINK}`;
    return (await orNothing(this.database.run(sql, { repository, digest, now }))) !== 0;
  }

  unlink(repository: RepositoryName, digest: Digest): Promise<boolean> {
    return this.database.transaction(async (statements) => {
      await holdRepository(statements, repository);
      const sql = `DELETE FROM signet_registry_links WHERE ${IS_THIS_LINK}`;
      return (await statements.run(sql, { repository, digest })) > 0;
    });
  }

  async any(): Promise<boolean> {
    return (await this.database.first('SELECT 1 AS found FROM signet_registry_blobs LIMIT 1')) !== undefined;
  }
}

/** Locks the blob against removal until the transaction ends. Returns false if it has already been removed. */
async function holdBlob(statements: Statements, blob: BlobKey): Promise<boolean> {
  const sql = 'SELECT id FROM signet_registry_blobs WHERE id = $blob FOR UPDATE';
  return (await statements.first(sql, { blob })) !== undefined;
}

async function addLink(statements: Statements, repository: number, blob: BlobKey, now: Instant): Promise<void> {
  const see = `UPDATE signet_registry_links SET seen = greatest(seen, $now)
    WHERE repository = $repository AND blob_id = $blob`;
  if ((await statements.run(see, { repository, blob, now })) > 0) return;
  const add = 'INSERT INTO signet_registry_links (repository, blob_id, seen) VALUES ($repository, $blob, $now)';
  await statements.run(add, { repository, blob, now });
}
