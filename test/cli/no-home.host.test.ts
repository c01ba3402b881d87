import { describe, expect, test } from 'bun:test';
import { chmodSync, chownSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeAuthority } from '../remote/certificates.ts';
import { serve } from '../remote/servers.ts';
import { run } from '../support/run.ts';
import { temporaryFolder } from '../support/temp.ts';

const MAIN = join(import.meta.dir, '../../src/cli/main.ts');
/** A user whom the system does not know. */
const UID = 54321;
const authority = makeAuthority('the authority');
const certificate = authority.issue(['localhost']);

/** A folder that belongs to the unknown user. */
function ownFolder(): string {
  const folder = temporaryFolder();
  chownSync(folder, UID, UID);
  return folder;
}

/** Runs Signet as the unknown user, without HOME, in a folder where nothing can be written. */
function signet(words: readonly string[], env: Readonly<Record<string, string>>) {
  const nowhere = temporaryFolder();
  chmodSync(nowhere, 0o755);
  const command = ['setpriv', '--reuid', `${UID}`, '--regid', `${UID}`, '--clear-groups', process.execPath, MAIN];
  return run([...command, ...words], {
    cwd: nowhere,
    env: { PATH: process.env.PATH ?? '', SIGNET_DEBUG: '1', ...env },
  });
}

describe('a user without a home folder', () => {
  test('works in the folder that DOCKER_CONFIG names, and writes nowhere else', async () => {
    const server = serve((request, url) => {
      if (request.headers.get('authorization') !== null) return Response.json({ token: 'x' });
      const challenge = `Bearer realm="${url.origin}/token"`;
      return new Response('', { status: 401, headers: { 'WWW-Authenticate': challenge } });
    }, certificate);
    const { host } = new URL(server.origin);
    const [folder, temporary] = [ownFolder(), ownFolder()];
    mkdirSync(join(folder, 'tls', host), { recursive: true });
    writeFileSync(join(folder, 'tls', host, 'ca.crt'), authority.cert);
    const env = {
      ...{ DOCKER_CONFIG: folder, TMPDIR: temporary },
      DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE: 'passphrase',
    };
    const login = await signet(['login', '-u', 'alice', '-p', 'x', host], env);
    expect({ code: login.exitCode, stdout: login.stdout }).toEqual({ code: 0, stdout: 'Login Succeeded\n' });
    const key = await signet(['trust', 'key', 'generate', 'alice', '--dir', folder], env);
    expect(key.stdout).toContain('Successfully generated');
    const inspect = await signet(['trust', 'inspect', '--pretty', `${host}/a/b`], env);
    expect(inspect.stderr).toStartWith(`no signatures or cannot access ${host}/a/b\n`);
    expect(inspect.stderr).not.toContain('home');
    const images = await signet(['--version'], env);
    expect(images.exitCode).toBe(0);
    expect(readdirSync(folder).sort()).toEqual(['alice.pub', 'config.json', 'signet-cache', 'tls', 'trust']);
    expect(readdirSync(temporary)).toEqual([]);
  });

  test('finds docker', async () => {
    const { stdout, exitCode } = await signet(['context', 'ls', '--quiet'], { DOCKER_CONFIG: ownFolder() });
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: 'default\n' });
  });

  test('is told what to set where neither is there', async () => {
    const { stderr, exitCode } = await signet(['trust', 'inspect', 'alpine'], {});
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr:
        "this user has no home folder, and HOME is not set\n\nSet HOME, or DOCKER_CONFIG to docker's configuration folder.\nhome-unknown\n",
    });
  });
});
