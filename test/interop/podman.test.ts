import { expect, test } from 'bun:test';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { atEnd } from '../support/cleanup.ts';
import { findProgram } from '../support/clis.ts';
import { run } from '../support/run.ts';
import { signetCommand, startSignet } from '../support/signet-server.ts';
import { temporaryFolder } from '../support/temp.ts';

/** The registry's authority where podman looks for it, in a mount namespace of its own. */
const TRUSTING = `mkdir -p /etc/containers
mount -t tmpfs tmpfs /etc/containers
mkdir -p "/etc/containers/certs.d/$HOST"
cp "$AUTHORITY" "/etc/containers/certs.d/$HOST/ca.crt"
echo '{"default":[{"type":"insecureAcceptAnything"}]}' > /etc/containers/policy.json
exec "$@"`;

test('podman pushes and signs after a login with an identity token', async () => {
  const server = await startSignet();
  await server.addUser('alice', 'correct horse');
  const [home, storage] = [temporaryFolder(), temporaryFolder()];
  const socket = join(storage, 'podman.sock');
  mkdirSync(join(home, '.docker'));
  const env = {
    ...{ PATH: process.env.PATH ?? '', HOME: home, HOST: server.host, AUTHORITY: server.authority },
    ...{ DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE: 'passphrase', DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE: 'passphrase' },
  };
  const trusting = {
    ...env,
    SIGNET_DOCKER: findProgram('podman'),
    CONTAINER_HOST: `unix://${socket}`,
    DOCKER_CONTENT_TRUST: '1',
  };
  const podman = [
    'podman',
    '--root',
    join(storage, 'root'),
    '--runroot',
    join(storage, 'run'),
    '--storage-driver',
    'vfs',
  ];
  const context = temporaryFolder();
  writeFileSync(join(context, 'Dockerfile'), 'FROM scratch\nCOPY Dockerfile /\n');
  const image = `${server.host}/alice/app:1`;
  expect(await run([...podman, 'build', '-q', '-t', image, context], { env })).toMatchObject({ exitCode: 0 });

  const service = Bun.spawn(
    ['unshare', '-m', 'sh', '-c', TRUSTING, 'sh', ...podman, 'system', 'service', '--time=0', `unix://${socket}`],
    { env, stdout: 'ignore', stderr: 'ignore' },
  );
  atEnd(async () => {
    service.kill();
    await service.exited;
  });
  const signet = (words: readonly string[], stdin = '') =>
    run([...signetCommand(), ...words], { env: trusting, stdin });
  const login = await signet(['login', '-u', 'alice', '--password-stdin', server.host], 'correct horse');
  expect(login).toMatchObject({ exitCode: 0, stdout: 'Login Succeeded\n' });
  expect(readFileSync(join(home, '.docker/config.json'), 'utf8')).toContain('identitytoken');

  const answers = () => run(['podman', '--remote', '--url', `unix://${socket}`, 'version'], { env });
  while ((await answers()).exitCode !== 0);
  expect(await signet(['trust', 'init', `${server.host}/alice/app`])).toMatchObject({ exitCode: 0 });
  const pushed = await signet(['push', image]);
  expect({ code: pushed.exitCode, stderr: pushed.stderr }).toEqual({ code: 0, stderr: '' });
  expect(pushed.stdout).toEndWith(`Successfully signed ${image}\n`);
}, 120_000);
