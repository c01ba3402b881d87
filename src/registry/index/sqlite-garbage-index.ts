import type { Digest } from '../../core/names/digest.ts';
import type { Instant } from '../../core/time.ts';
import type { GarbageIndex, LooseManifest } from './registry-index.ts';
import type { Rows } from './sqlite-rows.ts';

/** A manifest `m` that nothing in its repository needs: no tag, no index that lists it, no subject that is there. */
const IS_LOOSE = `m.seen < $unseenSince
  AND NOT EXISTS (SELECT 1 FROM registry_tags t WHERE t.manifest = m.id)
  AND NOT EXISTS (SELECT 1 FROM registry_references r WHERE r.repository = m.repository AND r.digest = m.digest)
  AND NOT EXISTS (SELECT 1 FROM registry_manifests s WHERE s.repository = m.repository AND s.digest = m.subject)`;

export class SqliteGarbageIndex implements GarbageIndex {
  private readonly rows: Rows;

  constructor(rows: Rows) {
    this.rows = rows;
  }

  async looseManifests(unseenSince: Instant, after: number, limit: number): Promise<readonly LooseManifest[]> {
    return this.rows.all<LooseManifest>(
      `SELECT m.id AS key, o.name AS repository, m.digest FROM registry_manifests m
       JOIN registry_repositories o ON o.id = m.repository
       WHERE m.id > $after AND ${IS_LOOSE} ORDER BY m.id LIMIT $limit`,
      { unseenSince, after, limit },
    );
  }

  async removeLooseManifest(key: number, unseenSince: Instant): Promise<boolean> {
    const sql = `DELETE FROM registry_manifests AS m WHERE m.id = $key AND ${IS_LOOSE}`;
    return (await this.rows.change(sql, { key, unseenSince })) > 0;
  }

  async unlinkLooseBlobs(unseenSince: Instant, limit: number): Promise<number> {
    return this.rows.change(
      `DELETE FROM registry_links WHERE (repository, blob) IN (
         SELECT l.repository, l.blob FROM registry_links l JOIN registry_blobs b ON b.id = l.blob
         WHERE l.seen < $unseenSince AND NOT EXISTS (
           SELECT 1 FROM registry_references r WHERE r.repository = l.repository AND r.digest = b.digest)
         LIMIT $limit)`,
      { unseenSince, limit },
    );
  }

  async looseBlobs(unseenSince: Instant, after: string, limit: number): Promise<readonly Digest[]> {
    const sql = `SELECT b.digest FROM registry_blobs b WHERE b.digest > $after AND b.announced < $unseenSince
      AND NOT EXISTS (SELECT 1 FROM registry_links l WHERE l.blob = b.id) ORDER BY b.digest LIMIT $limit`;
    return this.rows.all<{ digest: Digest }>(sql, { unseenSince, after, limit }).map(({ digest }) => digest);
  }

  async unannounced(digests: readonly Digest[]): Promise<readonly Digest[]> {
    return this.rows.absent(digests, 'SELECT 1 FROM registry_blobs b WHERE b.digest = wanted.value');
  }

  async forgetBlob(digest: Digest, unseenSince: Instant): Promise<boolean> {
    return this.rows.write(() => {
      this.rows.run(
        `DELETE FROM registry_blobs WHERE digest = $digest AND announced < $unseenSince
         AND NOT EXISTS (SELECT 1 FROM registry_links WHERE blob = id)`,
        { digest, unseenSince },
      );
      return this.rows.first('SELECT 1 AS found FROM registry_blobs WHERE digest = $digest', { digest }) === undefined;
    });
  }

  async removeEmptyRepositories(): Promise<void> {
    await this.rows.change(
      `DELETE FROM registry_repositories AS o
       WHERE NOT EXISTS (SELECT 1 FROM registry_links WHERE repository = o.id)
       AND NOT EXISTS (SELECT 1 FROM registry_manifests WHERE repository = o.id)`,
      {},
    );
  }
}
