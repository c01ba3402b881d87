import type { Digest } from '../../core/names/digest.ts';
import type { Instant } from '../../core/time.ts';
import type { SqlDatabase } from '../../store/sql.ts';
import type { Statements } from '../../store/sql-connection.ts';
import { addOrFind, inBatches, insertRows, orNothing } from '../../store/sql-rows.ts';
import type { ParsedManifest } from '../manifest.ts';
import type { RepositoryName } from '../names.ts';
import type { ManifestIndex, Page, ReferrerPage, Referrers, StoredManifest } from './registry-index.ts';
import { holdOrAddRepository, holdRepository, repositoryId } from './sql-repositories.ts';

interface ManifestRow {
  readonly digest: Digest;
  readonly media_type: string;
  readonly bytes: Buffer;
  readonly seen: number;
}

const COLUMNS = 'm.digest, m.media_type, m.bytes, m.seen';
const THIS_REPOSITORY = '(SELECT id FROM signet_registry_repositories WHERE name = $repository)';
/** Referrers read at once. A response has at most a few hundred. */
const REFERRERS = 128;

/** Manifests and tags in a database server. Needs the migrations `SQL_REGISTRY_MIGRATIONS`. */
export class SqlManifestIndex implements ManifestIndex {
  private readonly database: SqlDatabase;

  constructor(database: SqlDatabase) {
    this.database = database;
  }

  put(
    repository: RepositoryName,
    manifest: ParsedManifest,
    tag: string | undefined,
    now: Instant,
  ): Promise<readonly Digest[]> {
    return addOrFind(this.database, async (statements) => {
      const held = await holdRepository(statements, repository);
      const missing = await missingOf(statements, held, manifest);
      if (missing.length > 0) return missing;
      const id = held ?? (await holdOrAddRepository(statements, repository));
      const key = await store(statements, id, manifest, now);
      if (tag !== undefined) await setTag(statements, id, tag, key);
      return [];
    });
  }

  async byDigest(repository: RepositoryName, digest: Digest): Promise<StoredManifest | undefined> {
    const row = await this.database.first<ManifestRow>(
      `SELECT ${COLUMNS} FROM signet_registry_manifests m
       WHERE m.repository = ${THIS_REPOSITORY} AND m.digest = $digest`,
      { repository, digest },
    );
    return row && storedManifest(row);
  }

  async byTag(repository: RepositoryName, tag: string): Promise<StoredManifest | undefined> {
    const row = await this.database.first<ManifestRow>(
      `SELECT ${COLUMNS} FROM signet_registry_tags t JOIN signet_registry_manifests m ON m.id = t.manifest
       WHERE t.repository = ${THIS_REPOSITORY} AND t.name = $tag`,
      { repository, tag },
    );
    return row && storedManifest(row);
  }

  async touch(repository: RepositoryName, digest: Digest, now: Instant): Promise<boolean> {
    const sql = `UPDATE signet_registry_manifests SET seen = greatest(seen, $now)
      WHERE repository = ${THIS_REPOSITORY} AND digest = $digest`;
    return (await orNothing(this.database.run(sql, { repository, digest, now }))) !== 0;
  }

  remove(repository: RepositoryName, digest: Digest): Promise<boolean> {
    return this.change(
      repository,
      `DELETE FROM signet_registry_manifests WHERE repository = $id AND digest = $item`,
      digest,
    );
  }

  removeTag(repository: RepositoryName, tag: string): Promise<boolean> {
    return this.change(repository, 'DELETE FROM signet_registry_tags WHERE repository = $id AND name = $item', tag);
  }

  async referrers(repository: RepositoryName, subject: Digest, cut: ReferrerPage): Promise<Referrers> {
    const descriptors: string[] = [];
    let bytes = 0;
    let last: Digest | undefined;
    for (;;) {
      const rows = await this.database.all<{ digest: Digest; descriptor: string }>(
        `SELECT digest, descriptor FROM signet_registry_manifests
         WHERE repository = ${THIS_REPOSITORY} AND subject = $subject AND digest > $after
         ${cut.artifactType === undefined ? '' : 'AND artifact_type = $artifactType'}
         ORDER BY digest LIMIT ${REFERRERS}`,
        { repository, subject, after: last ?? cut.after ?? '', artifactType: cut.artifactType ?? null },
      );
      for (const { digest, descriptor } of rows) {
        bytes += Buffer.byteLength(descriptor);
        if (bytes > cut.maxBytes && last !== undefined) return { descriptors, next: last };
        descriptors.push(descriptor);
        last = digest;
      }
      if (rows.length < REFERRERS) return { descriptors, next: undefined };
    }
  }

