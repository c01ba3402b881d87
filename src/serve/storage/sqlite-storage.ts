import type { Database } from 'bun:sqlite';
import { SqliteAccountEvents } from '../../accounts/store/sqlite-account-events.ts';
import { ACCOUNT_MIGRATIONS, SqliteAccountStore } from '../../accounts/store/sqlite-store.ts';
import { METADATA_MIGRATIONS, SqliteMetadataStore } from '../../notary/store/sqlite-metadata-store.ts';
import { ONLINE_KEY_MIGRATIONS, SqliteOnlineKeyStore } from '../../notary/store/sqlite-online-key-store.ts';
import { PROPOSAL_MIGRATIONS, SqliteProposalStore } from '../../notary/store/sqlite-proposal-store.ts';
import { REGISTRY_MIGRATIONS } from '../../registry/index/schema.ts';
import { sqliteRegistryIndex } from '../../registry/index/sqlite-index.ts';
import { openDatabase } from '../../store/sqlite.ts';
import { refuseIncomplete, sqliteCopyMark } from './copy-mark.ts';
import { JOB_MIGRATIONS, SqliteJobTimes } from './sqlite-job-times.ts';
import type { Storage } from './storage.ts';

/** Opens or creates the file, and migrates the tables of every part. Throws `database-unusable` or `database-newer`. */
export function openSqliteDatabase(path: string): Database {
  return openDatabase(
    path,
    METADATA_MIGRATIONS,
    ONLINE_KEY_MIGRATIONS,
    PROPOSAL_MIGRATIONS,
    ACCOUNT_MIGRATIONS,
    REGISTRY_MIGRATIONS,
    JOB_MIGRATIONS,
  );
}

/** Opens a storage in one SQLite file. Throws what `openSqliteDatabase` throws, and `database-incomplete`. */
export function openSqliteStorage(path: string): Storage {
  const database = openSqliteDatabase(path);
  try {
    refuseIncomplete(sqliteCopyMark(database));
  } catch (error) {
    database.close();
    throw error;
  }
  return {
    metadata: new SqliteMetadataStore(database),
    onlineKeys: new SqliteOnlineKeyStore(database),
    proposals: new SqliteProposalStore(database),
    registry: sqliteRegistryIndex(database),
    jobs: new SqliteJobTimes(database),
    accountEvents: new SqliteAccountEvents(database),
    // The server locks the file's folder.
    isExclusive: true,
    isNotarys: false,
    accounts: (actor) => new SqliteAccountStore(database, actor),
    close: async () => database.close(),
  };
}
