import type { Database } from 'bun:sqlite';
import type { RegistryIndex } from './registry-index.ts';
import { SqliteBlobIndex, SqliteUploadIndex } from './sqlite-blob-index.ts';
import { SqliteGarbageIndex } from './sqlite-garbage-index.ts';
import { SqliteManifestIndex } from './sqlite-manifest-index.ts';
import { Rows } from './sqlite-rows.ts';

/** The index in SQLite. The database was opened with `REGISTRY_MIGRATIONS`; the caller closes it. */
export function sqliteRegistryIndex(database: Database): RegistryIndex {
  const rows = new Rows(database);
  return {
    uploads: new SqliteUploadIndex(rows),
    blobs: new SqliteBlobIndex(rows),
    manifests: new SqliteManifestIndex(rows),
    garbage: new SqliteGarbageIndex(rows),
  };
}
