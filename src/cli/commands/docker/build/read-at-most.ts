import { readSync } from 'node:fs';

/**
 * Reads an open file up to `limit` bytes and one more, which shows that it is too long: it may be a pipe, whose size is
 * unknown.
 */
export function readAtMost(file: number, limit: number): Buffer {
  const bytes = Buffer.alloc(limit + 1);
  let length = 0;
  for (let count = -1; count !== 0 && length < bytes.length; length += count) {
    count = readSync(file, bytes, length, bytes.length - length, null);
  }
  return bytes.subarray(0, length);
}