  async tags(repository: RepositoryName, { after, limit }: Page): Promise<readonly string[] | undefined> {
    const id = await repositoryId(this.database, repository);
    if (id === undefined) return undefined;
    const sql = `SELECT name FROM signet_registry_tags WHERE repository = $id AND name > $after
      ORDER BY name LIMIT $limit`;
    return namesOf(await this.database.all(sql, { id, after: after ?? '', limit }));
  }

  async repositories({ after, limit }: Page): Promise<readonly string[]> {
    const sql = `SELECT name FROM signet_registry_repositories o WHERE name > $after
      AND EXISTS (SELECT 1 FROM signet_registry_manifests m WHERE m.repository = o.id) ORDER BY name LIMIT $limit`;
    return namesOf(await this.database.all(sql, { after: after ?? '', limit }));
  }

  private change(repository: RepositoryName, sql: string, item: string): Promise<boolean> {
    return this.database.transaction(async (statements) => {
      const id = await holdRepository(statements, repository);
      return id !== undefined && (await statements.run(sql, { id, item })) > 0;
    });
  }
}

async function missingOf(
  statements: Statements,
  repository: number | undefined,
  { blobs, manifests }: ParsedManifest,
): Promise<readonly Digest[]> {
  if (repository === undefined) return [...new Set([...blobs, ...manifests])];
  const absent = async (digests: readonly Digest[], sql: string) => {
    const wanted = new Set(digests);
    for (const batch of inBatches([...wanted])) {
      const rows = await statements.all<{ digest: Digest }>(sql, { repository, batch });
      for (const { digest } of rows) wanted.delete(digest);
    }
    return wanted;
  };
  const linked = `SELECT b.digest FROM signet_registry_blobs b JOIN signet_registry_links l ON l.blob_id = b.id
    WHERE l.repository = $repository AND b.digest IN ($batch)`;
  const stored = `SELECT m.digest FROM signet_registry_manifests m
    WHERE m.repository = $repository AND m.digest IN ($batch)`;
  return [...(await absent(blobs, linked)), ...(await absent(manifests, stored))];
}

async function store(
  statements: Statements,
  repository: number,
  manifest: ParsedManifest,
  now: Instant,
): Promise<number> {
  const known =
    'SELECT id FROM signet_registry_manifests WHERE repository = $repository AND digest = $digest FOR UPDATE';
  const row = await statements.first<{ id: number }>(known, { repository, digest: manifest.digest });
  if (row !== undefined) {
    const see = 'UPDATE signet_registry_manifests SET seen = greatest(seen, $now) WHERE id = $id';
    await statements.run(see, { id: row.id, now });
    return row.id;
  }
  const id = await statements.insert(
    `INSERT INTO signet_registry_manifests
       (repository, digest, media_type, bytes, seen, subject, artifact_type, descriptor)
     VALUES ($repository, $digest, $mediaType, $bytes, $now, $subject, $artifactType, $descriptor)`,
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
  const digests = new Set([...manifest.blobs, ...manifest.manifests, ...manifest.foreign]);
  const rows = Array.from(digests, (digest) => ({ manifest: id, repository, digest }));
  await insertRows(statements, 'signet_registry_references', rows);
  return id;
}

async function setTag(statements: Statements, repository: number, tag: string, manifest: number): Promise<void> {
  const move = 'UPDATE signet_registry_tags SET manifest = $manifest WHERE repository = $repository AND name = $tag';
  if ((await statements.run(move, { repository, tag, manifest })) > 0) return;
  const add = 'INSERT INTO signet_registry_tags (repository, name, manifest) VALUES ($repository, $tag, $manifest)';
  await statements.run(add, { repository, tag, manifest });
}

function namesOf(rows: readonly { readonly name: string }[]): readonly string[] {
  return rows.map(({ name }) => name);
}

function storedManifest({ digest, media_type, bytes, seen }: ManifestRow): StoredManifest {
  return { digest, mediaType: media_type, bytes, seen };
}
