import { describe, expect, test } from 'bun:test';
import { trustCommand } from '../../../../src/cli/commands/trust/index.ts';
import { SIGNET_KEY, SIGNET_TRUST } from '../../../../src/cli/commands/trust/specs.ts';
import { CommandText, helpText } from '../../../../src/cli/line/command.ts';
import type { Session } from '../../../../src/cli/session.ts';
import { ownSpecs } from './own-specs.ts';

/** Help needs nothing of it. */
const NO_SESSION = { close: async () => undefined } as Session;

async function helpOf(...words: string[]): Promise<string> {
  try {
    await trustCommand([...words, '--help'], async () => NO_SESSION);
  } catch (error) {
    if (error instanceof CommandText) return error.message;
    throw error;
  }
  throw new Error('no help');
}

describe.each([
  ['trust', '', SIGNET_TRUST.filter(([name]) => name !== 'delegation')],
  ['trust key', 'key', SIGNET_KEY],
] as const)('the group %s', (path, folder, listed) => {
  test('lists every command of Signet, with what the command itself says of it', async () => {
    const specs = await ownSpecs(folder);
    expect(specs.map((spec) => [spec.path, spec.summary]).sort()).toEqual(
      listed.map(([name, summary]) => [`${path} ${name}`, summary]).sort(),
    );
    const names = listed.map(([name]) => name);
    expect(names).toEqual(names.toSorted());
  });
});

test('the group trust delegation lists its commands', async () => {
  const help = await helpOf('delegation');
  for (const { path, summary } of await ownSpecs('delegation')) {
    expect(help).toContain(`\n  ${path.slice('trust delegation '.length).padEnd(11)} ${summary}\n`);
  }
  expect(SIGNET_TRUST).toContainEqual(['delegation', help.split('\n')[2] ?? '']);
});

describe('each command of Signet', async () => {
  const specs = await Promise.all(['', 'key', 'delegation'].map(ownSpecs));
  const all = specs.flat();

  test.each(all.map((spec) => [spec.path, spec] as const))('%s is registered', async (path, spec) => {
    expect(await helpOf(...path.split(' ').slice(1))).toBe(helpText(spec));
  });

  test.each(all.map((spec) => [spec.path, spec] as const))('%s tells of all its flags, in lines of 80', (_, spec) => {
    const options = spec.options ?? '';
    const told = [...options.matchAll(/^ {2}(?:-(.), | {4})--([a-z0-9-]+) /gm)].map(([, short, name]) => [name, short]);
    expect(told.sort()).toEqual(spec.flags.map(({ name, short }) => [name, short]).sort());
    expect(Math.max(...options.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  });
});
