import type { TrustServer } from '../../remote/trust-server.ts';
import type { CollectionSource } from '../update/collection-source.ts';
import type { PlacedProposals } from './proposals.ts';

/** What a repository is brought up to date from and published to. */
export interface RepositorySource extends Omit<CollectionSource, 'purpose'> {
  readonly server: TrustServer;
  /** Where changes wait for signatures of others. */
  readonly proposals: PlacedProposals;
}
