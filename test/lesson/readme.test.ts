import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type DockerCli, dockerClis } from '../support/clis.ts';
import { happens } from '../support/conduct.ts';
import { startOpenRegistry } from '../support/docker-registry.ts';
import { type Engine, importBusybox, startEngine } from '../support/dockerd.ts';
import { beginningOf, blocksOf, type Example, examplesIn, readDocument } from '../support/documents.ts';
import { type Machine, startMachine } from '../support/machine.ts';
import { run } from '../support/run.ts';
import { signetCommand } from '../support/signet-server.ts';
import { temporaryFolder } from '../support/temp.ts';
import { Terminal } from '../support/terminal.ts';

const BLOCKS = blocksOf(readDocument('README.md'), 'console').map(examplesIn);
/** What other tests run: `npm test` builds first, and `test/interop/demo.test.ts` has the demo. */
const BUILDING: readonly string[] = ['npm run build', 'npm run demo'];
const SERVE = 'signet serve';
const PASSWORD = 'what alice types at docker login';
const STARTING_MS = 60_000;
const COMMANDS_MS = 240_000;

for (const cli of await dockerClis()) {
  describe(`the first minute, with docker ${cli.version}`, () => {
    let place: Place;
    beforeAll(async () => {
      place = await startPlace(cli);
    }, STARTING_MS);
    afterAll(async () => {
      await place.engine.stop();
      await place.machine.stop();
    }, STARTING_MS);

    test(
      'goes as it is written',
      async () => {
        let [password, hasBuilt] = ['', false];
        const second = place.terminal();
        await second.run('cd');
        for (const example of BLOCKS.flat()) {
          const line = example.line.replace(/\s+#.*$/, '');
          if (BUILDING.includes(line)) hasBuilt = true;
          else if (line === SERVE) password = await serves(place.terminal(), example);
          else await happens(second, example, line.includes('admin') ? password : PASSWORD);
        }
        expect(hasBuilt).toBe(true);
      },
      COMMANDS_MS,
    );
  });
}

/** A machine with an engine, and what the reader has installed. */
interface Place {
  readonly machine: Machine;
  readonly engine: Engine;
  terminal(): Terminal;
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
  return { machine, engine, terminal: () => new Terminal({ within: machine.within, env }) };
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
