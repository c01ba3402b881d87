import { expect, test } from 'bun:test';
import { LruCache } from '../../../src/notary/publish/lru.ts';

test('forgets what was not used for longest', () => {
  const forgotten: string[] = [];
  const cache = new LruCache<number, string>(3, (value) => forgotten.push(value));
  for (const [key, value] of ['a', 'b', 'c'].entries()) cache.set(key, value);
  expect(cache.get(0)).toBe('a');
  cache.set(3, 'd');
  expect(forgotten).toEqual(['b']);
  expect([0, 1, 2, 3].map((key) => cache.get(key))).toEqual(['a', undefined, 'c', 'd']);
});

test('counts weight, and lets go of as much as it must', () => {
  const forgotten: string[] = [];
  const cache = new LruCache<string, string>(10, (value) => forgotten.push(value));
  cache.set('a', 'A', 4);
  cache.set('b', 'B', 4);
  cache.set('c', 'C', 9);
  expect(forgotten).toEqual(['A', 'B']);
  cache.set('c', 'C2', 1);
  cache.set('d', 'D', 9);
  expect(forgotten).toEqual(['A', 'B', 'C']);
  expect([cache.get('c'), cache.get('d')]).toEqual(['C2', 'D']);
});

test('does not empty itself for a value that cannot fit, but drops what it replaces', () => {
  const cache = new LruCache<string, string>(10);
  cache.set('a', 'A', 5);
  cache.set('b', 'B', 5);
  cache.set('b', 'huge', 11);
  expect([cache.get('a'), cache.get('b')]).toEqual(['A', undefined]);
});

test('deletes one', () => {
  const forgotten: string[] = [];
  const cache = new LruCache<string, string>(10, (value) => forgotten.push(value));
  cache.set('a', 'A');
  cache.delete('a');
  cache.delete('a');
  expect(cache.get('a')).toBeUndefined();
  expect(forgotten).toEqual(['A']);
});
