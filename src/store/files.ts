import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  openSync,
  readSync,
  renameSync,
  type Stats,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { isSignetError, SignetError } from '../core/errors/index.ts';
import { draftOf, removeDrafts } from './drafts.ts';

const WORDS: ReadonlyMap<string, string> = new Map([
  ['EACCES', 'permission denied'],
  ['EDQUOT', 'the disk quota is used up'],
  ['ENOENT', 'there is no such file or folder'],
  ['ENOSPC', 'no space left on the device'],
  ['EROFS', 'the file system is read-only'],
]);
/** Errors of a place that cannot be written at all, whatever the file. */
const NO_WRITING = ['EACCES', 'EDQUOT', 'ENOSPC', 'EPERM', 'EROFS'];
const ROOT = 0;
const WRITABLE_BY_OTHERS = 0o022;
/** Does not wait for a writer if the file is a pipe. */
const READ = constants.O_RDONLY | constants.O_NONBLOCK;

/**
 * Reads a regular file of at most `limit` bytes; undefined if there is none. Follows a link in the last component only
 * if `followLink` is set. `check` may refuse the file by owner and mode before it is read. Throws `file-unsafe`,
 * `file-unreadable` or `too-large`.
 */
export function readSmallFile(
  path: string,
  limit: number,
  followLink: boolean,
  check: (stat: Stats) => void = () => undefined,
): Buffer | undefined {
  const descriptor = openForReading(path, followLink);
  if (descriptor === undefined) return undefined;
  try {
    const stat = fstatSync(descriptor);
    if (!stat.isFile()) throw unsafe(path, stat.isDirectory() ? 'is a directory' : 'is not a regular file');
    check(stat);
    const file = readUpTo(descriptor, Math.min(stat.size, limit) + 1);
    if (file.length > limit) throw new SignetError('too-large', `${path} is larger than ${limit} bytes`);
    return file;
  } catch (cause) {
    throw cause instanceof SignetError ? cause : unreadable(path, cause);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * What an open file has, up to `most` bytes: more than a limit shows in one byte more than the limit, also of a pipe, whose
 * size no one knows. Throws the system's errors.
 */
export function readUpTo(descriptor: number, most: number): Buffer {
  const bytes = Buffer.alloc(most);
  let length = 0;
  for (let count = -1; count !== 0 && length < most; length += count) {
    count = readSync(descriptor, bytes, length, most - length, null);
  }
  return bytes.subarray(0, length);
}

/**
 * Writes a file (0600) atomically: to a draft next to it, synced and renamed. A link at the path is replaced, not
 * followed. Removes old drafts of killed processes in the folder. Throws `file-unwritable`.
 */
export function writePrivateFile(path: string, bytes: Uint8Array): void {
  const draft = draftOf(path);
  let isMade = false;
  try {
    const descriptor = openSync(draft, 'wx', 0o600);
    isMade = true;
    try {
      writeDurably(descriptor, bytes);
    } finally {
      closeSync(descriptor);
    }
    renameSync(draft, path);
    syncFolder(dirname(path));
  } catch (cause) {
    // If the draft cannot be removed, the error is still that of the write.
    if (isMade) removeQuietly(draft);
    throw unwritable(`cannot write ${path}`, cause);
  }
  removeDrafts(dirname(path));
}

/** Writes and syncs all bytes. Throws the system's errors. */
export function writeDurably(descriptor: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written);
  fsyncSync(descriptor);
}

/** Removes a file or a link. Returns whether it existed. Throws `file-unwritable`. */
export function removeFile(path: string): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch (cause) {
    if (isErrno(cause, 'ENOENT', 'ENOTDIR')) return false;
    throw unwritable(`cannot remove ${path}`, cause);
  }
}

function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Removed when the next file is written in the folder (`removeDrafts`).
  }
}

/** The error for a file that must not be used. */
export function unsafe(path: string, why: string): SignetError {
  return new SignetError('file-unsafe', `${path} ${why}`, { detail: { path, why } });
}

/** The error for a file that cannot be read. */
export function unreadable(path: string, cause: unknown): SignetError {
  return new SignetError('file-unreadable', `cannot read ${path}: ${reason(cause)}`, { cause, detail: { path } });
}

/** The error for a failed operation, with the system's reason. */
export function unwritable(what: string, cause: unknown): SignetError {
  return new SignetError('file-unwritable', `${what}: ${reason(cause)}`, { cause });
}

/**
 * Refuses a file that decides, unless it belongs to `user` or root and no one else can write it. A system without users has
 * no modes either. Throws `file-unsafe`.
 */
export function checkUnwritableByOthers(path: string, { mode, uid }: Stats, user = process.geteuid?.()): void {
  if (user === undefined) return;
  if (uid !== user && uid !== ROOT) {
    const next = `Look at what it says, then make it yours: chown ${user} ${path}`;
    throw new SignetError('file-unsafe', `${path} belongs to another user`, { next, detail: { path } });
  }
  if ((mode & WRITABLE_BY_OTHERS) !== 0) {
    const next = `Look at what it says, then make it yours alone: chmod go-w ${path}`;
    throw new SignetError('file-unsafe', `${path} can be written by others`, { next, detail: { path } });
  }
}

/** Whether a write failed because nothing can be written there: a read-only or full disk, or another user's folder. */
export function isUnwritablePlace(error: unknown): error is SignetError {
  return isSignetError(error, 'file-unwritable') && isErrno(error.cause, ...NO_WRITING);
}

/** Whether `error` is a system error with one of these codes. */
export function isErrno(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code);
}

/** The reason of a system error: its code, with an explanation for common ones. */
export function reason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason';
  const words = WORDS.get(code);
  return words === undefined ? code : `${words} (${code})`;
}

/** Syncs a folder after a rename, if the file system supports that. Throws the system's errors. */
export function syncFolder(folder: string): void {
  const descriptor = openSync(folder, constants.O_RDONLY);
  try {
    fsyncSync(descriptor);
  } catch (error) {
    if (!isErrno(error, 'EINVAL', 'ENOTSUP', 'EPERM')) throw error;
  } finally {
    closeSync(descriptor);
  }
}

function openForReading(path: string, followLink: boolean): number | undefined {
  try {
    return openSync(path, followLink ? READ : READ | constants.O_NOFOLLOW);
  } catch (cause) {
    if (isErrno(cause, 'ENOENT', 'ENOTDIR')) return undefined;
    if (isErrno(cause, 'ELOOP')) throw unsafe(path, 'is a symbolic link');
    throw unreadable(path, cause);
  }
}
