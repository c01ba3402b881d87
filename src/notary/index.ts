import { LIMITS } from '../core/limits.ts';
import type { Gun } from '../core/names/gun.ts';
import type { Instant } from '../core/time.ts';
import type { RouteGroup } from '../http/route.ts';
import type { MaxAge } from './http/answers.ts';
import { GunPrefixes } from './http/gun-prefixes.ts';
import { type Observer, trustRoutes } from './http/routes.ts';
import type { TrustServices } from './http/services.ts';
import type { CurrentChain } from './publish/current-chains.ts';
import type { Logger } from './publish/logger.ts';
import { OnlineKeys } from './publish/online-keys.ts';
import { Proposals } from './publish/proposals.ts';
import { Repositories } from './publish/repositories.ts';
import { Vault } from './publish/seal.ts';
import type { MetadataStore } from './store/metadata-store.ts';
import type { OnlineKeyStore, OnlineKeyType } from './store/online-key-store.ts';
import type { ServerProposalStore } from './store/proposal-store.ts';

export interface TrustServerOptions {
  readonly store: MetadataStore;
  readonly keyStore: OnlineKeyStore;
  readonly proposalStore: ServerProposalStore;
  /** 32 bytes under which the server's own keys are sealed; copied, so the caller can wipe its own. */
  readonly masterKey: Buffer;
  readonly logger: Logger;
  /** The kind of key made for new repositories. */
  readonly keyType?: OnlineKeyType;
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
  readonly clock?: () => Instant;
}

export interface TrustServer {
  readonly routes: RouteGroup<TrustServices, Gun>;
  /** What is wrong, by the names of Notary's checks (protocol B.11); empty if all is well. */
  health(): Promise<Readonly<Record<string, string>>>;
  /** All current files of a GUN at once, renewed if they had expired; no files if nothing is published. */
  currentChain(gun: Gun): Promise<CurrentChain>;
}

const MiB = 1024 * 1024;
/** Room for the headers of a multipart form around its files, in bytes. */
const FORM_MARGIN = MiB;
/** Notary's defaults, in seconds: five minutes and thirty days (protocol B.5). */
const MAX_AGE: MaxAge = { current: 300, consistent: 2_592_000 };

/**
 * The Notary v1 trust server (protocol part B) as routes. Its health says whether the master key is the right one.
 * Throws `master-key-invalid` or `gun-prefix-invalid`.
 */
export function createTrustServer(options: TrustServerOptions): TrustServer {
  const { store, keyStore, logger, clock = Date.now } = options;
  const keys = new OnlineKeys(keyStore, new Vault(options.masterKey), options.keyType ?? 'ed25519', clock);
  const repositories = new Repositories({
    store,
    keys,
    logger,
    clock,
    cacheBytes: options.cacheBytes ?? 64 * MiB,
    isExclusive: options.isExclusive ?? false,
  });
  const services: TrustServices = {
    repositories,
    proposals: new Proposals({ store: options.proposalStore, logger, clock }),
    store,
    keys,
    logger,
    maxAge: options.maxAge ?? MAX_AGE,
    prefixes: new GunPrefixes(options.gunPrefixes ?? []),
  };
  const limit = (options.maxPublish ?? LIMITS.upload) + FORM_MARGIN;
  return {
    routes: trustRoutes(services, { limit, memory: limit }, options.observe ?? (() => {})),
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
