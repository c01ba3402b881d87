import { describe, expect, test } from 'bun:test';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../../support/run.ts';
import { temporaryFolder } from '../../../support/temp.ts';

const MAIN = join(import.meta.dir, '../../../../src/cli/main.ts');
const FIXTURES = join(import.meta.dir, '../../../engine/fixtures');
const DIGEST = `sha256:${'a'.repeat(64)}`;

/** Stands in for docker: shows the recorded help, and writes down every other command line it is given. */
const FAKE = `#!/bin/sh
for word in "$@"; do
  if [ "$word" = --help ]; then
    case "$*" in
      *"service create"*) exec cat "$FAKE_HELP/service-create.txt" ;;
      *"service update"*) exec cat "$FAKE_HELP/service-update.txt" ;;
    esac
    for command in run create pull push build; do
      case " $* " in *" $command "*) exec cat "$FAKE_HELP/$command.txt" ;; esac
    done
    exec cat "$FAKE_HELP/docker.txt"
  fi
done
if [ "$1" = --version ]; then echo "Docker version $FAKE_VERSION, build 0000000"; exit 0; fi
printf '%s\\n' "$@" > "$FAKE_RECORD"
echo "DOCKER_CONTENT_TRUST=$DOCKER_CONTENT_TRUST" >> "$FAKE_RECORD"
`;

interface Outcome {
  readonly exitCode: number;
  readonly stderr: string;
  /** What docker was started with; undefined where it was not. */
  readonly docker: readonly string[] | undefined;
}

/** Runs signet in front of the fake. No trust server answers, so nothing can be resolved: what then runs has got round it. */
async function signet(
  version: string,
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  const home = temporaryFolder();
  const fake = join(home, 'bin/docker');
  mkdirSync(join(home, 'bin'));
  writeFileSync(fake, FAKE);
  chmodSync(fake, 0o755);
  const record = join(home, 'record');
  const folder = version.startsWith('28') ? 'docker-28' : 'docker-20.10';
  const { exitCode, stderr } = await run([process.execPath, MAIN, ...words], {
    env: {
      PATH: process.env.PATH ?? '',
      HOME: home,
      SIGNET_DOCKER: fake,
      FAKE_HELP: join(FIXTURES, folder),
      FAKE_RECORD: record,
      FAKE_VERSION: version,
      DOCKER_HOST: `unix://${home}/no-engine.sock`,
      DOCKER_CONTENT_TRUST_SERVER: 'https://127.0.0.1:1',
      ...env,
    },
  });
  return {
    exitCode,
    stderr,
    docker: existsSync(record) ? readFileSync(record, 'utf8').trimEnd().split('\n') : undefined,
  };
}

const ON = { DOCKER_CONTENT_TRUST: '1' };

