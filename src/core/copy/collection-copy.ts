import type { Gun } from '../names/gun.ts';
import type { DelegationName, RoleName } from '../names/role.ts';
import type { Instant } from '../time.ts';

/**
 * All current files of one collection, byte for byte, with its root history; no keys. It is data, not authority:
 * its users verify it again (`verifyCopy`), and decide by their own pins whether to trust its root.
 */
export interface CollectionCopy {
  readonly gun: Gun;
  /** The trust server that it was read from; undefined for a client's cache. */
  readonly server: URL | undefined;
  /** When it was read, in whole seconds. */
  readonly readAt: Instant;
  /** Roots of consecutive versions, oldest first; the last is the current one. */
  readonly roots: readonly RootFile[];
  /** The other current files. */
  readonly files: ReadonlyMap<CopiedRole, Buffer>;
  readonly verification: CopyVerification;
}

export interface RootFile {
  readonly version: number;
  readonly bytes: Buffer;
}

export type CopiedRole = Exclude<RoleName, 'root'>;

/**
 * What held when the copy was read. Signatures, thresholds, checksums and versions hold for all of it, or there is no copy.
 * Only these are recorded rather than refused.
 */
interface CopyVerification {
  readonly root: RootTrust;
  /** The files that had expired when the copy was read. */
  readonly expired: readonly ExpiredFile[];
  /** Delegations whose files lack signatures; clients pass over them. */
  readonly unsigned: readonly DelegationName[];
}

/** A file that had expired, and when it did, in whole seconds. */
export interface ExpiredFile {
  readonly role: RoleName;
  readonly expired: Instant;
}

/** Why the reader trusted the root: it was pinned, known from an earlier visit, or seen for the first time. */
export type RootTrust =
  | { readonly how: 'pinned'; readonly pattern: string }
  | { readonly how: 'known' }
  | { readonly how: 'first-use' };
