import { existsSync, mkdtempSync, realpathSync, statSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { startWorld } from '../test/lesson/place.ts';
import { type Report, runSteps } from '../test/lesson/step.ts';
import { type Way, wayA, wayB, wayC } from '../test/lesson/ways.ts';
import { cleanUp } from '../test/support/cleanup.ts';
import { dockerClis, findProgram, trustingClis } from '../test/support/clis.ts';
import { run } from '../test/support/run.ts';
import { sweep } from '../test/support/sweep.ts';
import { build } from './build.ts';
import { ROOT, SIGNET } from './paths.ts';
import { settled } from './screen.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const SOURCES = ['src/**/*', 'scripts/build.ts', 'package-lock.json'];

const HAS_COLOURS = process.stdout.isTTY && !process.env.NO_COLOR;
const paint = (code: number) => (text: string) => (HAS_COLOURS ? `\x1b[${code}m${text}\x1b[0m` : text);
const [bold, green, red, cyan] = [paint(1), paint(32), paint(31), paint(36)];

/**
 * Runs the whole lesson in its three ways, each with its own Docker Engine and server, and shows it. Throws at the
 * first difference.
 */
async function demonstrate(): Promise<void> {
  const started = performance.now();
  if (!isBuilt()) {
    say('building dist/signet');
    await build();
  }
  const counts = { commands: 0, checks: 0 };
  for (const way of await chooseWays()) await demonstrateWay(way, counts);
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  say(green(`\n${counts.commands} commands, ${counts.checks} checks: everything holds (${seconds} s)`));
}

/** A uses the newest docker CLI; B and C use the newest that enforces trust itself. */
async function chooseWays(): Promise<readonly Way[]> {
  const [newest] = (await dockerClis()).slice(-1);
  const [trusting] = (await trustingClis()).slice(-1);
  if (newest === undefined || trusting === undefined) throw new Error('there is no docker CLI');
  const { stdout } = await run([findProgram('dockerd'), '--version']);
  say(`Docker Engine: ${stdout.trim()}`);
  return [wayA(newest), wayB(trusting), wayC(trusting, 'docker')];
}

async function demonstrateWay({ title, face, acts }: Way, counts: { commands: number; checks: number }): Promise<void> {
  heading(title, '=');
  const world = await startWorld(face);
  const place = world.lessonFor(world.person('alice'));
  say(`A Docker Engine at ${world.engine.host}, a trust server and registry at ${world.server.origin}.\n`);
  for (const [name, value] of Object.entries(world.environment)) say(`${bold('$')} ${cyan(`export ${name}=${value}`)}`);
  say(`${bold('$')} ${cyan(`alias docker=${face.docker.join(' ')}`)}`);
  const report: Report = {
    typed: ({ title: about, shell, line }) => say(`\n# ${about}\n${bold(`${shell.name}$`)} ${cyan(line)}`),
    ran: (_, { stdout, stderr }) => {
      show(settled(stdout) + settled(stderr));
      counts.commands++;
    },
    checked: ({ what }) => {
      say(green(`  ✓ ${what}`));
      counts.checks++;
    },
  };
  for (const act of acts) {
    heading(act.title, '-');
    await runSteps(await act.begin(world, place), report);
  }
  await world.stop();
}

function isBuilt(): boolean {
  if (!existsSync(SIGNET)) return false;
  const built = statSync(SIGNET).mtimeMs;
  const sources = SOURCES.flatMap((pattern) => [...new Bun.Glob(pattern).scanSync(ROOT)]);
  return sources.every((path) => statSync(join(ROOT, path)).mtimeMs < built);
}

function heading(text: string, line: '=' | '-'): void {
  say(`\n${bold(text)}\n${line.repeat(text.length)}`);
}

function say(text: string): void {
  show(`${text}\n`);
}

/** After an interruption, the result of the last command does not matter. */
let isInterrupted = false;

function show(text: string): void {
  if (!isInterrupted) process.stdout.write(text);
}

/** The exit code after a signal, or once no one reads the output any more. */
function interruption(): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      say(red('\ninterrupted'));
      isInterrupted = true;
      resolve(128 + constants.signals[signal]);
    });
  }
  process.stdout.on('error', () => {
    isInterrupted = true;
    resolve(128 + constants.signals.SIGPIPE);
  });
  return promise;
}

async function main(): Promise<number> {
  const interrupted = interruption();
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'signet-')));
  // The folder of everything temporary: homes, data, engines.
  process.env.TMPDIR = folder;
  process.env.TEST_SIGNET_BUILT = '1';
  const demonstration = demonstrate().then(
    () => 0,
    (error: unknown) => {
      say(red(`\n${error instanceof Error ? error.message : String(error)}`));
      return 1;
    },
  );
  try {
    return await Promise.race([demonstration, interrupted]);
  } finally {
    await cleanUp().finally(() => sweep(folder));
  }
}

process.exit(await main());
