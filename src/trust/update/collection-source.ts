import type { Gun } from '../../core/names/gun.ts';
import type { Instant } from '../../core/time.ts';
import type { Pinning } from '../../core/verify/pinning.ts';
import type { MetadataCache } from '../../store/metadata-cache.ts';
import type { ApproveFirstRoot } from './first-root.ts';
import type { FileServer } from './served-files.ts';

export type WhenUnreachable = 'cache' | 'refuse';

/** What updating one collection depends on. */
export interface CollectionSource {
  readonly gun: Gun;
  /** The trust server's host, as errors name it. */
  readonly host: string;
  readonly server: FileServer;
  readonly cache: MetadataCache;
  readonly pinning: Pinning;
  /** Called if trust on first use is set to `ask`; absent if no one can be asked. */
  readonly approveFirstRoot?: ApproveFirstRoot | undefined;
  readonly now: Instant;
  /** `read`: the cache is used while the server is unreachable. `publish`: only the server's own response counts. */
  readonly purpose: 'read' | 'publish';
  /** What reading does then: use the cached collection, with a warning, until it expires; or fail. */
  readonly whenUnreachable: WhenUnreachable;
  /** Receives warnings for the user. */
  readonly warn: (message: string) => void;
}

/** The same, for reading individual files. */
export interface FileSource extends Omit<CollectionSource, 'server'> {
  readonly server: Pick<FileServer, 'read'>;
}
