import type { Digest } from '../../core/names/digest.ts';
import type { Instant } from '../../core/time.ts';
import type { ParsedManifest } from '../manifest.ts';
import type { RepositoryName } from '../names.ts';
import type { ManifestIndex, Page, ReferrerPage, Referrers, StoredManifest } from './registry-index.ts';
import type { Rows } from './sqlite-rows.ts';

interface ManifestRow {
  digest: Digest;
  media_type: string;
  bytes: Uint8Array;
  seen: number;
}

const COLUMNS = 'm.digest, m.media_type, m.bytes, m.seen';
const THIS_REPOSITORY = '(SELECT id FROM registry_repositories WHERE name = $repository)';

export class SqliteManifestIndex implements ManifestIndex {
  private readonly rows: Rows;

  constructor(rows: Rows) {
    this.rows = rows;
  }

  async put(
    repository: RepositoryName,
    manifest: ParsedManifest,
    tag: string | undefined,
    now: Instant,
  ): Promise<readonly Digest[]> {
    return this.rows.write(() => {
      const missing = this.missing(repository, manifest);
      if (missing.length > 0) return missing;
      const id = this.rows.makeRepository(repository);
      const key = this.store(id, manifest, now);
      if (tag !== undefined) this.setTag(id, tag, key);
      return [];
    });
  }

  async byDigest(repository: RepositoryName, digest: Digest): Promise<StoredManifest | undefined> {
    const row = this.rows.first<ManifestRow>(
      `SELECT ${COLUMNS} FROM registry_manifests m WHERE m.repository = ${THIS_REPOSITORY} AND m.digest = $digest`,
      { repository, digest },
    );
    return row && storedManifest(row);
  }

  async byTag(repository: RepositoryName, tag: string): Promise<StoredManifest | undefined> {
    const row = this.rows.first<ManifestRow>(
      `SELECT ${COLUMNS} FROM registry_tags t JOIN registry_manifests m ON m.id = t.manifest
       WHERE t.repository = ${THIS_REPOSITORY} AND t.name = $tag`,
      { repository, tag },
    );
    return row && storedManifest(row);
  }

  async touch(repository: RepositoryName, digest: Digest, now: Instant): Promise<boolean> {
    const sql = `UPDATE registry_manifests SET seen = max(seen, $now)
      WHERE repository = ${THIS_REPOSITORY} AND digest = $digest`;
    return this.rows.note(sql, { repository, digest, now }) !== 0;
  }

  async remove(repository: RepositoryName, digest: Digest): Promise<boolean> {
    const sql = `DELETE FROM registry_manifests WHERE repository = ${THIS_REPOSITORY} AND digest = $digest`;
    return (await this.rows.change(sql, { repository, digest })) > 0;
  }

  async removeTag(repository: RepositoryName, tag: string): Promise<boolean> {
    const sql = `DELETE FROM registry_tags WHERE repository = ${THIS_REPOSITORY} AND name = $tag`;
    return (await this.rows.change(sql, { repository, tag })) > 0;
  }

  async referrers(repository: RepositoryName, subject: Digest, cut: ReferrerPage): Promise<Referrers> {
    const rows = this.rows.each<{ digest: Digest; descriptor: string }>(
      `SELECT digest, descriptor FROM registry_manifests
       WHERE repository = ${THIS_REPOSITORY} AND subject = $subject AND digest > $after
       AND ($artifactType IS NULL OR artifact_type = $artifactType) ORDER BY digest`,
      { repository, subject, after: cut.after ?? '', artifactType: cut.artifactType ?? null },
    );
    const descriptors: string[] = [];
    let bytes = 0;
    let last: Digest | undefined;
    for (const { digest, descriptor } of rows) {
      bytes += Buffer.byteLength(descriptor);
      if (bytes > cut.maxBytes && last !== undefined) return { descriptors, next: last };
      descriptors.push(descriptor);
      last = digest;
    }
    return { descriptors, next: undefined };
  }

  async tags(repository: RepositoryName, { after, limit }: Page): Promise<readonly string[] | undefined> {
    const id = this.rows.repositoryId(repository);
    if (id === undefined) return undefined;
    const sql = 'SELECT name FROM registry_tags WHERE repository = $id AND name > $after ORDER BY name LIMIT $limit';
    return this.rows.all<{ name: string }>(sql, { id, after: after ?? '', limit }).map(({ name }) => name);
  }

  async repositories({ after, limit }: Page): Promise<readonly string[]> {
    const sql = `SELECT name FROM registry_repositories o WHERE name > $after
      AND EXISTS (SELECT 1 FROM registry_manifests m WHERE m.repository = o.id) ORDER BY name LIMIT $limit`;
    return this.rows.all<{ name: string }>(sql, { after: after ?? '', limit }).map(({ name }) => name);
  }

  private missing(repository: RepositoryName, { blobs, manifests }: ParsedManifest): readonly Digest[] {
    const id = this.rows.repositoryId(repository);
    if (id === undefined) return [...new Set([...blobs, ...manifests])];
    return [
      ...this.rows.absent(
        blobs,
        `SELECT 1 FROM registry_blobs b JOIN registry_links l ON l.blob = b.id
         WHERE b.digest = wanted.value AND l.repository = $id`,
        { id },
      ),
      ...this.rows.absent(
        manifests,
        'SELECT 1 FROM registry_manifests m WHERE m.digest = wanted.value AND m.repository = $id',
        { id },
      ),
    ];
  }

  private store(repository: number, manifest: ParsedManifest, now: Instant): number {
    const { id } = this.rows.only<{ id: number }>(
      `INSERT INTO registry_manifests (repository, digest, media_type, bytes, seen, subject, artifact_type, descriptor)
       VALUES ($repository, $digest, $mediaType, $bytes, $now, $subject, $artifactType, $descriptor)
       ON CONFLICT (repository, digest) DO UPDATE SET seen = max(seen, excluded.seen)
       RETURNING id`,
      {
        repository,
        digest: manifest.digest,
        mediaType: manifest.mediaType,
        bytes: manifest.bytes,
        now,
        subject: manifest.subject ?? null,
        artifactType: manifest.artifactType ?? null,
        descriptor: manifest.subject === undefined ? null : manifest.descriptor,
      },
    );
    const digests = JSON.stringify([...manifest.blobs, ...manifest.manifests, ...manifest.foreign]);
    this.rows.run(
      `INSERT OR IGNORE INTO registry_references (manifest, repository, digest)
       SELECT $id, $repository, value FROM json_each($digests)`,
      { id, repository, digests },
    );
    return id;
  }

  private setTag(repository: number, tag: string, manifest: number): void {
    this.rows.run(
      `INSERT INTO registry_tags (repository, name, manifest) VALUES ($repository, $tag, $manifest)
       ON CONFLICT (repository, name) DO UPDATE SET manifest = excluded.manifest`,
      { repository, tag, manifest },
    );
  }
}

function storedManifest(row: ManifestRow): StoredManifest {
  return {
    digest: row.digest,
    mediaType: row.media_type,
    bytes: Buffer.from(row.bytes.buffer, row.bytes.byteOffset, row.bytes.byteLength),
    seen: row.seen,
  };
}
