import { isSignetError } from '../../../core/errors/index.ts';
import { unpublished } from '../../../trust/publish/create.ts';
import type { Repository } from '../../../trust/publish/repository.ts';
import type { Collection } from '../../../trust/update/collection.ts';

/** The collection, for reading. If it does not exist yet, the error gives the next step. */
export async function readCollection(repository: Repository): Promise<Collection> {
  try {
    return await repository.read();
  } catch (cause) {
    if (!isSignetError(cause, 'trust-data-missing')) throw cause;
    const { gun } = repository;
    const isPrepared = (await unpublished(repository.source)) !== undefined;
    const { resource = 'root' } = cause.detail;
    if (!isPrepared && resource !== 'root') throw cause;
    throw cause.reworded(isPrepared ? `${gun} is prepared here, and not published yet` : cause.message, {
      next: isPrepared ? `Publish it: signet trust publish ${gun}` : `Found it: signet trust init ${gun}`,
    });
  }
}
