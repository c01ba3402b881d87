import type { Gun } from '../core/names/gun.ts';
import type { Pinning } from '../core/pinning.ts';
import type { Instant } from '../core/time.ts';
import type { TrustServer } from '../remote/trust-server.ts';
import type { MetadataCache } from '../store/metadata-cache.ts';

/** Everything that bringing one collection up to date depends on. */
export interface CollectionSource {
  readonly gun: Gun;
  /** The trust server's host, as errors name it. */
  readonly host: string;
  readonly server: Pick<TrustServer, 'read'>;
  readonly cache: MetadataCache;
  readonly pinning: Pinning;
  readonly now: Instant;
  /** `read`: the cache serves while the server cannot be reached. `publish`: only the server's own answer counts. */
  readonly purpose: 'read' | 'publish';
  /** Told what a person should know though it stops nothing. */
  readonly warn: (message: string) => void;
}
