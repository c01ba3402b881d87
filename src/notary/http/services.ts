import type { Gun } from '../../core/names/gun.ts';
import type { Call } from '../../http/call.ts';
import type { Logger } from '../publish/logger.ts';
import type { OnlineKeyService } from '../publish/online-key-service.ts';
import type { ServerProposals } from '../publish/proposals.ts';
import type { Repositories } from '../publish/repositories.ts';
import type { MetadataStore } from '../store/metadata-store.ts';
import type { MaxAge } from './answers.ts';
import type { GunPrefixes } from './gun-prefixes.ts';

/** What the routes of the trust server work with. */
export interface TrustServices {
  readonly repositories: Pick<
    Repositories,
    'current' | 'fresh' | 'byChecksum' | 'byVersion' | 'publish' | 'refuseTaken' | 'import' | 'delete'
  >;
  readonly proposals: Pick<ServerProposals, 'get' | 'put' | 'remove' | 'clear'>;
  readonly store: MetadataStore;
  readonly keys: Pick<OnlineKeyService, 'current' | 'next'>;
  readonly maxAge: MaxAge;
  readonly prefixes: GunPrefixes;
  readonly logger: Logger;
}

/** A request for a GUN that the server serves, of a caller who may make it. */
export type TrustCall = Call<Gun>;
