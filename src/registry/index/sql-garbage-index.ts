import type { Digest } from '../../core/names/digest.ts';
import type { Instant } from '../../core/time.ts';
import type { SqlDatabase } from '../../store/sql.ts';
import { inBatches } from '../../store/sql-rows.ts';
import type { GarbageIndex, LooseManifest } from './registry-index.ts';
import { holdRepositoryId } from './sql-repositories.ts';

/**
 * A manifest `m` that nothing in its repository needs: it has no tag, no index lists it, and it has no existing
 * subject.
 */
const IS_LOOSE = `m.seen < $unseenSince
  AND NOT EXISTS (SELECT 1 FROM signet_registry_tags t WHERE t.manifest = m.id)
  AND NOT EXISTS
    (SELECT 1 FROM signet_registry_references r WHERE r.repository = m.repository AND r.digest = m.digest)
  AND NOT EXISTS (SELECT 1 FROM signet_registry_manifests s WHERE s.repository = m.repository AND s.digest = m.subject)`;
/** A link `l` to a blob `b` that no manifest of its repository uses. */
const IS_UNNAMED = `l.seen < $unseenSince AND NOT EXISTS
  (SELECT 1 FROM signet_registry_references r WHERE r.repository = l.repository AND r.digest = b.digest)`;
const LINKS = 'signet_registry_links l JOIN signet_registry_blobs b ON b.id = l.blob_id';

/** Finds and removes unused content in a database server. Needs the migrations `SQL_REGISTRY_MIGRATIONS`. */
export class SqlGarbageIndex implements GarbageIndex {
  private readonly database: SqlDatabase;

  constructor(database: SqlDatabase) {
    this.database = database;
  }

  async looseManifests(unseenSince: Instant, after: number, limit: number): Promise<readonly LooseManifest[]> {
    const rows = await this.database.all<Omit<LooseManifest, 'key'> & { id: number }>(
      `SELECT m.id, o.name AS repository, m.digest FROM signet_registry_manifests m
       JOIN signet_registry_repositories o ON o.id = m.repository
       WHERE m.id > $after AND ${IS_LOOSE} ORDER BY m.id LIMIT $limit`,
      { unseenSince, after, limit },
    );
    return rows.map(({ id, repository, digest }) => ({ key: id, repository, digest }));
  }

  async removeLooseManifest(key: number, unseenSince: Instant): Promise<boolean> {
    const find = 'SELECT repository FROM signet_registry_manifests WHERE id = $key';
    const row = await this.database.first<{ repository: number }>(find, { key });
    if (row === undefined) return false;
    return this.database.transaction(async (statements) => {
      await holdRepositoryId(statements, row.repository);
      // Locked too, because telling a client that it exists marks it as seen without locking the repository.
      const held = 'SELECT id FROM signet_registry_manifests WHERE id = $key FOR UPDATE';
      if ((await statements.first(held, { key })) === undefined) return false;
      const check = `SELECT m.id FROM signet_registry_manifests m WHERE m.id = $key AND ${IS_LOOSE}`;
      if ((await statements.first(check, { key, unseenSince })) === undefined) return false;
      return (await statements.run('DELETE FROM signet_registry_manifests WHERE id = $key', { key })) > 0;
    });
  }

  async unlinkLooseBlobs(unseenSince: Instant, limit: number): Promise<number> {
    const loose = await this.database.all<{ repository: number; blob_id: number }>(
      `SELECT l.repository, l.blob_id FROM ${LINKS} WHERE ${IS_UNNAMED} LIMIT $limit`,
      { unseenSince, limit },
    );
    let removed = 0;
    for (const [repository, links] of Map.groupBy(loose, (link) => link.repository)) {
      removed += await this.unlinkFrom(
        repository,
        links.map(({ blob_id }) => blob_id),
        unseenSince,
      );
    }
    // 0 would mean that nothing is left, so look again: links that were seen or used meanwhile are not found again.
    return removed === 0 && loose.length > 0 ? this.unlinkLooseBlobs(unseenSince, limit) : removed;
  }

