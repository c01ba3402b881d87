import type { Migrations } from '../../store/sqlite.ts';

/** The registry's tables. Times are milliseconds since 1970. */
export const REGISTRY_MIGRATIONS: Migrations = {
  part: 'registry',
  steps: [
    `CREATE TABLE registry_repositories (
      id INTEGER PRIMARY KEY,
      name TEXT NOT NULL UNIQUE
    ) STRICT`,
    // AUTOINCREMENT: a key that was given out must never come to mean another stay of the blob.
    `CREATE TABLE registry_blobs (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      digest TEXT NOT NULL UNIQUE,
      size INTEGER NOT NULL,
      announced INTEGER NOT NULL
    ) STRICT`,
    `CREATE TABLE registry_links (
      repository INTEGER NOT NULL REFERENCES registry_repositories (id),
      blob INTEGER NOT NULL REFERENCES registry_blobs (id),
      seen INTEGER NOT NULL,
      PRIMARY KEY (repository, blob)
    ) STRICT, WITHOUT ROWID`,
    'CREATE INDEX registry_links_by_blob ON registry_links (blob)',
    `CREATE TABLE registry_manifests (
      id INTEGER PRIMARY KEY,
      repository INTEGER NOT NULL REFERENCES registry_repositories (id),
      digest TEXT NOT NULL,
      media_type TEXT NOT NULL,
      bytes BLOB NOT NULL,
      seen INTEGER NOT NULL,
      subject TEXT,
      artifact_type TEXT,
      descriptor TEXT,
      UNIQUE (repository, digest)
    ) STRICT`,
    'CREATE INDEX registry_manifests_by_subject ON registry_manifests (repository, subject, digest)',
    `CREATE TABLE registry_references (
      manifest INTEGER NOT NULL REFERENCES registry_manifests (id) ON DELETE CASCADE,
      repository INTEGER NOT NULL,
      digest TEXT NOT NULL,
      PRIMARY KEY (manifest, digest)
    ) STRICT, WITHOUT ROWID`,
    'CREATE INDEX registry_references_by_digest ON registry_references (repository, digest)',
    `CREATE TABLE registry_tags (
      repository INTEGER NOT NULL REFERENCES registry_repositories (id),
      name TEXT NOT NULL,
      manifest INTEGER NOT NULL REFERENCES registry_manifests (id) ON DELETE CASCADE,
      PRIMARY KEY (repository, name)
    ) STRICT, WITHOUT ROWID`,
    'CREATE INDEX registry_tags_by_manifest ON registry_tags (manifest)',
    `CREATE TABLE registry_uploads (
      uuid TEXT PRIMARY KEY,
      repository TEXT NOT NULL,
      started INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID`,
    'CREATE INDEX registry_uploads_by_start ON registry_uploads (started)',
  ],
};
