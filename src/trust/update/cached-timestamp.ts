import { SignetError } from '../../core/errors/index.ts';
import type { Gun } from '../../core/names/gun.ts';
import { type Latest, type RemoteFile, remoteName } from '../../remote/notary/trust-server.ts';
import type { MetadataCache } from '../../store/metadata-cache.ts';
import type { FileServer } from './served-files.ts';

/** A server with nothing but the cached timestamp. */
export class CachedTimestamp implements FileServer {
  private readonly cache: MetadataCache;

  constructor(cache: MetadataCache) {
    this.cache = cache;
  }

  async latest(gun: Gun): Promise<Latest> {
    const timestamp = await this.cache.read(gun, 'timestamp');
    return timestamp === undefined ? this.read(gun, { role: 'timestamp' }) : { timestamp, chain: undefined };
  }

  async read(_gun: Gun, file: RemoteFile): Promise<never> {
    throw new SignetError('trust-data-missing', `${remoteName(file)} is not cached`);
  }
}
