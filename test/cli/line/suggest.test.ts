import { expect, test } from 'bun:test';
import { runGroup } from '../../../src/cli/line/command.ts';
import { suggestion } from '../../../src/cli/line/suggest.ts';

const WORDS = ['serve', 'user', 'trust', 'sign', 'list', 'signer', 'lookup'];

test.each([
  ['serv', 'serve'],
  ['sevre', 'serve'],
  ['usr', 'user'],
  ['sgin', 'sign'],
  ['lst', 'list'],
  ['lokup', 'lookup'],
  ['signers', 'signer'],
])('%s stands for %s', (typed, meant) => {
  expect(suggestion(typed, WORDS)).toBe(meant);
});

test.each(['serve', 'frobnicate', 'ps', 'us', '', 'services'])('%j stands for none', (typed) => {
  expect(suggestion(typed, WORDS)).toBeUndefined();
});

test('a group tells of the command that was meant, after docker’s own words', async () => {
  const group = { path: 'trust', help: 'help', commands: new Map([['sign', async () => 0]]) };
  const usage = "\n\nUsage:  docker trust\n\nRun 'docker trust --help' for more information\n";
  await expect(runGroup(group, ['sgin', 'x'])).rejects.toMatchObject({
    message: `docker: unknown command: docker trust sgin${usage}\nDid you mean: signet trust sign\n`,
    exitCode: 1,
  });
  await expect(runGroup(group, ['frob'])).rejects.toMatchObject({
    message: `docker: unknown command: docker trust frob${usage}`,
  });
});
