import { describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { ROOT } from '../../scripts/paths.ts';
import { run } from '../support/run.ts';

const COMMAND = [process.execPath, join(ROOT, 'scripts/fuzz.ts')];

describe('npm run fuzz', () => {
  test('runs the named subjects for the time that was given, and sums up', async () => {
    const { exitCode, stdout } = await run([...COMMAND, 'role', 'digest', '--seed', '7', '--minutes', '0.02']);
    expect(exitCode).toBe(0);
    const [first, role, digest, last] = stdout.trimEnd().split('\n');
    expect([first, last]).toEqual(['seed 7, subjects: 2; Ctrl-C ends it', 'nothing broke']);
    expect([role, digest]).toEqual([expect.stringMatching(/^role +[1-9]/), expect.stringMatching(/^digest +[1-9]/)]);
  });

  test('ends with success when it is interrupted', async () => {
    const child = Bun.spawn([...COMMAND, 'role'], { stdin: 'ignore', stdout: 'pipe' });
    const reader = child.stdout.getReader();
    const { value } = await reader.read();
    expect(new TextDecoder().decode(value)).toMatch(/^seed \d+, subjects: 1; Ctrl-C ends it\n/);
    child.kill('SIGINT');
    expect(await child.exited).toBe(0);
  });

  test.each(['nothing', '--seed=x', '--minutes', '--more'])('refuses %j with its usage', async (word) => {
    const { exitCode, stderr } = await run([...COMMAND, word]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('usage: npm run fuzz');
  });
});
