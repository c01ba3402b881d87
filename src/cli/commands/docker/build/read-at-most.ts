import { readSync } from 'node:fs';

/**
 * What an open file has, up to `limit` bytes and one more, which tells that it has too many: it can be a pipe, whose size
 * no one knows.
 */
export function readAtMost(file: number, limit: number): Buffer {
  const bytes = Buffer.alloc(limit + 1);
  let length = 0;
  for (let count = -1; count !== 0 && length < bytes.length; length += count) {
    count = readSync(file, bytes, length, bytes.length - length, null);
  }
  return bytes.subarray(0, length);
}
