import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { SignetError } from '../../core/errors/index.ts';
import { isErrno, unreadable, unsafe } from '../../store/files.ts';

const STDIN = 0;
/** All names of standard input. A socket cannot be opened by them. */
const STDIN_NAMES: readonly string[] = ['-', '/dev/stdin', '/dev/fd/0', '/proc/self/fd/0'];
const CHUNK = 64 * 1024;
const RETRY_MS = 10;

/**
 * Reads key material, at most `limit` bytes, from a regular file, standard input (`-`), or a pipe such as the shell's
 * `<(…)` or one made by `mkfifo`, whose writer it waits for. The caller wipes it. `check` may refuse a regular file by
 * its owner and mode; it is not called for a pipe or an unlinked file, which no one else can open. Undefined if there
 * is no such file. Throws `file-unsafe`, `file-unreadable` or `too-large`.
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

/** Another process may have set standard input to non-blocking. */
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
