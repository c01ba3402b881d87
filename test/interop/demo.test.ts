import { expect, test } from 'bun:test';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../scripts/paths.ts';
import { trustingClis } from '../support/clis.ts';
import { temporaryFolder } from '../support/temp.ts';

/** Runs the demo in a folder of its own; `onOutput` is told all its output so far. */
async function runDemo(env: Readonly<Record<string, string>>, onOutput: (output: string, pid: number) => void) {
  const folder = temporaryFolder();
  const demo = Bun.spawn([process.execPath, join(ROOT, 'scripts/demo.ts')], {
    env: { ...process.env, ...env, TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  let output = '';
  for await (const chunk of demo.stdout.pipeThrough(new TextDecoderStream())) {
    output += chunk;
    onOutput(output, demo.pid);
  }
  return { exitCode: await demo.exited, output, folder };
}

function expectNothingLeft(folder: string): void {
  expect(readdirSync(folder)).toEqual([]);
  expect(processesOf(folder)).toEqual([]);
  expect(readFileSync('/proc/self/mounts', 'utf8')).not.toContain(folder);
}

for (const moment of ['docker login\n', '# 5\n', '# 12\n']) {
  test(`interrupted at ${JSON.stringify(moment)}, the demo leaves nothing behind`, async () => {
    let isInterrupted = false;
    const { exitCode, output, folder } = await runDemo({}, (sofar, pid) => {
      if (isInterrupted || !sofar.includes(moment)) return;
      isInterrupted = true;
      // A terminal sends Ctrl-C to the whole group, engine and server included.
      process.kill(-pid, 'SIGINT');
    });
    expect({ exitCode, output }).toEqual({ exitCode: 130, output: expect.stringContaining(moment) });
    expectNothingLeft(folder);
  }, 120_000);
}

test('the demo fails at the first difference, and leaves nothing behind', async () => {
  const folder = temporaryFolder();
  const [docker] = await trustingClis();
  const script = [
    '#!/bin/sh',
    'case $1 in',
    "  --version) echo 'Docker version 99.0.0, build 0000000' ;;",
    "  run) echo 'It did not work.' ;;",
    `  *) exec '${docker?.path}' "$@" ;;`,
    'esac',
  ];
  writeFileSync(join(folder, 'docker'), `${script.join('\n')}\n`, { mode: 0o755 });
  const outcome = await runDemo({ PATH: `${folder}:${process.env.PATH}` }, () => undefined);
  expect(outcome.exitCode).toBe(1);
  expect(outcome.output).toEndWith(
    'step 7: docker run alice/dct-test:unsigned\nexpected that it prints exactly "It worked!\\n"\nexit 0\nIt did not work.\n\n',
  );
  expectNothingLeft(outcome.folder);
}, 120_000);

/** The command lines of the processes that have the folder in them or in their environment. */
function processesOf(folder: string): string[] {
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .filter((pid) => ['cmdline', 'environ'].some((file) => contents(pid, file).includes(`${folder}/`)))
    .map((pid) => contents(pid, 'cmdline').replaceAll('\0', ' '));
}

function contents(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
