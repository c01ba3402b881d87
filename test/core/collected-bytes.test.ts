import { expect, test } from 'bun:test';
import { CollectedBytes } from '../../src/core/collected-bytes.ts';
import { content } from '../registry/fixture.ts';

const BLOCK = 64 * 1024;

test('an empty piece adds nothing', () => {
  const collected = new CollectedBytes();
  collected.add(new Uint8Array());
  expect([collected.length, collected.take().length]).toEqual([0, 0]);
});

test.each([1, 7, 1000, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 5])('pieces of %p bytes are put together', (size) => {
  const bytes = content(size, Math.max(4000, 2 * size + 3));
  const collected = new CollectedBytes();
  for (let at = 0; at < bytes.length; at += size) {
    // A view into more than the piece, as the transport's are.
    collected.add(new Uint8Array(bytes.buffer, bytes.byteOffset + at, Math.min(size, bytes.length - at)));
  }
  expect(collected.length).toBe(bytes.length);
  expect(collected.take().equals(bytes)).toBe(true);
});

test('a piece may be overwritten once it was added', () => {
  const collected = new CollectedBytes();
  const piece = new Uint8Array([1, 2, 3]);
  collected.add(piece);
  piece.fill(9);
  expect([...collected.take()]).toEqual([1, 2, 3]);
});

test('a million pieces of a byte take little more than a million bytes', () => {
  const collected = new CollectedBytes();
  Bun.gc(true);
  const before = process.memoryUsage.rss();
  for (let count = 0; count < 1_000_000; count++) collected.add(new Uint8Array(1));
  Bun.gc(true);
  expect(process.memoryUsage.rss() - before).toBeLessThan(100 * 2 ** 20);
  expect(collected.length).toBe(1_000_000);
});
