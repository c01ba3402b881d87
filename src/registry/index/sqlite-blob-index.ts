import { SignetError } from '../../core/errors/index.ts';
import type { Digest } from '../../core/names/digest.ts';
import type { Instant } from '../../core/time.ts';
import type { RepositoryName, UploadId } from '../names.ts';
import type { BlobIndex, BlobKey, LinkedBlob, UploadIndex } from './registry-index.ts';
import type { Rows } from './sqlite-rows.ts';

/** The link `l` of the repository `$repository` to the blob `b` with the digest `$digest`. */
const LINK = `registry_links l JOIN registry_blobs b ON b.id = l.blob
  JOIN registry_repositories o ON o.id = l.repository WHERE o.name = $repository AND b.digest = $digest`;
const IS_THIS_LINK = `repository = (SELECT id FROM registry_repositories WHERE name = $repository)
  AND blob = (SELECT id FROM registry_blobs WHERE digest = $digest)`;

export class SqliteUploadIndex implements UploadIndex {
  private readonly rows: Rows;

  constructor(rows: Rows) {
    this.rows = rows;
  }

  async add(upload: UploadId, repository: RepositoryName, now: Instant): Promise<void> {
    const sql = 'INSERT INTO registry_uploads (uuid, repository, started) VALUES ($upload, $repository, $now)';
    await this.rows.change(sql, { upload, repository, now });
  }

  async has(upload: UploadId, repository: RepositoryName): Promise<boolean> {
    const sql = 'SELECT 1 AS found FROM registry_uploads WHERE uuid = $upload AND repository = $repository';
    return this.rows.first(sql, { upload, repository }) !== undefined;
  }

  async remove(upload: UploadId): Promise<void> {
    await this.rows.change('DELETE FROM registry_uploads WHERE uuid = $upload', { upload });
  }

  async startedBefore(before: Instant, after: string, limit: number): Promise<readonly UploadId[]> {
    const sql = `SELECT uuid FROM registry_uploads WHERE started < $before AND uuid > $after
      ORDER BY uuid LIMIT $limit`;
    return this.rows.all<{ uuid: UploadId }>(sql, { before, after, limit }).map(({ uuid }) => uuid);
  }
}

export class SqliteBlobIndex implements BlobIndex {
  private readonly rows: Rows;

  constructor(rows: Rows) {
    this.rows = rows;
  }

  async announce(digest: Digest, size: number, now: Instant): Promise<BlobKey> {
    const sql = `INSERT INTO registry_blobs (digest, size, announced) VALUES ($digest, $size, $now)
      ON CONFLICT (digest) DO UPDATE SET size = excluded.size, announced = max(announced, excluded.announced)
      RETURNING id`;
    const { id } = await this.rows.write(() => this.rows.only<{ id: number }>(sql, { digest, size, now }));
    return id;
  }

  async link(repository: RepositoryName, blob: BlobKey, now: Instant, upload: UploadId | undefined): Promise<void> {
    await this.rows.write(() => {
      if (this.rows.first('SELECT 1 AS found FROM registry_blobs WHERE id = $blob', { blob }) === undefined) {
        throw new SignetError('blob-collected', 'the blob was removed before it was linked');
      }
      this.addLink(repository, blob, now);
      if (upload !== undefined) this.rows.run('DELETE FROM registry_uploads WHERE uuid = $upload', { upload });
    });
  }

  async mount(repository: RepositoryName, from: RepositoryName, digest: Digest, now: Instant): Promise<boolean> {
    return this.rows.write(() => {
      const row = this.rows.first<{ blob: number }>(`SELECT l.blob FROM ${LINK}`, { repository: from, digest });
      if (row === undefined) return false;
      this.addLink(repository, row.blob, now);
      return true;
    });
  }

  async get(repository: RepositoryName, digest: Digest): Promise<LinkedBlob | undefined> {
    return this.rows.first<LinkedBlob>(`SELECT b.size, l.seen FROM ${LINK}`, { repository, digest });
  }

  async touch(repository: RepositoryName, digest: Digest, now: Instant): Promise<boolean> {
    const sql = `UPDATE registry_links SET seen = max(seen, $now) WHERE ${IS_THIS_LINK}`;
    return this.rows.note(sql, { repository, digest, now }) !== 0;
  }

  async unlink(repository: RepositoryName, digest: Digest): Promise<boolean> {
    return (await this.rows.change(`DELETE FROM registry_links WHERE ${IS_THIS_LINK}`, { repository, digest })) > 0;
  }

  async any(): Promise<boolean> {
    return this.rows.first('SELECT 1 AS found FROM registry_blobs LIMIT 1', {}) !== undefined;
  }

  private addLink(repository: RepositoryName, blob: BlobKey, now: Instant): void {
    this.rows.run(
      `INSERT INTO registry_links (repository, blob, seen) VALUES ($repository, $blob, $now)
       ON CONFLICT (repository, blob) DO UPDATE SET seen = max(seen, excluded.seen)`,
      { repository: this.rows.makeRepository(repository), blob, now },
    );
  }
}
