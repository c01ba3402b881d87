import { expect, test } from 'bun:test';
import { GunPrefixes } from '../../../src/notary/http/gun-prefixes.ts';
import { codeOf } from '../fixture.ts';

test('without prefixes every name is admitted', () => {
  expect(new GunPrefixes([]).admit('docker.io/library/alpine')).toBe(true);
});

test('admits what begins with one of the prefixes', () => {
  const prefixes = new GunPrefixes(['a/', 'b/c/']);
  expect(['a/x', 'b/c/x', 'a', 'ab/x', 'b/x', 'x/a/'].map((gun) => prefixes.admit(gun))).toEqual([
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
  expect(prefixes.requirement).toBe('Require GUNs with prefix: [a/ b/c/]');
});

test.each(['', '/', 'a', '/a/', 'a//', '../', 'a/../', 'a b/', '_trust/'])('refuses the prefix %j', async (prefix) => {
  expect(await codeOf(() => new GunPrefixes(['ok/', prefix]))).toBe('gun-prefix-invalid');
});
