import { expect, test } from 'bun:test';
import {
  actionsOf,
  coversPath,
  parseLevel,
  parsePattern,
  parsePublicPattern,
} from '../../../src/accounts/identity/grants.ts';
import { codeOf } from '../world.ts';

test.each([
  'app',
  'team/app',
  'team/*',
  'team/sub/*',
  'docker.io/*',
  'docker.io/library/*',
  'docker.io/library/busybox',
  'localhost:5000/alice/*',
  '[::1]:5000/alice/*',
  'localhost/team/*',
])('%p is a pattern', (text) => {
  expect(parsePattern(text) as string).toBe(text);
  expect(parsePublicPattern(text) as string).toBe(text);
});

test.each([
  '',
  '*',
  '/*',
  'team/',
  'team/**',
  'team/*/app',
  'te*m/app',
  '*/app',
  'Team/*',
  'docker.io/',
  'docker.io/Library/*',
  'DOCKER.io/library/*',
  'team/../other',
  'team//app',
  '/team/*',
  'team/*\n',
  'team/app:latest',
  'evil host.com/app',
  `team/${'a'.repeat(255)}`,
])('%p is not a pattern', async (text) => {
  expect(await codeOf(() => parsePattern(text))).toBe('grant-invalid');
});

test('only what everyone may pull can be everything', () => {
  expect(parsePublicPattern('*') as string).toBe('*');
});

test('levels are the three, in lower case', async () => {
  expect(['pull', 'push', 'admin'].map(parseLevel).map(actionsOf)).toEqual([
    ['pull'],
    ['pull', 'push'],
    ['pull', 'push', 'delete', '*'],
  ]);
  for (const text of ['', 'Pull', 'delete', '*', 'constructor']) {
    expect(await codeOf(() => parseLevel(text))).toBe('grant-invalid');
  }
});

test.each([
  ['team/app', 'team/app', true],
  ['team/app', 'team/app/sub', false],
  ['team/app', 'team/app2', false],
  ['team/*', 'team/app', true],
  ['team/*', 'team/a/b', true],
  ['team/*', 'team', false],
  ['team/*', 'team2/app', false],
  ['team/*', 'other/team/app', false],
  ['*', 'anything/at/all', true],
])('%p covers %p: %p', (pattern, path, covered) => {
  expect(coversPath(pattern, path)).toBe(covered);
});
