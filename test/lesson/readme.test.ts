import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type DockerCli, dockerClis } from '../support/clis.ts';
import { startOpenRegistry } from '../support/docker-registry.ts';
import { type Engine, importBusybox, startEngine } from '../support/dockerd.ts';
import { beginningOf, blocksOf, type Example, examplesIn, readDocument } from '../support/documents.ts';
import { type Machine, startMachine } from '../support/machine.ts';
import { run } from '../support/run.ts';
import { answers, runExample } from '../support/run-example.ts';
import { signetCommand } from '../support/signet-server.ts';
import { temporaryFolder } from '../support/temp.ts';
import { Terminal } from '../support/terminal.ts';

const README = readDocument('README.md');
const BLOCKS = blocksOf(README, 'console').map(examplesIn);
/** What other tests run: `npm test` builds first, and `test/interop/demo.test.ts` has the demo. */
const BUILDING: readonly string[] = ['npm run build', 'npm run demo'];
/** What commands of the table print, among other things. */
const SHOWN: ReadonlyMap<string, RegExp> = new Map([
  ['signet trust inspect', /^signed +[0-9a-f]{64} +alice$/m],
  ['signet trust sign --remote', /^Signing what the registry holds as localhost:5000\/alice\/app:1\.0: sha256:/m],
  ['signet trust sign docker.io', /^Signing what the registry holds as busybox:latest: sha256:/m],
  ['signet trust key list', /^alice +[0-9a-f]{64} +yes$/m],
]);
/** What is said of a trust server on this machine that speaks for a registry elsewhere. */
const NEEDS_CERTIFICATE = 'the certificate of https://localhost:5000 is not trusted';
const SERVE = 'signet serve';
const PASSWORD = 'what alice types at docker login';
const STARTING_MS = 60_000;
const COMMANDS_MS = 240_000;

