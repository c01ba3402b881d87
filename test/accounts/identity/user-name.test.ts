import { expect, test } from 'bun:test';
import { parseUserName } from '../../../src/accounts/identity/user-name.ts';
import { isRepositoryPath, namesRegistry } from '../../../src/core/names/reference.ts';
import { codeOf } from '../world.ts';

const NAMES = ['al', 'alice', 'alice-2', 'team_a', '42', 'a1-b2_c3', 'a'.repeat(64)];

test.each(NAMES)('%p is a name, and a namespace that docker does not take for a host', (name) => {
  expect(parseUserName(name) as string).toBe(name);
  expect(isRepositoryPath(`${name}/app`)).toBe(true);
  expect(namesRegistry(`${name}/app`)).toBe(false);
});

test.each([
  '',
  'a',
  'a'.repeat(65),
  'Alice',
  'alice ',
  ' alice',
  'alice\n',
  '-alice',
  'alice-',
  'al--ice',
  'al__ice',
  'al-_ice',
  'docker.io',
  'alice.b',
  'localhost',
  'alice/bob',
  '../bob',
  'alice:5000',
  'älice',
  'аlice',
  '__proto__',
  '*',
])('%p is not a name', async (name) => {
  expect(await codeOf(() => parseUserName(name))).toBe('user-name-invalid');
});
