import { chmodSync, closeSync, mkdtempSync, openSync, readFileSync, realpathSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { endChild } from '../test/support/end.ts';
import { sweep } from '../test/support/sweep.ts';
import { build } from './build.ts';
import { check } from './check.ts';
import { ROOT } from './paths.ts';

const MINUTE_MS = 60_000;
const WHOLE_RUN_MS = 38 * MINUTE_MS;
const ONE_FILE_MS = 8 * MINUTE_MS;
const ONE_TEST_MS = 1 * MINUTE_MS;
/** Files that need more than Node and npm: root, docker, or other programs of `PEERS`. */
const NEEDS_HOST = /^test\/(?:lesson|interop|parity|serve\/attacks)\/|\.host\.test\.ts$/;
/** Tests that measure memory and fairness under load: run one after the other, with nothing else in parallel. */
const ALONE = /^test\/serve\/attacks\//;

/** The files of a tier. Every file belongs to exactly one. */
const TIERS: ReadonlyMap<string, (path: string) => boolean> = new Map([
  ['--unit', (path) => !NEEDS_HOST.test(path)],
  ['--interop', (path) => NEEDS_HOST.test(path)],
]);
const SLOWEST = 10;

interface Result {
  readonly path: string;
  readonly passed: number;
  readonly failed: number;
  readonly seconds: number;
}

/**
 * Runs the checks, the build and every test file, each file in its own process. A tier as the first word (`--unit`,
 * `--interop`) selects files, and so do `filters`: those whose paths contain one of them; the checks are left out then,
 * except in the unit tier. The last line printed is `N passed, N failed`; a check counts as a test, and so does a file
 * that fails to load or times out. Returns whether nothing failed.
 */
async function main([first = '', ...rest]: readonly string[]): Promise<boolean> {
  const tier = TIERS.get(first);
  const filters = tier === undefined && first !== '' ? [first, ...rest] : rest;
  const deadline = AbortSignal.any([AbortSignal.timeout(WHOLE_RUN_MS), interruption()]);
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'signet-run-')));
  // Some tests run commands as other users, who need access to their folders in it.
  chmodSync(folder, 0o711);
  const results: Result[] = [];
  try {
    if (filters.length === 0 && first !== '--interop') results.push({ path: 'checks', seconds: 0, ...(await check()) });
    results.push(await buildResult());
    const paths = testFiles(filters).filter(tier ?? (() => true));
    if (paths.length === 0) results.push(notRun(`no test file for ${filters.join(' ')}`));
    const runFile = (path: string) => runTestFile(path, folder, deadline);
    const { alone = [], together = [] } = Object.groupBy(paths, (path) => (ALONE.test(path) ? 'alone' : 'together'));
    results.push(...(await inParallel(together, availableParallelism(), runFile)));
    results.push(...(await inParallel(alone, 1, runFile)));
  } finally {
    await sweep(folder);
  }
  report(results);
  return results.every(({ failed }) => failed === 0);
}

function testFiles(filters: readonly string[]): string[] {
  const paths = [...new Bun.Glob('test/**/*.test.ts').scanSync(ROOT)].sort();
  return filters.length === 0 ? paths : paths.filter((path) => filters.some((filter) => path.includes(filter)));
}

async function buildResult(): Promise<Result> {
  const started = performance.now();
  const error: unknown = await build().then(
    () => undefined,
    (thrown) => thrown,
  );
  const failed = error === undefined ? 0 : 1;
  const result = { path: 'build', passed: 1 - failed, failed, seconds: secondsSince(started) };
  print(result, String(error));
  return result;
}

async function runTestFile(path: string, folder: string, deadline: AbortSignal): Promise<Result> {
  if (deadline.aborted) return notRun(path);
  const started = performance.now();
  const signal = AbortSignal.any([deadline, AbortSignal.timeout(ONE_FILE_MS)]);
  // A file rather than a pipe, because a process left behind by a test would keep the pipe open.
  const log = join(folder, path.replaceAll('/', '-'));
  const output = openSync(log, 'a');
  const child = Bun.spawn([process.execPath, 'test', '--no-orphans', `--timeout=${ONE_TEST_MS}`, `./${path}`], {
    cwd: ROOT,
    env: { ...process.env, TMPDIR: folder, TEST_SIGNET_BUILT: '1', NO_COLOR: '1' },
    stdio: ['ignore', output, output],
  });
  closeSync(output);
  const stop = () => void endChild(child);
  signal.addEventListener('abort', stop);
  const exitCode = await child.exited;
  signal.removeEventListener('abort', stop);
  const printed = readFileSync(log, 'utf8');
  const passed = count(printed, 'pass');
  const failed = Math.max(count(printed, 'fail'), exitCode === 0 && passed > 0 ? 0 : 1);
  const result = { path, passed, failed, seconds: secondsSince(started) };
  print(result, `${signal.aborted ? 'stopped before its end\n' : ''}${printed}`);
  return result;
}

function notRun(path: string): Result {
  const result = { path, passed: 0, failed: 1, seconds: 0 };
  print(result, 'not run');
  return result;
}

/** Parses one line of bun's closing summary, such as ` 12 pass`. */
function count(output: string, word: 'pass' | 'fail'): number {
  const summary = output.slice(output.lastIndexOf(' pass\n') - 12);
  return Number(new RegExp(`^ *(\\d+) ${word}$`, 'm').exec(summary)?.[1] ?? 0);
}

async function inParallel<Item, Value>(
  items: readonly Item[],
  workers: number,
  action: (item: Item) => Promise<Value>,
): Promise<Value[]> {
  const values: Value[] = [];
  const queue = items.values();
  const work = async () => {
    for (const item of queue) values.push(await action(item));
  };
  await Promise.all(Array.from({ length: workers }, work));
  return values;
}

/** Aborts on Ctrl-C and similar signals, so that the run ends cleanly: children killed, folders removed. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => controller.abort());
  return controller.signal;
}

function secondsSince(started: number): number {
  return (performance.now() - started) / 1000;
}

function print({ path, passed, failed, seconds }: Result, output: string): void {
  const counts = failed === 0 ? `${passed} passed` : `${passed} passed, ${failed} failed`;
  console.log(`${failed === 0 ? 'ok    ' : 'FAILED'} ${path} (${counts}, ${seconds.toFixed(1)} s)`);
  if (failed > 0) console.log(output.trimEnd());
}

function report(results: readonly Result[]): void {
  const slowest = results.toSorted((one, other) => one.seconds - other.seconds).slice(-SLOWEST);
  console.log('\nslowest, the slowest last:');
  for (const { path, seconds } of slowest) console.log(`${seconds.toFixed(1).padStart(7)} s  ${path}`);
  const total = (part: 'passed' | 'failed') => results.reduce((sum, result) => sum + result[part], 0);
  console.log(`\n${total('passed')} passed, ${total('failed')} failed`);
}

process.exitCode = (await main(process.argv.slice(2))) ? 0 : 1;
