import { closeSync, openSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { SignetError } from '../core/errors/index.ts';
import { isErrno, readSmallFile, reason, removeFile, syncFolder, writeDurably } from './files.ts';

const ABANDONED_MS = 60_000;

export interface Exchange {
  /** What must stand there; undefined for nothing. */
  readonly former: Uint8Array | undefined;
  /** What is to stand there (0600); undefined for nothing. */
  readonly next: Uint8Array | undefined;
  /** Bytes that the file may have. */
  readonly limit: number;
}

/**
 * Replaces a file only if it still has the content it is supposed to have, whatever other processes do meanwhile. As
 * in git, the new content is written to `<path>.lock`, which only one process at a time can make, and that is renamed.
 * A process that is killed leaves the file as it was; its lock counts for nothing after a minute.
 *
 * Returns whether `next` stands there now, also where it did before. Throws `file-locked` while another process is at
 * it, `file-unsafe`, `file-unreadable`, `file-unwritable` or `too-large`.
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
    // Once renamed, the name belongs to whoever takes it next.
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

/** An exchange takes milliseconds: whoever made so old a lock does not live any more. */
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
