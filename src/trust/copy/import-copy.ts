import type { CollectionCopy } from '../../core/copy/collection-copy.ts';
import { verifyCopy } from '../../core/copy/verify-copy.ts';
import { type Collection, updateCollection } from '../update/collection.ts';
import { CopiedServer } from './copied-server.ts';
import type { CopySource } from './read-copy.ts';

/**
 * Imports a copy into the cache as if its files came from a server: the user's pins and the root of earlier visits
 * decide whether to trust it, no file may be older than the cached one, and none may have expired. Throws
 * `copy-untrusted`, or what `updateCollection` throws; the cache is unchanged then.
 */
export function importCopy(source: Omit<CopySource, 'server'>, copy: CollectionCopy): Promise<Collection> {
  verifyCopy(copy);
  return updateCollection({
    ...source,
    server: new CopiedServer(copy),
    purpose: 'publish',
    whenUnreachable: 'refuse',
  });
}
