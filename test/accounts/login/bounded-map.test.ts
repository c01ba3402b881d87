import { expect, test } from 'bun:test';
import { BoundedMap } from '../../../src/accounts/login/bounded-map.ts';

test('what was set longest ago gives way', () => {
  const map = new BoundedMap<string, number>(2);
  map.set('a', 1);
  map.set('b', 2);
  map.set('a', 3);
  map.set('c', 4);
  expect(['a', 'b', 'c'].map((key) => map.get(key))).toEqual([3, undefined, 4]);
  map.delete('a');
  map.set('d', 5);
  expect(['a', 'c', 'd'].map((key) => map.has(key))).toEqual([false, true, true]);
});
