import { randomInt } from 'node:crypto';
import { relative } from 'node:path';
import { parseArgs } from 'node:util';
import { Campaign, type Progress, type Report } from '../test/fuzz/campaign.ts';
import { CORPUS, keepInput } from '../test/fuzz/corpus.ts';
import { SUBJECTS } from '../test/fuzz/subjects/index.ts';
import { cleanUp } from '../test/support/cleanup.ts';
import { ROOT } from './paths.ts';

const USAGE = 'usage: npm run fuzz [-- SUBJECT... --seed NUMBER --minutes NUMBER]';
const SEEDS = 2 ** 31;
/** How often to print a line if the output is not a terminal. */
const LOG_MS = 10_000;

interface Options {
  readonly names: readonly string[];
  readonly seed: number;
  /** Undefined for no limit. */
  readonly minutes: number | undefined;
}

/** Parses the command line. Throws an Error for invalid arguments. */
function readOptions(argv: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...argv],
    options: { seed: { type: 'string' }, minutes: { type: 'string' } },
    allowPositionals: true,
  });
  const unknown = positionals.find((name) => !SUBJECTS.has(name));
  if (unknown !== undefined) {
    throw new Error(`there is no subject ${unknown}; there are ${[...SUBJECTS.keys()].join(', ')}`);
  }
  return {
    names: positionals.length > 0 ? positionals : [...SUBJECTS.keys()],
    seed: readNumber('--seed', values.seed) ?? randomInt(SEEDS),
    minutes: readNumber('--minutes', values.minutes),
  };
}

function readNumber(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,10}(?:\.\d{1,3})?$/.test(text)) throw new Error(`${option} takes a number`);
  return Number(text);
}

/** Fuzzes until it is interrupted, the time is over or something breaks. Returns the exit code. */
function fuzz({ names, seed, minutes }: Options): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const started = performance.now();
  const plan = { module: new URL('../test/fuzz/subjects/index.ts', import.meta.url).href, names, seed, corpus: CORPUS };
  let subjects: readonly Progress[] = [];
  let logged = started;
  const finish = () => {
    campaign.stop();
    say(summary(subjects));
    resolve(0);
  };
  const report = (told: Report) => {
    if (told.kind === 'failure') {
      say(describe(told, seed));
      resolve(1);
      return;
    }
    subjects = told.subjects;
    const line = progressLine(subjects, told.current, performance.now() - started);
    if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${line.slice(0, process.stdout.columns - 1)}`);
    else if (performance.now() - logged > LOG_MS) {
      logged = performance.now();
      console.log(line);
    }
  };
  const campaign = new Campaign(plan, report);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, finish);
  console.log(`seed ${seed}, subjects: ${names.length}; Ctrl-C ends it`);
  if (minutes !== undefined) setTimeout(finish, minutes * 60_000);
  return promise;
}

function describe({ name, input, message }: Extract<Report, { kind: 'failure' }>, seed: number): string {
  const file = relative(ROOT, keepInput(CORPUS, name, input));
  return `${name} breaks (seed ${seed}):\n${message}\n\nThe input is kept: ${file}\nTry it again: npm run fuzz -- ${name}`;
}

function progressLine(subjects: readonly Progress[], current: string, milliseconds: number): string {
  const rounds = subjects.reduce((sum, each) => sum + each.rounds, 0);
  const now = subjects.find(({ name }) => name === current);
  const rate = now === undefined ? '' : `${current}: ${perSecond(now)}/s, ${share(now)} accepted`;
  return `${(milliseconds / 1000).toFixed(0)} s, ${rounds} rounds; ${rate}`;
}

function summary(subjects: readonly Progress[]): string {
  const lines = subjects.map(
    (each) =>
      `${each.name.padEnd(26)}${String(each.rounds).padStart(12)} rounds${perSecond(each).padStart(10)}/s${share(each).padStart(7)} accepted`,
  );
  return [...lines, 'nothing broke'].join('\n');
}

function perSecond({ rounds, seconds }: Progress): string {
  return seconds === 0 ? '0' : (rounds / seconds).toFixed(0);
}

function share({ rounds, accepted }: Progress): string {
  return `${rounds === 0 ? 0 : Math.round((100 * accepted) / rounds)} %`;
}

/** Below the progress line. */
function say(text: string): void {
  console.log(process.stdout.isTTY ? `\n${text}` : text);
}

async function main(): Promise<number> {
  try {
    return await fuzz(readOptions(process.argv.slice(2)));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    return 2;
  } finally {
    await cleanUp();
  }
}

process.exit(await main());
