import type { Bookkeeping, TablesOwner } from '../store/notary-tables.ts';

/**
 * A finding of a check. `error`: Signet cannot serve, or something that works with Notary would not work with it.
 * `warning`: someone should look at it, even if Notary stays. `note`: good to know.
 */
export interface Finding {
  readonly level: 'error' | 'warning' | 'note';
  /** For machines: lower-case words joined by hyphens, an error code if it comes from an error. */
  readonly code: string;
  /** The repository, alias or table concerned, as stored. Undefined if it concerns everything. */
  readonly about?: string;
  readonly message: string;
  readonly next?: string;
}

/** The result for the tables of one of Notary's programs. */
export interface TablesReport {
  /** Who created the tables. Undefined if there are none, or none that can be used. */
  readonly owner: TablesOwner | undefined;
  readonly bookkeeping: Bookkeeping | undefined;
}

/** The keys that share one passphrase, but for those that Signet does not sign with. */
export interface AliasReport {
  readonly alias: string;
  readonly keys: number;
  /** How many of them the given passphrase opens. */
  readonly open: number;
}

/** The result of checking the databases of a Notary, which are not changed. */
export interface NotaryReport {
  readonly server: TablesReport;
  /** Undefined if there are no tables of notary-signer to check. */
  readonly signer: TablesReport | undefined;
  readonly counts: { readonly repositories: number; readonly files: number; readonly changes: number };
  readonly aliases: readonly AliasReport[];
  /** The alias and type of new keys. Undefined if there is no alias for them. */
  readonly newKeys: { readonly alias: string; readonly type: string } | undefined;
  readonly findings: readonly Finding[];
}
