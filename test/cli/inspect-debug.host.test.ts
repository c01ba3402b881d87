import { describe, expect, test } from 'bun:test';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type LyingServer, startLyingServer } from '../support/lying-server.ts';
import { run } from '../support/run.ts';
import { temporaryFolder } from '../support/temp.ts';

const MAIN = join(import.meta.dir, '../../src/cli/main.ts');
const SIGNET = [process.execPath, MAIN];

function visitor(server: LyingServer): string {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'tls', server.host), { recursive: true });
  writeFileSync(join(folder, 'tls', server.host, 'ca.crt'), readFileSync(server.authority));
  return folder;
}

const environment = (folder: string) => ({ PATH: process.env.PATH ?? '', HOME: folder, DOCKER_CONFIG: folder });

/** The three ways to ask why, and the one not to. */
const WAYS = [
  [['-D', 'trust', 'inspect'], {}, true],
  [['--debug', 'trust', 'inspect', '--pretty'], {}, true],
  [['trust', 'inspect'], { SIGNET_DEBUG: '1' }, true],
  [['trust', 'inspect', '--pretty'], { SIGNET_DEBUG: '1' }, true],
  [['trust', 'inspect'], {}, false],
  [['trust', 'inspect', '--pretty'], {}, false],
] as const;

describe('trust inspect', () => {
  test('says on demand that config.json is broken', async () => {
    const server = await startLyingServer({ now: Date.now() });
    server.lies.set(
      'timestamp',
      () => new Response('', { status: 401, headers: { 'WWW-Authenticate': 'Basic x="y"' } }),
    );
    const folder = visitor(server);
    writeFileSync(join(folder, 'config.json'), '{"auths":');
    for (const [words, more, isTold] of WAYS) {
      const env = { ...environment(folder), ...more };
      const { stderr, exitCode } = await run([...SIGNET, ...words, server.gun], { env });
      expect(exitCode).toBe(1);
      expect(stderr).toStartWith(`no signatures or cannot access ${server.gun}\n`);
      expect(stderr.includes(`cannot use ${join(folder, 'config.json')}`)).toBe(isTold);
    }
  });

  test('says on demand whose login was refused, and where', async () => {
    const server = await startLyingServer({ now: Date.now() });
    server.lies.set(
      'timestamp',
      () => new Response('', { status: 401, headers: { 'WWW-Authenticate': 'Basic x="y"' } }),
    );
    const folder = visitor(server);
    writeFileSync(
      join(folder, 'config.json'),
      JSON.stringify({ auths: { [server.host]: { auth: btoa('alice:s3cret') } } }),
    );
    for (const [words, more, isTold] of WAYS) {
      const { stderr } = await run([...SIGNET, ...words, server.gun], { env: { ...environment(folder), ...more } });
      const refusal = `${server.host} refuses access to ${server.gun} (as alice, with the login for ${server.host})`;
      expect(stderr.includes(refusal)).toBe(isTold);
      expect(stderr).not.toContain('s3cret');
    }
  });

  test('names DOCKER_AUTH_CONFIG where the login that was refused comes from there', async () => {
    const server = await startLyingServer({ now: Date.now() });
    server.lies.set(
      'timestamp',
      () => new Response('', { status: 401, headers: { 'WWW-Authenticate': 'Basic x="y"' } }),
    );
    const folder = visitor(server);
    const env = {
      ...{ ...environment(folder), SIGNET_DEBUG: '1' },
      DOCKER_AUTH_CONFIG: JSON.stringify({ auths: { [server.host]: { auth: btoa('env:s3cret') } } }),
    };
    const { stderr } = await run([...SIGNET, 'trust', 'inspect', server.gun], { env });
    expect(stderr).toContain(`refuses access to ${server.gun} (as env, with the login that DOCKER_AUTH_CONFIG gives)`);
  });

  test.each([
    [
      'read-only',
      'mount --bind "$FOLDER" "$FOLDER"; mount -o remount,ro,bind "$FOLDER"',
      'the file system is read-only (EROFS)',
    ],
    [
      'full',
      'mkdir -p "$FOLDER/trust"; mount -t tmpfs -o size=8k,nr_inodes=3 tmpfs "$FOLDER/trust"',
      'no space left on the device (ENOSPC)',
    ],
  ])(
    'is no matter to reading where the disk is %s: a warning tells that nothing is remembered',
    async (_, prepare, why) => {
      const server = await startLyingServer({ now: Date.now() });
      const folder = visitor(server);
      for (const words of [
        ['trust', 'inspect'],
        ['trust', 'inspect', '--pretty'],
      ]) {
        const command = ['unshare', '-m', 'sh', '-c', `${prepare}; exec "$@"`, 'sh', ...SIGNET, ...words, server.gun];
        const env = { ...environment(folder), FOLDER: folder, CI: '', SIGNET_TOFU: 'on' };
        const { stdout, stderr, exitCode } = await run(command, { env });
        expect(stdout).toContain(server.gun);
        expect(stderr).toMatch(/^WARNING: cannot (?:write|make the folder) /);
        expect(stderr).toContain(`${why}. What the server has of ${server.gun} was verified, but it is not remembered`);
        expect(stderr).toContain('DOCKER_CONFIG=FOLDER names a folder that can be written.');
        expect(exitCode).toBe(0);
      }
    },
  );
});
