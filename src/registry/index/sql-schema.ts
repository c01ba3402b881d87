import type { SqlMigrations } from '../../store/sql-migrations.ts';

/** Length of a SHA-512 digest with the algorithm's name. */
const DIGEST = 135;

/** The registry's tables in a database server, the same as in SQLite. Times are milliseconds since 1970. */
export const SQL_REGISTRY_MIGRATIONS: SqlMigrations = {
  part: 'registry',
  steps: [
    ({ createTable, id, integer, name, text, bytes }) => {
      const repository = 'FOREIGN KEY (repository) REFERENCES signet_registry_repositories (id)';
      const manifest = 'FOREIGN KEY (manifest) REFERENCES signet_registry_manifests (id) ON DELETE CASCADE';
      return [
        ...createTable('signet_registry_repositories', [`id ${id}`, `name ${name(255)} NOT NULL UNIQUE`]),
        ...createTable('signet_registry_blobs', [
          `id ${id}`,
          `digest ${name(DIGEST)} NOT NULL UNIQUE`,
          `size ${integer} NOT NULL`,
          `announced ${integer} NOT NULL`,
        ]),
        ...createTable(
          'signet_registry_links',
          [
            `repository ${integer} NOT NULL`,
            `blob_id ${integer} NOT NULL`,
            `seen ${integer} NOT NULL`,
            'PRIMARY KEY (repository, blob_id)',
            repository,
            'FOREIGN KEY (blob_id) REFERENCES signet_registry_blobs (id)',
          ],
          { signet_registry_links_by_blob: 'blob_id' },
        ),
        ...createTable(
          'signet_registry_manifests',
          [
            `id ${id}`,
            `repository ${integer} NOT NULL`,
            `digest ${name(DIGEST)} NOT NULL`,
            `media_type ${text} NOT NULL`,
            `bytes ${bytes} NOT NULL`,
            `seen ${integer} NOT NULL`,
            `subject ${name(DIGEST)}`,
            `artifact_type ${text}`,
            `descriptor ${text}`,
            'UNIQUE (repository, digest)',
            repository,
          ],
          { signet_registry_manifests_by_subject: 'repository, subject, digest' },
        ),
        ...createTable(
          'signet_registry_references',
          [
            `manifest ${integer} NOT NULL`,
            `repository ${integer} NOT NULL`,
            `digest ${name(DIGEST)} NOT NULL`,
            'PRIMARY KEY (manifest, digest)',
            manifest,
          ],
          { signet_registry_references_by_digest: 'repository, digest' },
        ),
        ...createTable(
          'signet_registry_tags',
          [
            `repository ${integer} NOT NULL`,
            `name ${name(128)} NOT NULL`,
            `manifest ${integer} NOT NULL`,
            'PRIMARY KEY (repository, name)',
            repository,
            manifest,
          ],
          { signet_registry_tags_by_manifest: 'manifest' },
        ),
        ...createTable(
          'signet_registry_uploads',
          [`uuid ${name(36)} NOT NULL PRIMARY KEY`, `repository ${name(255)} NOT NULL`, `started ${integer} NOT NULL`],
          { signet_registry_uploads_by_start: 'started' },
        ),
      ];
    },
  ],
};
