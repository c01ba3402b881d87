import { isSignetError } from '../../core/errors/index.ts';
import { quoted } from '../../core/printable.ts';
import type { CollectionSource } from './collection-source.ts';
import { explainingGone } from './gone.ts';

/**
 * Runs `work`. If the server is unreachable, and the first part of the name counted as a host only because of a capital
 * letter, as in docker, the next step says so. If the server is Docker's, which is switched off, the next step
 * names the choices.
 */
export async function explainingHost<T>(
  source: Pick<CollectionSource, 'gun' | 'host'>,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isSignetError(error)) throw error;
    const first = source.gun.split('/', 1)[0] ?? '';
    const isMistakable = first !== first.toLowerCase() && !/[.:]/.test(first) && source.host === first.toLowerCase();
    if (error.code !== 'network-unreachable' || !isMistakable) throw explainingGone(error, source.host);
    throw error.reworded(error.message, {
      next: `${quoted(first)} is read as the host of a registry, as docker reads a first part with a capital letter. Names on Docker Hub are in small letters: ${source.gun.toLowerCase()}`,
    });
  }
}
