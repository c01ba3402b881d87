import type { Proposal, ProposedFile } from '../../core/edit/proposal.ts';
import type { Collection } from '../update/collection.ts';

/**
 * A proposal that waits for signatures, as examined against the current collection.
 *
 * @example
 * ```ts
 * import type { WaitingProposal } from 'signet';
 *
 * const waiting: WaitingProposal | undefined = await repository.proposal();
 * assert.equal(waiting, undefined);
 * ```
 */
export interface WaitingProposal {
  readonly collection: Collection;
  readonly proposal: Proposal;
  readonly files: readonly ProposedFile[];
  /** What no honest change needs (`unusualIn`), a line each. */
  readonly unusual: readonly string[];
  /** What the store has, in whose place it goes once it is signed further; undefined for nothing. */
  readonly stored: Buffer | undefined;
  /** Whether it has signatures that the copy in the store lacks. */
  readonly isGain: boolean;
}