for (const cli of await dockerClis()) {
  describe(`the README, with docker ${cli.version}`, () => {
    let place: Place;
    beforeAll(async () => {
      place = await startPlace(cli);
    }, STARTING_MS);
    afterAll(async () => {
      await place.first.interrupt();
      await place.engine.stop();
      await place.machine.stop();
    }, STARTING_MS);

    test(
      'the first minute goes as it is written',
      async () => {
        const { first, second } = place;
        let [password, hasBuilt] = ['', false];
        await second.run('cd');
        for (const example of BLOCKS.flat()) {
          const line = example.line.replace(/\s+#.*$/, '');
          if (BUILDING.includes(line)) hasBuilt = true;
          else if (line === SERVE) password = await serves(first, example);
          else await runExample(second, example, line.includes('admin') ? password : PASSWORD);
        }
        expect(hasBuilt).toBe(true);
        expect(await type(place, 'docker --version')).toMatch(/^Signet version \d+\.\d+\.\d+\n$/);
        expect(await type(place, 'docker version')).toContain(cli.version);
      },
      COMMANDS_MS,
    );

    test('what is enforced', async () => {
      const unsigned = await type(place, 'docker image inspect --format {{.Id}} alice/dct-test:unsigned');
      expect(await type(place, `docker run ${unsigned.trim()}`)).toBe('It worked!\n');
      for (const command of ['compose up', 'stack deploy', 'buildx bake', 'frobnicate']) {
        const { exitCode, output } = await place.second.run(`docker ${command}`);
        expect({ command, exitCode }).toEqual({ command, exitCode: 125 });
        expect(output).toContain(`To run it without trust, this once: DOCKER_CONTENT_TRUST=0 signet ${command}\n`);
        if (command === 'compose up') expect(blocksOf(readDocument('docs/differences.md'), 'text')).toContain(output);
      }
      const name = await type(place, 'docker create alice/dct-test:signed');
      expect(await type(place, `docker start --attach ${name.trim()}`)).toBe('It worked!\n');
    });

    test(
      'what else it does is done by what it says',
      async () => {
        const lines = await preparations(place);
        const { exitCode, output } = await place.second.run('signet trust status docker.io/library/busybox');
        expect({ exitCode, output }).toEqual({ exitCode: 1, output: expect.stringContaining(NEEDS_CERTIFICATE) });
        for (const line of lines) await type(place, line);
        let digest = '';
        for (const command of saidInTable()) {
          const output = await type(
            place,
            command.replace('sha256:…', digest).replace('NAME', 'localhost:5000/alice/app'),
          );
          digest = /as \S+alice\/app:1\.0: (sha256:\S+)/.exec(output)?.[1] ?? digest;
          const [, expected = /^/] = [...SHOWN].find(([beginning]) => command.startsWith(beginning)) ?? [];
          expect({ command, output }).toEqual({ command, output: expect.stringMatching(expected) });
        }
      },
      COMMANDS_MS,
    );

    test(
      'the job of docs/configuration.md builds with the root key that is pinned, and with no other',
      async () => {
        const key = (await type(place, 'signet trust key list --quiet | head -1')).trim();
        const another = key.replace(/^./, (digit) => (digit === '0' ? '1' : '0'));
        for (const [pinned, output] of [
          [another, 'unable to match any certificates to trust_pinning config'],
          [key, ''],
        ] as const) {
          const project = preparedProject(place, pinned);
          const job = await place.second.run(`(cd ${project} && export CI=1 && sh -e ./job)`);
          expect(job).toEqual({ ...job, exitCode: pinned === key ? 0 : 1, output: expect.stringContaining(output) });
        }
      },
      COMMANDS_MS,
    );

    test(
      'the server opens to other machines, and each start tells what those need',
      async () => {
        const [, line = ''] = /`(signet serve --listen .*?)`/.exec(README) ?? [];
        for (const _ of [1, 2]) {
          await place.first.interrupt();
          await place.first.start(line, /On other machines, as host:5000, the authority .* must be known\n/);
        }
      },
      COMMANDS_MS,
    );
  });
}

/** A machine with an engine, and what the reader has installed. */
interface Place {
  readonly machine: Machine;
  readonly engine: Engine;
  /** Where the server runs. */
  readonly first: Terminal;
  /** Where all else is typed. */
  readonly second: Terminal;
  readonly home: string;
  /** What stands in for the registry of docker.io. */
  readonly mirror: string;
}

/**
 * docker.io cannot be reached from tests: the engine has a mirror of it on the same machine, with Debian's busybox in it.
 */
async function startPlace(cli: DockerCli): Promise<Place> {
  const machine = await startMachine();
  const mirror = await startOpenRegistry(5001, machine.within);
  const engine = await startEngine({ args: [`--registry-mirror=${mirror}`], within: machine.within });
  const image = `${new URL(mirror).host}/library/busybox:latest`;
  await importBusybox(engine, cli.path, image);
  for (const word of ['push', 'rmi']) {
    const outcome = await run([cli.path, '--host', engine.host, word, image]);
    if (outcome.exitCode !== 0) throw new Error(outcome.stderr);
  }
  const [programs, home] = [temporaryFolder(), temporaryFolder()];
  const signet = `#!/bin/sh\n# signet\nexec ${signetCommand().join(' ')} "$@"\n`;
  writeFileSync(join(programs, 'signet'), signet, { mode: 0o755 });
  symlinkSync(cli.path, join(programs, 'docker'));
  const env = {
    ...{ PATH: [programs, process.env.PATH ?? ''].join(delimiter), HOME: home },
    ...{ TERM: 'xterm', LANG: 'C.UTF-8', DOCKER_HOST: engine.host },
  };
  const [first, second] = [
    new Terminal({ within: machine.within, env }),
    new Terminal({ within: machine.within, env }),
  ];
  return { machine, engine, first, second, home, mirror };
}

/** What has to be there for the commands of the table, which follow each other. */
async function preparations({ home, mirror }: Place): Promise<readonly string[]> {
  const registries = { 'docker.io': { trustServer: 'https://localhost:5000', endpoint: mirror } };
  writeFileSync(join(home, '.docker/signet.json'), JSON.stringify({ registries }));
  const notary = { url: 'https://localhost:5000', root_ca: '/var/lib/signet/tls/ca.crt' };
  mkdirSync(join(home, '.notary'));
  writeFileSync(join(home, '.notary/config.json'), JSON.stringify({ remote_server: notary }));
  return [
    // A trust server on this machine needs its certificate where it speaks for a registry elsewhere.
    'mkdir --parents ~/.docker/tls/localhost:5000 && cp /var/lib/signet/tls/ca.crt ~/.docker/tls/localhost:5000',
    'signet user add bob',
    "signet user grant alice 'docker.io/library/*' push",
    ...['1.0', 'latest'].flatMap((tag) => [
      `docker tag alice/dct-test:signed alice/app:${tag}`,
      `DOCKER_CONTENT_TRUST=0 docker push alice/app:${tag}`,
    ]),
    // Two people who sign releases, whose keys are both here.
    'docker trust key generate bob',
    'docker trust signer add --key alice.pub alice alice/app',
    'docker trust signer add --key bob.pub bob alice/app',
  ];
}

/** What the documents call registry.example.com and its team is this server, and alice. */
function here(text: string): string {
  return text
    .replaceAll('registry.example.com/team', 'localhost:5000/alice')
    .replaceAll(/(?:registry|trust)\.example\.com/g, 'localhost:5000');
}

/** A project with the job of docs/configuration.md, whose pin is `key`. */
function preparedProject({ home }: Place, key: string): string {
  const folder = mkdtempSync(join(home, 'job-'));
  const document = readDocument('docs/configuration.md');
  const [example = ''] = blocksOf(document, 'json').filter((text) => text.includes('alpine-root.crt'));
  const settings = JSON.parse(here(example).replace(/[0-9a-f]{64}/, key));
  // docker.io is not there.
  delete settings.trustPinning.certs['docker.io/library/alpine'];
  mkdirSync(join(folder, 'ci'));
  writeFileSync(join(folder, 'ci/signet.json'), JSON.stringify(settings));
  writeFileSync(join(folder, 'Dockerfile'), 'FROM localhost:5000/alice/dct-test:signed\n');
  writeFileSync(join(folder, 'job'), here(blocksOf(document, 'sh')[0] ?? ''));
  return folder;
}

/** The first command of each row that has one. */
function saidInTable(): readonly string[] {
  const [, table = ''] = /^\| you want \| you say \|\n(.*?)\n\n/ms.exec(README) ?? [];
  const commands = table.split('\n').flatMap((row) => /^\|.*?\| `([^`]*)`/.exec(row)?.[1] ?? []);
  expect(commands.length).toBeGreaterThan(10);
  return commands;
}

/** Types a command that has to succeed, answers what it asks, and returns what it printed. */
async function type({ second }: Place, line: string): Promise<string> {
  const { exitCode, output } = await second.run(line, answers(PASSWORD));
  expect({ line, output, exitCode }).toEqual({ line, output, exitCode: 0 });
  return output;
}

/** Starts the server, which stays; returns the password that it shows. */
async function serves(terminal: Terminal, { line, output }: Example): Promise<string> {
  const shown = await terminal.start(line, /with the password \S+\n/);
  expect(withoutLog(shown)).toMatch(beginningOf(output));
  return /with the password (\S+)\n/.exec(shown)?.[1] ?? '';
}

/** On a terminal the log stands among what a server says. */
function withoutLog(text: string): string {
  return text.replaceAll(/^\S+Z (?:INFO|WARNING) .*\n/gm, '');
}
