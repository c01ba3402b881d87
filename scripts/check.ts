import { join } from 'node:path';
import { findNeedlessExports, findSharedNames } from './exports.ts';
import { findLayerErrors } from './layers.ts';
import { npmProgram, ROOT } from './paths.ts';
import { findWords } from './words.ts';

interface Findings {
  readonly ok: boolean;
  readonly output: string;
}

const CHECKS = new Map<string, () => Findings | Promise<Findings>>([
  ['types', () => program(npmProgram('tsc'), '-p', ROOT)],
  ['style', () => program(npmProgram('biome'), 'check', '--error-on-warnings', '--max-diagnostics=50', ROOT)],
  ['layers', () => lines(findLayerErrors(join(ROOT, 'src')))],
  ['exports', () => lines([...findNeedlessExports(ROOT), ...findSharedNames(ROOT)])],
  ['words', () => lines(findWords(ROOT))],
  // It loads all commands, which a run of some tests does not need.
  ['reference', async () => lines(await (await import('./manual.ts')).findStalePages(ROOT))],
]);

/** Runs every check, prints its findings and returns how many passed and failed. */
export async function check(): Promise<{ passed: number; failed: number }> {
  const results: boolean[] = [];
  for (const [name, find] of CHECKS) {
    const started = performance.now();
    const { ok, output } = await find();
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`${ok ? 'ok    ' : 'FAILED'} check ${name} (${seconds} s)${ok ? '' : `\n${output}`}`);
    results.push(ok);
  }
  const passed = results.filter((ok) => ok).length;
  return { passed, failed: results.length - passed };
}

async function program(...command: string[]): Promise<Findings> {
  const child = Bun.spawn(command, { cwd: ROOT, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' });
  const [stdout, stderr, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { ok: exitCode === 0, output: stdout + stderr };
}

function lines(errors: readonly string[]): Findings {
  return { ok: errors.length === 0, output: errors.join('\n') };
}

if (import.meta.main) {
  const { failed } = await check();
  process.exitCode = failed === 0 ? 0 : 1;
}
