import { DAY, HOUR, type Instant } from '../core/time.ts';
import type { RouteGroup } from '../http/route.ts';
import type { BlobStore } from './blobs/blob-store.ts';
import { type Collected, type CollectOptions, collectGarbage, removeStaleUploads } from './garbage.ts';
import { OpenUploads } from './http/open-uploads.ts';
import { registryRoutes } from './http/routes.ts';
import type { RegistryParts } from './http/services.ts';
import type { RegistryIndex } from './index/registry-index.ts';
import type { RepositoryName } from './names.ts';

export interface RegistryOptions {
  readonly index: RegistryIndex;
  readonly blobs: BlobStore;
  /**
   * How long unused content is kept after it was pushed, mounted, or reported as being there, in milliseconds. It
   * must cover the time from there to the end of a push. A day by default.
   */
  readonly grace?: number;
  /** How long an upload may lie still before it is removed, in milliseconds. A day by default. */
  readonly uploadAge?: number;
  /** Size of a blob at most, in bytes. 1 TiB by default. */
  readonly maxBlob?: number;
  /** Uploads that one user may have open, or one address without a user. 1,000 by default. */
  readonly maxUploads?: number;
  readonly clock?: () => Instant;
}

export interface Registry {
  readonly routes: RouteGroup<RegistryParts, RepositoryName>;
  /** Removes unused content; may run during pushes. */
  collectGarbage(options?: CollectOptions): Promise<Collected>;
  /** Removes uploads that lie still for too long; returns how many. */
  removeStaleUploads(): Promise<number>;
  /** Removes stale uploads now and every hour, or as often as they get stale, until the returned function is called. */
  keepTidy(onError: (error: unknown) => void): () => void;
}

const TiB = 1024 ** 4;

/** An OCI distribution 1.1 registry (protocol F.5), all of it but `/v2/` itself. */
export function createRegistry(options: RegistryOptions): Registry {
  const { index, blobs, grace = DAY, uploadAge = DAY, maxBlob = TiB, clock = Date.now } = options;
  const openUploads = new OpenUploads(options.maxUploads ?? 1000);
  const services: RegistryParts = { index, blobs, grace, maxBlob, openUploads, clock };
  const removeStale = () => {
    const before = clock() - uploadAge;
    openUploads.endStale(before);
    return removeStaleUploads(services, before);
  };
  return {
    routes: registryRoutes(services),
    collectGarbage: (collectOptions) => collectGarbage(services, collectOptions),
    removeStaleUploads: removeStale,
    keepTidy: (onError) => {
      const run = () => void removeStale().catch(onError);
      run();
      const timer = setInterval(run, Math.min(HOUR, uploadAge));
      timer.unref();
      return () => clearInterval(timer);
    },
  };
}
