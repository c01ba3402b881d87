import type { Gun } from '../../core/names/gun.ts';
import type { Call } from '../../http/call.ts';
import type { Logger } from '../publish/logger.ts';
import type { OnlineKeys } from '../publish/online-keys.ts';
import type { Proposals } from '../publish/proposals.ts';
import type { Repositories } from '../publish/repositories.ts';
import type { MetadataStore } from '../store/metadata-store.ts';
import type { MaxAge } from './answers.ts';
import type { GunPrefixes } from './gun-prefixes.ts';

/** What the routes of the trust server work with. */
export interface TrustServices {
  readonly repositories: Repositories;
  readonly proposals: Proposals;
  readonly store: MetadataStore;
  readonly keys: OnlineKeys;
  readonly maxAge: MaxAge;
  readonly prefixes: GunPrefixes;
  readonly logger: Logger;
}

/** A request for a GUN that the server serves, of a caller who may make it. */
export type TrustCall = Call<Gun>;
