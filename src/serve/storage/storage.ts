import type { AccountEvents, Actor } from '../../accounts/store/account-events.ts';
import type { AccountStore } from '../../accounts/store/store.ts';
import type { MetadataStore } from '../../notary/store/metadata-store.ts';
import type { OnlineKeyStore } from '../../notary/store/online-key-store.ts';
import type { ServerProposalStore } from '../../notary/store/proposal-store.ts';
import type { RegistryIndex } from '../../registry/index/registry-index.ts';
import type { SqlDatabase } from '../../store/sql.ts';
import type { JobTimes } from './job-times.ts';

/**
 * Everything that a server keeps in its database. Blobs are in the blob store; the master key, the token key and
 * certificates are files of the data folder, so that the database alone is not enough to sign anything.
 */
export interface Storage {
  readonly metadata: MetadataStore;
  readonly onlineKeys: OnlineKeyStore;
  readonly proposals: ServerProposalStore;
  readonly registry: RegistryIndex;
  readonly jobs: JobTimes;
  readonly accountEvents: AccountEvents;
  /** Whether no other process can change it while this one serves. */
  readonly isExclusive: boolean;
  /** Whether trust data is in the tables of a notary-server, which may use them again. */
  readonly isNotarys: boolean;
  /** The database itself, if it contains the keys of a notary-signer. */
  readonly signerDatabase?: SqlDatabase;
  /** Accounts. Changes are recorded as made by `actor`. */
  accounts(actor: Actor): AccountStore;
  close(): Promise<void>;
}

/**
 * Called once it is clear that a database can be used, before anything in it is made or changed; with the database, if it is one
 * of a server. What it throws is the reason not to.
 */
export type BeforeChanges = (database: SqlDatabase | undefined) => Promise<void>;