  async looseBlobs(unseenSince: Instant, after: string, limit: number): Promise<readonly Digest[]> {
    const sql = `SELECT b.digest FROM signet_registry_blobs b WHERE b.digest > $after AND b.announced < $unseenSince
      AND NOT EXISTS (SELECT 1 FROM signet_registry_links l WHERE l.blob_id = b.id) ORDER BY b.digest LIMIT $limit`;
    return digestsOf(await this.database.all(sql, { unseenSince, after, limit }));
  }

  async unannounced(digests: readonly Digest[]): Promise<readonly Digest[]> {
    const unknown = new Set(digests);
    for (const batch of inBatches([...unknown])) {
      const known = 'SELECT digest FROM signet_registry_blobs WHERE digest IN ($batch)';
      for (const digest of digestsOf(await this.database.all(known, { batch }))) unknown.delete(digest);
    }
    return [...unknown];
  }

  forgetBlob(digest: Digest, unseenSince: Instant): Promise<boolean> {
    return this.database.transaction(async (statements) => {
      // Locks blobs before it looks for links: a request that links a blob locks it too, so each sees what the other
      // did.
      const hold = 'SELECT id, announced FROM signet_registry_blobs WHERE digest = $digest FOR UPDATE';
      const blob = await statements.first<{ id: number; announced: number }>(hold, { digest });
      if (blob === undefined) return true;
      if (blob.announced >= unseenSince) return false;
      const link = 'SELECT 1 AS found FROM signet_registry_links WHERE blob_id = $id LIMIT 1';
      if ((await statements.first(link, { id: blob.id })) !== undefined) return false;
      await statements.run('DELETE FROM signet_registry_blobs WHERE id = $id', { id: blob.id });
      return true;
    });
  }

  async removeEmptyRepositories(): Promise<void> {
    const isEmpty = `NOT EXISTS (SELECT 1 FROM signet_registry_links WHERE repository = o.id)
      AND NOT EXISTS (SELECT 1 FROM signet_registry_manifests WHERE repository = o.id)`;
    const find = `SELECT o.id FROM signet_registry_repositories o WHERE ${isEmpty}`;
    for (const { id } of await this.database.all<{ id: number }>(find)) {
      await this.database.transaction(async (statements) => {
        await holdRepositoryId(statements, id);
        if ((await statements.first(`${find} AND o.id = $id`, { id })) === undefined) return;
        await statements.run('DELETE FROM signet_registry_repositories WHERE id = $id', { id });
      });
    }
  }

  private unlinkFrom(repository: number, blobs: readonly number[], unseenSince: Instant): Promise<number> {
    return this.database.transaction(async (statements) => {
      await holdRepositoryId(statements, repository);
      let removed = 0;
      for (const batch of inBatches(blobs)) {
        const held = await statements.all<{ blob_id: number }>(
          `SELECT blob_id FROM signet_registry_links WHERE repository = $repository AND blob_id IN ($batch) FOR UPDATE`,
          { repository, batch },
        );
        if (held.length === 0) continue;
        const loose = await statements.all<{ blob_id: number }>(
          `SELECT l.blob_id FROM ${LINKS} WHERE l.repository = $repository AND l.blob_id IN ($held) AND ${IS_UNNAMED}`,
          { repository, held: held.map(({ blob_id }) => blob_id), unseenSince },
        );
        if (loose.length === 0) continue;
        removed += await statements.run(
          'DELETE FROM signet_registry_links WHERE repository = $repository AND blob_id IN ($loose)',
          { repository, loose: loose.map(({ blob_id }) => blob_id) },
        );
      }
      return removed;
    });
  }
}

function digestsOf(rows: readonly { readonly digest: Digest }[]): readonly Digest[] {
  return rows.map(({ digest }) => digest);
}
