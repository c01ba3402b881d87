import type { Gun } from '../../core/names/gun.ts';
import type { Instant } from '../../core/time.ts';
import type { Pinning } from '../../core/verify/pinning.ts';
import type { MetadataCache } from '../../store/metadata-cache.ts';
import type { ApproveFirstRoot } from './first-root.ts';
import type { FileServer } from './served-files.ts';

export type WhenUnreachable = 'cache' | 'refuse';

/** Everything that bringing one collection up to date depends on. */
export interface CollectionSource {
  readonly gun: Gun;
  /** The trust server's host, as errors name it. */
  readonly host: string;
  readonly server: FileServer;
  readonly cache: MetadataCache;
  readonly pinning: Pinning;
  /** Asked where trust on first use is `ask`; absent if there is no one to ask. */
  readonly approveFirstRoot?: ApproveFirstRoot | undefined;
  readonly now: Instant;
  /** `read`: the cache serves while the server cannot be reached. `publish`: only the server's own answer counts. */
  readonly purpose: 'read' | 'publish';
  /** What reading makes of that: the cached collection, with a warning, until it expires; or nothing. */
  readonly whenUnreachable: WhenUnreachable;
  /** Told what a person should know though it stops nothing. */
  readonly warn: (message: string) => void;
}

/** The same, where files are only read by their names. */
export interface FileSource extends Omit<CollectionSource, 'server'> {
  readonly server: Pick<FileServer, 'read'>;
}
