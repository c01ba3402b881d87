import type { MirrorInfo } from '../../remote/notary/mirror-info.ts';
import type { TrustServer } from '../../remote/notary/trust-server.ts';
import type { CreationLock } from '../../store/creation-lock.ts';
import type { CollectionSource } from '../update/collection-source.ts';
import type { PlacedProposals } from './proposals.ts';
import type { WaitingProposal } from './waiting-proposal.ts';

/** Shows a person what others have proposed, and asks whether to sign all of it. */
export type ApproveProposal = (gun: CollectionSource['gun'], waiting: WaitingProposal) => Promise<boolean>;

/** Runs what sends a change to the server: an end of the process in between would leave it open whether it is published. */
export type WhileSending = (gun: CollectionSource['gun'], sending: () => Promise<void>) => Promise<void>;

/** What a repository is brought up to date from and published to. */
export interface RepositorySource extends Omit<CollectionSource, 'purpose'> {
  readonly server: TrustServer;
  /** Where changes wait for the signatures of others. */
  readonly proposals: PlacedProposals;
  /** What the server says of it if it is a mirror; absent if there is no one to ask. */
  readonly mirrorInfo?: (() => Promise<MirrorInfo | undefined>) | undefined;
  /** Held while a repository is founded, so that two processes do not both make keys for it; absent if only one can. */
  readonly creationLock?: Pick<CreationLock, 'hold'> | undefined;
  /** Waits so many milliseconds; by the clock if it is absent. */
  readonly sleep?: ((milliseconds: number) => Promise<void>) | undefined;
  /** Runs whatever is sent to be published; absent if the process cannot be ended in between. */
  readonly whileSending?: WhileSending | undefined;
  /** Asked before a change completes or signs what others have proposed; absent if there is no one to ask. */
  readonly approveProposal?: ApproveProposal | undefined;
}
