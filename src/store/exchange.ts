import { closeSync, openSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { SignetError } from '../core/errors/index.ts';
import { isErrno, readSmallFile, reason, removeFile, syncFolder, writeDurably } from './files.ts';

const ABANDONED_MS = 60_000;

export interface Exchange {
  /** The expected content; undefined for no file. */
  readonly former: Uint8Array | undefined;
  /** The new content (0600); undefined for no file. */
  readonly next: Uint8Array | undefined;
  /** The size limit of the file in bytes. */
  readonly limit: number;
}

/**
 * Compare-and-swap for a file: replaces it only if it has the expected content, whatever other processes do. As in git,
 * the new content is written to `<path>.lock`, which only one process at a time can create, and renamed. A killed
 * process leaves the file unchanged; its lock expires after a minute.
 *
 * Returns whether the file now has the content `next`, even if it had it before. Throws `file-locked` while another
 * process holds the lock, `file-unsafe`, `file-unreadable`, `file-unwritable` or `too-large`.
 */
export function exchangeFile(path: string, { former, next, limit }: Exchange): boolean {
  const lock = `${path}.lock`;
  const descriptor = openLock(lock);
  let isRenamed = false;
  try {
    const present = readSmallFile(path, limit, false);
    if (!isSame(present, former)) return isSame(present, next);
    if (next === undefined) {
      removeFile(path);
    } else {
      writeDurably(descriptor, next);
      renameSync(lock, path);
      isRenamed = true;
    }
    syncFolder(dirname(path));
    return true;
  } catch (cause) {
    throw cause instanceof SignetError ? cause : unwritable(path, cause);
  } finally {
    closeSync(descriptor);
    // After the rename the lock's name is free for others.
    if (!isRenamed) removeFile(lock);
  }
}

function openLock(lock: string): number {
  if (isAbandoned(lock)) removeFile(lock);
  try {
    return openSync(lock, 'wx', 0o600);
  } catch (cause) {
    if (!isErrno(cause, 'EEXIST')) throw unwritable(lock, cause);
    throw new SignetError('file-locked', `another command holds ${lock}`, { cause, detail: { path: lock } });
  }
}

/** An exchange takes milliseconds, so the process that made such an old lock is dead. */
function isAbandoned(lock: string): boolean {
  try {
    return statSync(lock).mtimeMs < Date.now() - ABANDONED_MS;
  } catch (cause) {
    if (isErrno(cause, 'ENOENT')) return false;
    throw unwritable(lock, cause);
  }
}

function isSame(one: Uint8Array | undefined, other: Uint8Array | undefined): boolean {
  return one === undefined || other === undefined ? one === other : Buffer.compare(one, other) === 0;
}

function unwritable(path: string, cause: unknown): SignetError {
  return new SignetError('file-unwritable', `cannot write ${path}: ${reason(cause)}`, { cause });
}