describe.each(['28.2.2', '20.10.24'])('in front of docker %s, while trust is on', (version) => {
  test.each([
    ['run', ['run', 'busybox']],
    ['its longer name', ['container', 'run', 'busybox']],
    ['create', ['create', 'busybox']],
    ['create by its longer name', ['container', 'create', 'busybox']],
    ['options in one word', ['run', '-itd', 'busybox', 'sh']],
    ['a switch with a value', ['run', '-it=false', '--rm=true', 'busybox']],
    ['an option whose value looks like an image', ['run', '--name', `x@${DIGEST}`, 'busybox']],
    ['an option whose value looks like an option', ['run', '--name', '--disable-content-trust', 'busybox']],
    ['an image after the end of options', ['run', '--', 'busybox']],
    ['a command that names a digest', ['run', 'busybox', `alpine@${DIGEST}`]],
    ['a command that asks for help', ['run', 'busybox', '--help']],
    ['a command that turns trust off', ['run', 'busybox', '--disable-content-trust']],
    ['options before the command', ['--debug', '--log-level', 'error', 'run', 'busybox']],
    ['help that docker passes over', ['--help', 'run', 'busybox']],
    ['a version that docker passes over', ['--version', 'run', 'busybox']],
    ['a context', ['--context=default', 'run', 'busybox']],
    ['a pull policy and a platform', ['run', '--pull=always', '--platform', 'linux/amd64', 'busybox']],
    ['trust turned off and on again', ['run', '--disable-content-trust', '--disable-content-trust=false', 'busybox']],
    ['pull', ['pull', 'busybox']],
    ['pull by its longer name', ['image', 'pull', '-q', 'busybox:1']],
    ['pull of all tags', ['pull', '-a', 'busybox']],
    ['a tag beside a digest', ['run', `busybox:latest@${DIGEST}`]],
    ['pull of a tag beside a digest', ['pull', `busybox:latest@${DIGEST}`]],
    ['service create', ['service', 'create', '--name', 'x', 'busybox']],
    ['service update', ['service', 'update', '--image', 'busybox', 'x']],
    ['an option that docker does not know', ['run', '--no-such-option', 'busybox', 'alpine']],
    ['a short option that docker does not know', ['run', '-Z', 'busybox', 'alpine']],
    ['an image with a registry of its own', ['run', 'other.example:5000/x']],
  ])('%s does not get round it', async (_, words) => {
    const { exitCode, stderr, docker } = await signet(version, words, ON);
    expect(docker).toBeUndefined();
    expect(exitCode).toBe(words.includes('run') ? 125 : 1);
    expect(stderr).not.toBe('');
  });

  test.each(['1', 'true', 'on', 'off', 'no', 'FALSe', ' 0', 'yes'])('DOCKER_CONTENT_TRUST=%p is on', async (value) => {
    expect(await signet(version, ['run', 'busybox'], { DOCKER_CONTENT_TRUST: value })).toMatchObject({
      exitCode: 125,
      docker: undefined,
    });
  });

  test('--disable-content-trust=false turns it on without the variable', async () => {
    const outcome = await signet(version, ['run', '--disable-content-trust=false', 'busybox']);
    expect(outcome).toMatchObject({ exitCode: 125, docker: undefined });
  });

  test('a digest alone needs no signature, and reaches docker as it is', async () => {
    const { docker } = await signet(version, ['run', '--rm', `busybox@${DIGEST}`, 'echo', 'x'], ON);
    expect(docker).toEqual(['run', '--rm', `busybox@${DIGEST}`, 'echo', 'x', 'DOCKER_CONTENT_TRUST=']);
  });

  test('help of the command itself is docker’s', async () => {
    const { exitCode, docker } = await signet(version, ['run', '--help'], ON);
    expect([exitCode, docker]).toEqual([0, undefined]);
  });
});

describe.each(['28.2.2', '20.10.24'])('in front of docker %s, while trust is off', (version) => {
  test.each(['', '0', 'f', 'F', 'false', 'False', 'FALSE'])(
    'DOCKER_CONTENT_TRUST=%p leaves the line as it is',
    async (value) => {
      const words = ['run', '--no-such-option', '-it', 'busybox', 'sh', '-c', 'echo  two spaces'];
      const { docker } = await signet(version, words, { DOCKER_CONTENT_TRUST: value });
      expect(docker).toEqual([...words, `DOCKER_CONTENT_TRUST=${value}`]);
    },
  );

  test('--disable-content-trust turns it off for one command, and docker does not see it', async () => {
    const { docker } = await signet(version, ['run', '--disable-content-trust', 'busybox'], ON);
    expect(docker).toEqual(['run', 'busybox', 'DOCKER_CONTENT_TRUST=']);
  });

  test('every other command is docker’s, to the byte, with trust on as well', async () => {
    const words = ['ps', '--filter', 'name=a b', '--format', '{{.ID}}', ''];
    for (const env of [{}, ON]) {
      const { docker } = await signet(version, words, env);
      expect(docker?.slice(0, -1)).toEqual(words);
    }
  });
});
