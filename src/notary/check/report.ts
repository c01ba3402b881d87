import type { Bookkeeping, TablesOwner } from '../store/notary-tables.ts';

/**
 * Something that a check has found. `error`: Signet cannot serve, or something that works with Notary would not work with
 * it. `warning`: someone should look at it, also if Notary stays. `note`: good to know.
 */
export interface Finding {
  readonly level: 'error' | 'warning' | 'note';
  /** For machines: lower-case words joined by hyphens, an error code where it comes from one. */
  readonly code: string;
  /** What it is about, as stored: a repository, an alias, a table; undefined for the whole. */
  readonly about?: string;
  readonly message: string;
  readonly next?: string;
}

/** What was found of the tables of one of Notary's programs. */
export interface TablesReport {
  /** Whose tables they are; undefined if there are none, or none that can be used. */
  readonly owner: TablesOwner | undefined;
  readonly bookkeeping: Bookkeeping | undefined;
}

/** The keys that share one passphrase, but for those that Signet does not sign with. */
export interface AliasReport {
  readonly alias: string;
  readonly keys: number;
  /** How many of them open with the passphrase that is given. */
  readonly open: number;
}

/** What a check found in the databases of a Notary, of which it has changed nothing. */
export interface NotaryReport {
  readonly server: TablesReport;
  /** Undefined if there are no tables of notary-signer to look at. */
  readonly signer: TablesReport | undefined;
  readonly counts: { readonly repositories: number; readonly files: number; readonly changes: number };
  readonly aliases: readonly AliasReport[];
  /** The alias and the kind of new keys; undefined if there is no alias for any. */
  readonly newKeys: { readonly alias: string; readonly type: string } | undefined;
  readonly findings: readonly Finding[];
}
