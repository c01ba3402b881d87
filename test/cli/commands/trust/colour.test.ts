import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { run, runInTerminal } from '../../../support/run.ts';

const MODULE = join(import.meta.dir, '../../../../src/cli/commands/trust/colour.ts');
const COMMAND = [
  process.execPath,
  '-e',
  `const { isColoured, red } = await import(${JSON.stringify(MODULE)});
   console.log(red('expired', isColoured(process.env)));`,
];
const RED = '\u001b[31mexpired\u001b[0m';

test('red stands on terminals only, and not where it is not wished for', async () => {
  const env = { PATH: process.env.PATH ?? '', TERM: 'xterm' };
  const inTerminal = async (more: Record<string, string>) =>
    (await runInTerminal(COMMAND, [], { env: { ...env, ...more } })).stdout.trim();
  expect(await inTerminal({})).toBe(RED);
  expect(await inTerminal({ NO_COLOR: '' })).toBe(RED);
  expect(await inTerminal({ NO_COLOR: '1' })).toBe('expired');
  expect(await inTerminal({ TERM: 'dumb' })).toBe('expired');
  expect((await run(COMMAND, { env })).stdout.trim()).toBe('expired');
});
