import type { Gun } from '../core/names/gun.ts';
import type { Instant } from '../core/time.ts';
import type { RouteGroup } from '../http/route.ts';
import type { MaxAge } from './http/answers.ts';
import { GunPrefixes } from './http/gun-prefixes.ts';
import { type Observer, trustRoutes } from './http/routes.ts';
import type { TrustServices } from './http/services.ts';
import type { CurrentChain } from './publish/current-chains.ts';
import type { Logger } from './publish/logger.ts';
import type { OnlineKeyService } from './publish/online-key-service.ts';
import { ServerProposals } from './publish/proposals.ts';
import { type Imported, Repositories } from './publish/repositories.ts';
import type { MetadataStore } from './store/metadata-store.ts';
import type { ServerProposalStore } from './store/proposal-store.ts';

export interface TrustServerOptions {
  readonly store: MetadataStore;
  /** The keys with which the server signs. */
  readonly keys: OnlineKeyService;
  readonly proposalStore: ServerProposalStore;
  readonly logger: Logger;
  /** Beginnings, each with a slash at its end, of the repository names to serve; all names if none is given. */
  readonly gunPrefixes?: readonly string[];
  readonly maxAge?: MaxAge;
  /** Bytes of current metadata to keep in memory. */
  readonly cacheBytes?: number;
  /** Whether no other process changes the store; then it is not asked again for what is in memory. */
  readonly isExclusive?: boolean;
  /** Bytes of files in one publish at most. */
  readonly maxPublish?: number;
  readonly observe?: Observer;
  /** Told of every collection that was imported, after it is stored. */
  readonly onImport?: (imported: Imported) => void;
  readonly clock?: () => Instant;
}

export interface TrustService {
  readonly routes: RouteGroup<TrustServices, Gun>;
  /** What is wrong, by the names of Notary's checks (protocol B.11); empty if all is well. */
  health(): Promise<Readonly<Record<string, string>>>;
  /** All current files of a GUN at once, renewed if they had expired; no files if nothing is published. */
  currentChain(gun: Gun): Promise<CurrentChain>;
}

const MiB = 1024 * 1024;
/** Notary's defaults, in seconds: five minutes and thirty days (protocol B.5). */
export const MAX_AGE: MaxAge = { current: 300, consistent: 2_592_000 };

/**
 * The Notary v1 trust server (protocol part B) as routes. Its health says whether its keys can sign. Throws
 * `gun-prefix-invalid`.
 */
export function createTrustService(options: TrustServerOptions): TrustService {
  const { store, keys, logger, clock = Date.now } = options;
  const repositories = new Repositories({
    ...{ store, keys, logger, clock },
    cacheBytes: options.cacheBytes ?? 64 * MiB,
    isExclusive: options.isExclusive ?? false,
    onImport: options.onImport ?? (() => {}),
  });
  const services: TrustServices = {
    repositories,
    proposals: new ServerProposals({ store: options.proposalStore, logger, clock }),
    store,
    keys,
    logger,
    maxAge: options.maxAge ?? MAX_AGE,
    prefixes: new GunPrefixes(options.gunPrefixes ?? []),
  };
  return {
    routes: trustRoutes({ services, maxPublish: options.maxPublish, observe: options.observe }),
    currentChain: (gun) => repositories.fresh(gun),
    health: async () => {
      const [database, signing] = await Promise.all([failureOf(store.check()), failureOf(keys.check())]);
      return {
        ...(database === undefined ? {} : { 'DB operational': database }),
        ...(signing === undefined ? {} : { 'Trust operational': signing }),
      };
    },
  };
}

async function failureOf(check: Promise<void>): Promise<string | undefined> {
  try {
    await check;
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
