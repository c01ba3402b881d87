/**
 * How long a person far from the trust server waits for `trust inspect`, with Signet and with docker: through a line of
 * 50 ms round trip, from `signet serve` (open to everybody, and with accounts) and from the Notary project's own server.
 * Two more Signets, built for it, ask over the connections that the runtime keeps alive, in place of Signet's own `Line`.
 * Run it with `npx bun bench/latency.ts [signet]` while nothing else runs; it ends with 1 where Signet misses a goal.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, SIGNET } from '../scripts/paths.ts';
import { Editor } from '../src/core/edit/editor.ts';
import { parseGun } from '../src/core/names/gun.ts';
import { parseDelegation, RELEASES } from '../src/core/names/role.ts';
import { AuthorizedClient } from '../src/remote/auth/authorized.ts';
import { MemoryTokens } from '../src/remote/auth/token.ts';
import { HttpClient } from '../src/remote/http/http.ts';
import { NotaryServer } from '../src/remote/notary/notary-server.ts';
import { cleanUp } from '../test/support/cleanup.ts';
import { trustingClis } from '../test/support/clis.ts';
import { startNotaryServer } from '../test/support/notary-server.ts';
import { run } from '../test/support/run.ts';
import { startSignet } from '../test/support/signet-server.ts';
import { target } from '../test/support/simulator.ts';
import { type SlowLine, startSlowLine } from '../test/support/slow-line.ts';
import { temporaryFolder } from '../test/support/temp.ts';
import { TestKeys } from '../test/support/test-keys.ts';

const RUNS = 9;
const ROUND_TRIP = 50;
/** What the programs themselves may take, in milliseconds. */
const OWN_TIME = 60;
/** Until servers have written their logs and the line has carried the last goodbye, in milliseconds. */
const SETTLE = 30;
const USER = 'alice';
const PASSWORD = 'a password for the bench';

/** A server at the end of a slow line, with a repository of two signers. */
interface Place {
  readonly name: string;
  readonly line: SlowLine;
  readonly image: string;
  /** Requests that the server has answered up to now. */
  requests(): number;
  /** Round trips that Signet may take with the repository cached, and with nothing cached; undefined where there is no goal. */
  readonly goals: { readonly warm: number | undefined; readonly cold: number | undefined };
  readonly login: boolean;
}

interface Contender {
  readonly name: string;
  readonly program: string;
}

/** What stands in the place of `sendOnLine` in another Signet. */
const OTHER_TRANSPORTS = new Map([
  ['signet: fetch', 'export const sendOnLine = () => undefined;'],
  ['signet: https', "export { sendWithNode as sendOnLine } from './transport-node.ts';"],
]);

interface Sample {
  readonly milliseconds: number;
  /** Of all connections together, opening them included. */
  readonly roundTrips: number;
  readonly connections: number;
  readonly requests: number;
}

async function main(): Promise<number> {
  const signet = process.argv[2] ?? SIGNET;
  if (!existsSync(signet)) throw new Error(`there is no ${signet}; run npm run build first`);
  process.env.TEST_SIGNET_BUILT = '1';
  const docker = (await trustingClis()).at(-1);
  if (docker === undefined) throw new Error('there is no docker that knows content trust');
  const contenders = [
    { name: 'signet', program: signet },
    ...(await Promise.all([...OTHER_TRANSPORTS].map(([name, code]) => buildOther(name, code)))),
    { name: `docker ${docker.version}`, program: docker.path },
  ];
  console.log(`trust inspect over a line of ${ROUND_TRIP} ms round trip, medians of ${RUNS} runs`);
  let missed = 0;
  for (const place of [await openSignet(), await signetWithAccounts(), await notary()]) {
    missed += await compare(place, 'warm', contenders);
    missed += await compare(place, 'cold', contenders);
  }
  return missed === 0 ? 0 : 1;
}

/** Signet as `scripts/build.ts` builds it, with `code` for the file that sends on lines. */
async function buildOther(name: string, code: string): Promise<Contender> {
  const program = join(temporaryFolder(), 'signet');
  let replaced = 0;
  await Bun.build({
    entrypoints: [join(ROOT, 'src/cli/main.ts')],
    compile: { outfile: program, autoloadDotenv: false, autoloadBunfig: false },
    format: 'esm',
    splitting: true,
    bytecode: true,
    plugins: [
      {
        name: 'another transport',
        setup: (building) => {
          building.onLoad({ filter: /\/src\/remote\/transport-line\.ts$/ }, () => {
            replaced++;
            return { contents: code, loader: 'ts' };
          });
        },
      },
    ],
  });
  if (replaced !== 1) throw new Error('there is no transport-line.ts to be replaced');
  return { name, program };
}

async function openSignet(): Promise<Place> {
  const { line, requests } = await serveSignet('--auth', 'off');
  return place('signet serve, open to everybody', line, requests, { warm: 3, cold: 3 }, false);
}

async function signetWithAccounts(): Promise<Place> {
  const { line, requests } = await serveSignet();
  return place('signet serve, with accounts', line, requests, { warm: 3, cold: undefined }, true);
}

async function serveSignet(...args: string[]): Promise<{ line: SlowLine; requests: () => number }> {
  let port = 0;
  const line = await startSlowLine(() => port, ROUND_TRIP);
  const server = await startSignet({ args: ['--name', `localhost:${line.port}`, '--access-log', 'stderr', ...args] });
  port = Number(new URL(server.origin).port);
  if (!args.includes('off')) await server.addUser(USER, PASSWORD);
  return { line, requests: () => linesOf(server.log(), /"msg":"request"/).length };
}

