// How long a person waits for signet beside docker: for the program alone, and for an answer of the trust server.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SIGNET } from '../scripts/paths.ts';
import { cleanUp } from '../test/support/cleanup.ts';
import { trustingClis } from '../test/support/clis.ts';
import { importBusybox, startEngine } from '../test/support/dockerd.ts';
import { run } from '../test/support/run.ts';
import { startSignet } from '../test/support/signet-server.ts';
import { temporaryFolder } from '../test/support/temp.ts';

const RUNS = 10;
const PASSWORD = 'a password for the bench';
const PASSPHRASE = 'a passphrase for the bench';

interface Contender {
  readonly name: string;
  readonly program: string;
}

type Environment = Readonly<Record<string, string>>;

async function main(): Promise<void> {
  if (!existsSync(SIGNET)) throw new Error('there is no dist/signet; run npm run build first');
  process.env.TEST_SIGNET_BUILT = '1';
  const clis = await trustingClis();
  const dockers = clis.map(({ path, version }) => ({ name: `docker ${version}`, program: path }));
  const contenders = [{ name: 'signet', program: SIGNET }, ...dockers];
  compare('--version', contenders, { PATH: process.env.PATH ?? '' }, ['--version']);

  const { image, environment } = await signedRepository(dockers.at(-1)?.program ?? 'docker');
  compare('trust inspect, nothing cached', contenders, environment, ['trust', 'inspect', image], { isCold: true });
  compare('trust inspect, cached', contenders, environment, ['trust', 'inspect', image]);
}

/** A `signet serve` on loopback with one repository, initialised and signed by docker itself. */
async function signedRepository(docker: string): Promise<{ image: string; environment: Environment }> {
  const [engine, server] = await Promise.all([startEngine(), startSignet()]);
  await server.addUser('alice', PASSWORD);
  const image = `${server.host}/alice/app:1`;
  const environment = {
    PATH: process.env.PATH ?? '',
    HOME: temporaryFolder(),
    DOCKER_HOST: engine.host,
    DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE: PASSPHRASE,
    DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE: PASSPHRASE,
  };
  await importBusybox(engine, docker, image);
  const steps = [
    { words: ['login', '--username', 'alice', '--password-stdin', server.host], stdin: PASSWORD },
    { words: ['push', '--disable-content-trust=false', image], stdin: '' },
  ];
  for (const { words, stdin } of steps) {
    const { exitCode, stderr } = await run([docker, ...words], { env: environment, stdin });
    if (exitCode !== 0) throw new Error(`docker ${words.join(' ')}: ${stderr}`);
  }
  return { image, environment };
}

/** Runs every contender in turn, so that all meet the same machine, and prints their medians. */
function compare(
  title: string,
  contenders: readonly Contender[],
  environment: Environment,
  args: readonly string[],
  { isCold = false } = {},
): void {
  const times = new Map(contenders.map(({ name }) => [name, [] as number[]]));
  for (let round = 0; round < RUNS; round++) {
    for (const { name, program } of contenders) {
      const HOME = isCold ? freshHome(environment) : (environment.HOME ?? '');
      times.get(name)?.push(milliseconds([program, ...args], { ...environment, HOME }));
    }
  }
  const best = medianOf(times.get(contenders[0]?.name ?? '') ?? []);
  console.log(`\n${title} (median of ${RUNS})`);
  for (const [name, samples] of times) {
    const median = medianOf(samples);
    console.log(`${name.padEnd(24)}${median.toFixed(1).padStart(9)} ms${(median / best).toFixed(2).padStart(9)} ×`);
  }
}

/** A home that has the credentials of another, and no trust data. */
function freshHome(environment: Environment): string {
  const home = temporaryFolder();
  const { exitCode } = Bun.spawnSync([
    'sh',
    '-c',
    'mkdir -p "$1/.docker" && cp "$0/.docker/config.json" "$1/.docker/"',
    environment.HOME ?? '',
    home,
  ]);
  if (exitCode !== 0) throw new Error(`no docker configuration in ${join(environment.HOME ?? '', '.docker')}`);
  return home;
}

function milliseconds(command: readonly string[], env: Environment): number {
  const started = performance.now();
  const { exitCode, stderr } = Bun.spawnSync([...command], { env, stdin: 'ignore', stdout: 'ignore', stderr: 'pipe' });
  if (exitCode !== 0) throw new Error(`${command.join(' ')}: ${stderr}`);
  return performance.now() - started;
}

function medianOf(samples: readonly number[]): number {
  const sorted = samples.toSorted((one, other) => one - other);
  const middle = sorted.length / 2;
  return ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle) - 1] ?? 0)) / 2;
}

try {
  await main();
} finally {
  await cleanUp();
}
