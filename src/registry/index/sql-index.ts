import type { SqlDatabase } from '../../store/sql.ts';
import type { RegistryIndex } from './registry-index.ts';
import { SqlBlobIndex, SqlUploadIndex } from './sql-blob-index.ts';
import { SqlGarbageIndex } from './sql-garbage-index.ts';
import { SqlManifestIndex } from './sql-manifest-index.ts';

/** The index in a database server. Needs the migrations `SQL_REGISTRY_MIGRATIONS`. The caller closes the database. */
export function sqlRegistryIndex(database: SqlDatabase): RegistryIndex {
  return {
    uploads: new SqlUploadIndex(database),
    blobs: new SqlBlobIndex(database),
    manifests: new SqlManifestIndex(database),
    garbage: new SqlGarbageIndex(database),
  };
}