async function notary(): Promise<Place> {
  const server = await startNotaryServer();
  const line = await startSlowLine(() => Number(new URL(server.origin).port), ROUND_TRIP);
  const requests = () => linesOf(server.log(), /"http\.response\.status"/).length;
  return place("Notary's own server", line, requests, { warm: 3, cold: 5 }, false);
}

function linesOf(text: string, pattern: RegExp): readonly string[] {
  return text.split('\n').filter((line) => pattern.test(line));
}

async function place(
  name: string,
  line: SlowLine,
  requests: () => number,
  goals: Place['goals'],
  login: boolean,
): Promise<Place> {
  const repository = `localhost:${line.port}/${USER}/app`;
  await publish(line, repository);
  return { name, line, requests, goals, login, image: `${repository}:1` };
}

async function publish(line: SlowLine, repository: string): Promise<void> {
  const [gun, now, keys] = [parseGun(repository), Date.now(), new TestKeys()];
  const connection = { authorities: [], identities: [], verify: false, address: undefined };
  const client = new AuthorizedClient({
    http: new HttpClient({ userAgent: 'bench', connectionFor: async () => connection }),
    logins: [
      {
        registry: 'localhost',
        find: async () => ({ username: USER, password: Buffer.from(PASSWORD), identityToken: undefined }),
      },
    ],
    tokens: new MemoryTokens(),
  });
  const server = new NotaryServer(new URL(`https://localhost:${line.port}`), client);
  const editor = Editor.create({
    root: [keys.makeRoot(gun, now)],
    targets: keys.make(),
    snapshot: await server.publicKey(gun, 'snapshot'),
    timestamp: await server.publicKey(gun, 'timestamp'),
  });
  const signers = ['alice', 'bob'].map((signer) => ({ role: parseDelegation(`targets/${signer}`), key: keys.make() }));
  const delegations = [{ role: RELEASES, keys: signers.map(({ key }) => key) }];
  for (const { role, key } of signers) delegations.push({ role, keys: [key] });
  for (const { role, keys: own } of delegations) {
    editor.addDelegation(role, own, ['']);
    editor.addTarget(role, '1', target(1));
  }
  await server.publish(gun, await editor.sign(keys, now));
}

/** Runs the contenders by turns and prints their medians; returns how many goals Signet misses. */
async function compare(place: Place, state: 'warm' | 'cold', contenders: readonly Contender[]): Promise<number> {
  const samples = new Map(contenders.map(({ name }) => [name, [] as Sample[]]));
  const homes = new Map(contenders.map(({ name }) => [name, newHome(place)]));
  if (state === 'warm') for (const { name, program } of contenders) await sample(place, program, homes.get(name) ?? '');
  for (let run = 0; run < RUNS; run++) {
    for (const { name, program } of contenders) {
      const home = state === 'warm' ? (homes.get(name) ?? '') : newHome(place);
      samples.get(name)?.push(await sample(place, program, home));
    }
  }
  const goal = place.goals[state];
  const limit = goal === undefined ? undefined : goal * ROUND_TRIP + OWN_TIME;
  const times = [...samples.values()].map((all) => median(all, 'milliseconds'));
  const [own = Number.NaN, theirs = Number.NaN] = [times[0], times.at(-1)];
  const isMissed =
    goal !== undefined &&
    limit !== undefined &&
    !(own <= limit && median(samples.get('signet') ?? [], 'roundTrips') <= goal);
  const against = goal === undefined ? 'no goal' : `goal ${goal} round trips + ${OWN_TIME} ms = ${limit} ms`;
  console.log(`\n${place.name}, ${state} (${against}${isMissed ? ': MISSED' : ''})`);
  for (const [name, all] of samples) console.log(`${name.padEnd(16)}${describe(all)}`);
  console.log(`${'signet / docker'.padEnd(16)}${(own / theirs).toFixed(2).padStart(9)}`);
  return isMissed ? 1 : 0;
}

function describe(all: readonly Sample[]): string {
  return [
    `${median(all, 'milliseconds').toFixed(1).padStart(9)} ms`,
    `${median(all, 'roundTrips').toFixed(0).padStart(4)} round trips`,
    `${median(all, 'connections').toFixed(0).padStart(4)} connections`,
    `${median(all, 'requests').toFixed(0).padStart(4)} requests`,
  ].join('');
}

/** A home with the login, where one is needed, and no trust data. */
function newHome({ line, login }: Place): string {
  const home = temporaryFolder();
  const auths = login ? { [`localhost:${line.port}`]: { auth: btoa(`${USER}:${PASSWORD}`) } } : {};
  mkdirSync(join(home, '.docker'));
  writeFileSync(join(home, '.docker/config.json'), JSON.stringify({ auths }));
  return home;
}

async function sample({ line, image, requests }: Place, program: string, home: string): Promise<Sample> {
  const before = requests();
  line.forget();
  const started = performance.now();
  const { exitCode, stderr } = await run([program, 'trust', 'inspect', image], {
    env: { PATH: process.env.PATH ?? '', HOME: home },
  });
  const milliseconds = performance.now() - started;
  await Bun.sleep(SETTLE);
  if (exitCode !== 0) throw new Error(`${program} trust inspect ${image}: ${stderr}`);
  const { roundTrips, connections } = line;
  return { milliseconds, roundTrips, connections, requests: requests() - before };
}

function median(all: readonly Sample[], figure: keyof Sample): number {
  const sorted = all.map((each) => each[figure]).sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

try {
  process.exitCode = await main();
} finally {
  await cleanUp();
}
