import { accessSync, constants, statfsSync } from 'node:fs';
import { isSignetError } from '../../core/errors/index.ts';
import { storageError } from '../../store/storage-error.ts';

/** Bytes and files below which a disk counts as full: the database and its journal must be able to go on. */
const LEAST_BYTES = 16 * 1024 * 1024;
const LEAST_FILES = 16;

/** Why nothing can be stored in a folder; undefined if it can. The system answers without looking at the disk. */
export function diskFailure(folder: string): string | undefined {
  try {
    accessSync(folder, constants.W_OK);
    const { bavail, bsize, files, ffree } = statfsSync(folder);
    if (bavail * bsize < LEAST_BYTES) return `it is full: ${bavail * bsize} bytes are left`;
    // Some file systems have no bound on files, and say 0 of 0.
    return files > 0 && ffree < LEAST_FILES ? `it is full: room for ${ffree} files is left` : undefined;
  } catch (error) {
    const known = storageError(error);
    return isSignetError(known) ? known.message : `it cannot be used: ${String(error)}`;
  }
}
