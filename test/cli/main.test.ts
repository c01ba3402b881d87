import { describe, expect, test } from 'bun:test';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { VERSION } from '../../src/version.ts';
import { dockerClis } from '../support/clis.ts';
import { run, runInTerminal } from '../support/run.ts';
import { signetCommand } from '../support/signet-server.ts';
import { temporaryFolder } from '../support/temp.ts';

const home = temporaryFolder();
const [cli] = await dockerClis();
const ENV = { HOME: home, PATH: process.env.PATH ?? '', SIGNET_DOCKER: `${cli?.path}`, DOCKER_HOST: 'unix:///nowhere' };

const signet = (words: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  run([...signetCommand(), ...words], { env: { ...ENV, ...env } });

describe('what is printed, where, and the exit code', () => {
  test('help and version are asked for, and go to standard output', async () => {
    for (const words of [[], ['--help'], ['-h']]) {
      expect(await signet(words)).toMatchObject({ exitCode: 0, stderr: '' });
      expect((await signet(words)).stdout).toStartWith('Usage:  signet COMMAND\n');
    }
    expect(await signet(['--version'])).toMatchObject({
      exitCode: 0,
      stdout: `Signet version ${VERSION}\n`,
      stderr: '',
    });
  });

  test('help of a word that Signet replaces is Signet’s, also when docker is asked to help', async () => {
    const [asked, helped] = [await signet(['trust', 'key', '--help']), await signet(['help', 'trust', 'key'])];
    expect(asked.stdout).toStartWith('Usage:  docker trust key COMMAND\n');
    expect([helped.stdout, helped.exitCode]).toEqual([asked.stdout, 0]);
    expect((await signet(['help', 'pull'])).stdout).toContain('docker pull');
  });

  test('an error is one line on standard error; a script gets no more', async () => {
    const { exitCode, stdout, stderr } = await signet(['trust', 'sign', 'a']);
    expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 1, stdout: '', stderr: 'no tag specified for a\n' });
  });

  test('a wrong flag is 125, a wrong number of arguments 1', async () => {
    expect((await signet(['trust', 'sign', '--bogus'])).exitCode).toBe(125);
    expect((await signet(['trust', 'revoke'])).exitCode).toBe(1);
    expect((await signet(['run', '--bogus', 'x'], { DOCKER_CONTENT_TRUST: '1' })).exitCode).toBe(125);
  });

  test('errors of run are 125 and worded as docker’s, those of create are 1', async () => {
    const env = { DOCKER_CONTENT_TRUST: '1' };
    expect(await signet(['run', 'UPPER'], env)).toMatchObject({
      exitCode: 125,
      stderr:
        "docker: invalid reference format: repository name (library/UPPER) must be lowercase\n\nRun 'docker run --help' for more information\n",
    });
    expect(await signet(['create', 'UPPER'], env)).toMatchObject({
      exitCode: 1,
      stderr: 'invalid reference format: repository name (library/UPPER) must be lowercase\n',
    });
  });

  test('docker’s own exit code and words come through', async () => {
    expect(await signet(['frobnicate'])).toMatchObject({ exitCode: 1 });
    expect((await signet(['ps'])).stderr).toContain('unix:///nowhere');
  });

  test('a word that is nearly one of Signet’s own is followed by what was meant, before any way out', async () => {
    for (const [typed, meant] of [
      ['serv', 'serve'],
      ['usr', 'user'],
    ] as const) {
      expect((await signet([typed, 'x'])).stderr).toStartWith(`Did you mean: signet ${meant}\n\n`);
      expect((await signet([typed, 'x'], { DOCKER_CONTENT_TRUST: '1' })).stderr).toStartWith(
        `Did you mean: signet ${meant}\n\n`,
      );
    }
    expect((await signet(['pul', 'x'])).stderr).not.toContain('Did you mean');
    const trusted = await signet(['pul', 'x'], { DOCKER_CONTENT_TRUST: '1' });
    expect(trusted.stderr).toStartWith('Did you mean: signet pull\n\n');
  });

  test('without a docker command, what needs none works all the same', async () => {
    const env = { SIGNET_DOCKER: '/nowhere' };
    expect((await signet(['trust', '--help'], env)).exitCode).toBe(0);
    expect(await signet(['ps'], env)).toMatchObject({
      exitCode: 1,
      stderr:
        'SIGNET_DOCKER=/nowhere is not a docker command\n\nInstall docker, or name its command in SIGNET_DOCKER.\n',
    });
  });
});

describe('the next step', () => {
  const words = ['trust', 'sign', `a@sha256:${'0'.repeat(64)}`];
  const MESSAGE = 'cannot use a digest reference for IMAGE:TAG\n';
  const NEXT = '\nName the tag to sign it under as well: IMAGE:TAG@DIGEST\n';

  test('is told on a terminal', async () => {
    const { stdout, exitCode } = await runInTerminal([...signetCommand(), ...words], [], { env: ENV });
    expect([stdout, exitCode]).toEqual([MESSAGE + NEXT, 1]);
  });

  test('of an error that docker does not have is told in logs too', async () => {
    expect(await signet(['user', 'list', '--data', join(home, 'nothing')])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(
        /\n\n(?:Run the command where the server runs, name its folder|There is a data folder of root's)[^\n]+\n$/,
      ),
    });
  });

  test('of an error of docker’s is not told where standard error goes elsewhere', async () => {
    expect((await signet(words)).stderr).toBe(MESSAGE);
    const script = ['/bin/sh', '-c', 'exec "$@" 2>/dev/null', 'sh', ...signetCommand(), ...words];
    expect((await runInTerminal(script, [], { env: ENV })).stdout).toBe('');
  });
});

test('output that cannot be written is told in plain words', async () => {
  for (const words of [['--help'], ['--version'], ['trust', 'key', '--help']]) {
    const full = ['/bin/sh', '-c', 'exec "$@" >/dev/full', 'sh', ...signetCommand(), ...words];
    expect(await run(full, { env: ENV })).toMatchObject({
      exitCode: 1,
      stderr:
        'cannot write to standard output: no space left on the device (ENOSPC)\n\nLook where standard output goes, and how much space there is.\n',
    });
    const silent = ['/bin/sh', '-c', 'exec "$@" >/dev/full 2>/dev/full', 'sh', ...signetCommand(), ...words];
    expect((await run(silent, { env: ENV })).exitCode).toBe(1);
  }
});

test('SIGNET_DEBUG adds the code and the causes', async () => {
  const file = join(temporaryFolder(), 'no-key');
  writeFileSync(file, 'nothing', { mode: 0o600 });
  const { stderr } = await signet(['trust', 'key', 'load', file], { SIGNET_DEBUG: '1' });
  expect(stderr).toContain('\nkey-unsupported\ncaused by: no private key found');
});

test('a configuration that cannot be read stops every command that could enforce', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'd'));
  writeFileSync(join(folder, 'd/signet.json'), '{');
  for (const [expected, ...words] of [
    ['125', 'run', 'busybox'],
    ['1', 'create', 'busybox'],
    ['1', 'trust', 'inspect', 'busybox'],
  ]) {
    const { exitCode, stderr } = await signet(words, { DOCKER_CONFIG: join(folder, 'd'), DOCKER_CONTENT_TRUST: '1' });
    expect(`${exitCode}`).toBe(`${expected}`);
    expect(stderr).toContain(`${folder}/d/signet.json: malformed JSON`);
  }
});
