import type { Gun } from '../../core/names/gun.ts';
import type { Instant } from '../../core/time.ts';

/** A proposal as the server keeps it. */
export interface KeptProposal {
  readonly bytes: Buffer;
  /** SHA-256 of `bytes`, in lower-case hexadecimal digits. */
  readonly sha256: string;
  readonly putAt: Instant;
}

/** What is to stand in the place of a GUN's proposal. */
export interface Replacement {
  readonly gun: Gun;
  /** The SHA-256 of what must stand there; undefined for nothing. */
  readonly former: string | undefined;
  /** Undefined for nothing. */
  readonly proposal: Buffer | undefined;
  /** The user's name; undefined for an anonymous one. */
  readonly by: string | undefined;
  readonly at: Instant;
}

/** What a replacement came to. `unchanged`: what is wanted stands there already. `refused`: something else does. */
export type ReplacementResult = 'replaced' | 'unchanged' | 'refused';

/** Where the trust server keeps at most one proposal for each GUN. */
export interface ServerProposalStore {
  read(gun: Gun): Promise<KeptProposal | undefined>;
  /** Whole or not at all, also between processes. */
  replace(replacement: Replacement): Promise<ReplacementResult>;
  /** Removes the GUN's proposal, whatever it is; false if there was none. */
  remove(gun: Gun): Promise<boolean>;
}
