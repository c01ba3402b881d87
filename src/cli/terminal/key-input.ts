import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { SignetError } from '../../core/errors/index.ts';
import { isErrno, unreadable, unsafe } from '../../store/files.ts';

const STDIN = 0;
/** All that standard input is called; a socket cannot be opened by these names. */
const STDIN_NAMES: readonly string[] = ['-', '/dev/stdin', '/dev/fd/0', '/proc/self/fd/0'];
const CHUNK = 64 * 1024;
const RETRY_MS = 10;

/**
 * Reads what somebody names as a file of keys, at most `limit` bytes of it: a regular file, standard input (`-`), or a
 * pipe, as the shell's `<(…)` and `mkfifo` make them, for whose writer it waits. The caller wipes it. `check` may refuse a
 * regular file by owner and mode; a pipe, or a file that has no name any more, is no one else's to open. Undefined where there is nothing of
 * that name. Throws `file-unsafe`, `file-unreadable` or `too-large`.
 */
export function readKeyInput(
  path: string,
  limit: number,
  check: (stat: Stats) => void = () => undefined,
): Buffer | undefined {
  const isStdin = STDIN_NAMES.includes(path);
  const descriptor = isStdin ? STDIN : openForReading(path);
  if (descriptor === undefined) return undefined;
  try {
    const stat = fstatSync(descriptor);
    if (stat.isDirectory()) throw unsafe(path, 'is a directory');
    if (stat.isFile() && stat.nlink > 0) check(stat);
    return readUpTo(descriptor, path, limit);
  } catch (cause) {
    throw cause instanceof SignetError ? cause : unreadable(path, cause);
  } finally {
    if (!isStdin) closeSync(descriptor);
  }
}

function openForReading(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NOCTTY);
  } catch (cause) {
    if (isErrno(cause, 'ENOENT', 'ENOTDIR')) return undefined;
    throw unreadable(path, cause);
  }
}

function readUpTo(descriptor: number, path: string, limit: number): Buffer {
  const pieces: Buffer[] = [];
  const piece = Buffer.alloc(CHUNK);
  let length = 0;
  try {
    for (;;) {
      const count = readOnce(descriptor, piece);
      if (count === 0) return Buffer.concat(pieces);
      length += count;
      if (length > limit) throw new SignetError('too-large', `${path} is larger than ${limit} bytes`);
      pieces.push(Buffer.from(piece.subarray(0, count)));
    }
  } finally {
    for (const each of [piece, ...pieces]) each.fill(0);
  }
}

/** Standard input may have been made not to wait by whoever had it before. */
function readOnce(descriptor: number, piece: Buffer): number {
  for (;;) {
    try {
      return readSync(descriptor, piece, 0, piece.length, null);
    } catch (cause) {
      if (!isErrno(cause, 'EAGAIN')) throw cause;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
    }
  }
}
