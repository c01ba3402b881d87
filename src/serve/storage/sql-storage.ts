import { SqlAccountEvents } from '../../accounts/store/sql-account-events.ts';
import { SQL_ACCOUNT_MIGRATIONS, SqlAccountStore } from '../../accounts/store/sql-store.ts';
import { KEPT_VERSIONS } from '../../notary/store/metadata-store.ts';
import { findTables, hasNotary, openNotaryTables, type TablesOwner } from '../../notary/store/notary-tables.ts';
import { SqlMetadataStore } from '../../notary/store/sql-metadata-store.ts';
import { SQL_ONLINE_KEY_MIGRATIONS, SqlOnlineKeyStore } from '../../notary/store/sql-online-key-store.ts';
import { SQL_PROPOSAL_MIGRATIONS, SqlProposalStore } from '../../notary/store/sql-proposal-store.ts';
import { sqlRegistryIndex } from '../../registry/index/sql-index.ts';
import { SQL_REGISTRY_MIGRATIONS } from '../../registry/index/sql-schema.ts';
import type { DatabaseServer } from '../../store/database-url.ts';
import { SqlDatabase, type SqlOptions } from '../../store/sql.ts';
import { migrateSql } from '../../store/sql-migrations.ts';
import { refuseIncomplete, sqlCopyMark } from './copy-mark.ts';
import { SQL_JOB_MIGRATIONS, SqlJobTimes } from './sql-job-times.ts';
import type { BeforeChanges, Storage } from './storage.ts';

/** A database with the tables of every part. */
interface OpenSqlDatabase {
  readonly database: SqlDatabase;
  /** Who created the tables of trust data. Signet deletes old rows only from tables of its own. */
  readonly owner: TablesOwner;
}

/**
 * Connects, and migrates all tables. Trust data is stored in Notary's own tables, which are created in an empty
 * database and never altered; everything else in tables whose names begin with `signet_`. Throws what
 * `SqlDatabase.open`, `openNotaryTables` and `migrateSql` throw.
 */
export async function openSqlDatabase(
  server: DatabaseServer,
  options?: SqlOptions,
  beforeChanges?: BeforeChanges,
): Promise<OpenSqlDatabase> {
  const database = await SqlDatabase.open(server, options);
  try {
    const owner = await openNotaryTables(database, async () => beforeChanges?.(database));
    await migrateSql(
      database,
      SQL_ONLINE_KEY_MIGRATIONS,
      SQL_PROPOSAL_MIGRATIONS,
      SQL_ACCOUNT_MIGRATIONS,
      SQL_REGISTRY_MIGRATIONS,
      SQL_JOB_MIGRATIONS,
    );
    return { database, owner };
  } catch (error) {
    await database.close();
    throw error;
  }
}

/**
 * Opens a storage in one database of a database server, which other replicas may share. Throws what `openSqlDatabase`
 * throws, and `database-incomplete`.
 */
export async function openSqlStorage(
  server: DatabaseServer,
  options?: SqlOptions,
  beforeChanges?: BeforeChanges,
): Promise<Storage> {
  const { database, owner } = await openSqlDatabase(server, options, beforeChanges);
  let hasSigner: boolean;
  try {
    refuseIncomplete(await sqlCopyMark(database));
    hasSigner = hasNotary(await findTables(database), 'signer');
  } catch (error) {
    await database.close();
    throw error;
  }
  return {
    metadata: new SqlMetadataStore(database, owner === 'signet' ? { keptVersions: KEPT_VERSIONS } : {}),
    onlineKeys: new SqlOnlineKeyStore(database),
    proposals: new SqlProposalStore(database),
    registry: sqlRegistryIndex(database),
    jobs: new SqlJobTimes(database),
    accountEvents: new SqlAccountEvents(database),
    isExclusive: false,
    isNotarys: owner === 'notary',
    ...(hasSigner ? { signerDatabase: database } : {}),
    accounts: (actor) => new SqlAccountStore(database, actor),
    close: () => database.close(),
  };
}
