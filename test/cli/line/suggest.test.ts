import { expect, test } from 'bun:test';
import { runGroup } from '../../../src/cli/line/command.ts';
import type { Command, Group } from '../../../src/cli/line/declaration.ts';
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
  const sign: Command = { path: 'trust sign', summary: 'Sign', args: [], flags: [], run: async () => 0 };
  const group: Group = { path: 'trust', summary: 'Trust', lists: [['Commands', [['sign', async () => sign]]]] };
  const run = async () => 0;
  const usage = "\n\nUsage:  docker trust\n\nRun 'docker trust --help' for more information\n";
  await expect(runGroup(group, ['sgin', 'x'], run)).rejects.toMatchObject({
    message: `docker: unknown command: docker trust sgin${usage}\nDid you mean: signet trust sign\n`,
    exitCode: 1,
  });
  await expect(runGroup(group, ['frob'], run)).rejects.toMatchObject({
    message: `docker: unknown command: docker trust frob${usage}`,
  });
});
