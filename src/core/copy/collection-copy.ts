import type { Gun } from '../names/gun.ts';
import type { DelegationName, RoleName } from '../names/role.ts';
import type { Instant } from '../time.ts';

/**
 * All current files of one collection, byte for byte, with its root history, but no keys. A copy is data without
 * authority: its users verify it again (`verifyCopy`), and decide by their own pins whether to trust its root.
 */
export interface CollectionCopy {
  readonly gun: Gun;
  /** The trust server that it was read from. Undefined for a client's cache. */
  readonly server: URL | undefined;
  /** When it was read, in whole seconds. */
  readonly readAt: Instant;
  /** Roots with consecutive versions, oldest first. The last one is the current root. */
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
 * What was true when the copy was read. A copy exists only if all its signatures, thresholds, checksums and versions
 * are valid; the facts here are recorded instead of refused.
 */
interface CopyVerification {
  readonly root: RootTrust;
  /** The files that had expired when the copy was read. */
  readonly expired: readonly ExpiredFile[];
  /** Delegations whose files lack signatures. Clients skip them. */
  readonly unsigned: readonly DelegationName[];
}

/** A file that had expired, with its expiry in whole seconds. */
export interface ExpiredFile {
  readonly role: RoleName;
  readonly expired: Instant;
}

/** Why the reader trusted the root: it was pinned, known from an earlier visit, or seen for the first time. */
export type RootTrust =
  | { readonly how: 'pinned'; readonly pattern: string }
  | { readonly how: 'known' }
  | { readonly how: 'first-use' };
