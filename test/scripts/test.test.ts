import { expect, test } from 'bun:test';
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT } from '../../scripts/paths.ts';
import { type Outcome, run } from '../support/run.ts';
import { temporaryFolder } from '../support/temp.ts';

const PASSES = "import { test } from 'bun:test';\ntest('one', () => {});\ntest('two', () => {});\n";
const FAILS = `${PASSES}test('three', () => {\n  throw new Error('it went wrong');\n});\n`;
const DOES_NOT_LOAD = "throw new Error('it does not load');\n";
const PRINTS_A_SUMMARY = `console.error(' 7 pass\\n 0 fail\\n');\n${FAILS}`;

/** Runs the test script in a checkout of its own that has nothing but these test files. */
async function runTests(files: Readonly<Record<string, string>>, ...filters: string[]): Promise<Outcome> {
  const root = temporaryFolder();
  for (const folder of ['scripts', 'test/support']) cpSync(join(ROOT, folder), join(root, folder), { recursive: true });
  for (const file of ['bunfig.toml', 'tsconfig.json', 'package.json']) cpSync(join(ROOT, file), join(root, file));
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'));
  for (const [path, text] of Object.entries({ 'src/cli/main.ts': 'export {};\n', ...files })) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return run([process.execPath, join(root, 'scripts/test.ts'), ...filters], { cwd: root });
}

function lastLine({ stdout }: Outcome): string | undefined {
  return stdout.trimEnd().split('\n').at(-1);
}

test('the last line counts what passed and failed, and the build', async () => {
  const good = await runTests({ 'test/own/a.test.ts': PASSES, 'test/own/b/c.test.ts': PASSES }, 'own/');
  expect({ exitCode: good.exitCode, last: lastLine(good) }).toEqual({ exitCode: 0, last: '5 passed, 0 failed' });
  expect(good.stdout).toContain('slowest, the slowest last:');
});

test('a failing test, a file that does not load and one without tests fail the run', async () => {
  const files = {
    'test/own/a.test.ts': FAILS,
    'test/own/b.test.ts': DOES_NOT_LOAD,
    'test/own/c.test.ts': 'export {};\n',
  };
  const bad = await runTests(files, 'own/');
  expect({ exitCode: bad.exitCode, last: lastLine(bad) }).toEqual({ exitCode: 1, last: '3 passed, 3 failed' });
  expect(bad.stdout).toContain('it went wrong');
  expect(bad.stdout).toContain('it does not load');
});

test('what a test prints is not taken for its result', async () => {
  const misleading = await runTests({ 'test/own/a.test.ts': PRINTS_A_SUMMARY }, 'own/a');
  expect({ exitCode: misleading.exitCode, last: lastLine(misleading) }).toEqual({
    exitCode: 1,
    last: '3 passed, 1 failed',
  });
});

test('a filter chooses files; one that chooses none fails', async () => {
  const chosen = await runTests({ 'test/own/a.test.ts': PASSES, 'test/own/b.test.ts': FAILS }, 'own/a');
  expect(lastLine(chosen)).toBe('3 passed, 0 failed');
  const none = await runTests({ 'test/own/a.test.ts': PASSES }, 'nothing');
  expect({ exitCode: none.exitCode, last: lastLine(none) }).toEqual({ exitCode: 1, last: '1 passed, 1 failed' });
});

test('a build that fails is counted, and the tests run all the same', async () => {
  const broken = await runTests(
    { 'src/cli/main.ts': "import './missing.ts';\n", 'test/own/a.test.ts': PASSES },
    'own/',
  );
  expect({ exitCode: broken.exitCode, last: lastLine(broken) }).toEqual({ exitCode: 1, last: '2 passed, 1 failed' });
  expect(broken.stdout).toContain('missing.ts');
});

test('each tier runs its own files: those that need more of a machine than Node and npm, and all others', async () => {
  const files = {
    'test/own/a.test.ts': PASSES,
    'test/own/b.host.test.ts': FAILS,
    'test/interop/own.test.ts': FAILS,
  };
  const [unit, interop] = [await runTests(files, '--unit', 'own'), await runTests(files, '--interop', 'own')];
  expect([unit.exitCode, lastLine(unit)]).toEqual([0, '3 passed, 0 failed']);
  expect([interop.exitCode, lastLine(interop)]).toEqual([1, '5 passed, 2 failed']);
});
