import { beforeAll, expect, test } from 'bun:test';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dockerClis, findProgram } from '../support/clis.ts';
import { type Engine, startEngine } from '../support/dockerd.ts';
import { type Layout, writeLayout } from '../support/oci.ts';
import { type Outcome, run } from '../support/run.ts';
import { type SignetServer, signetCommand, startSignet } from '../support/signet-server.ts';
import { temporaryFolder } from '../support/temp.ts';

const PASSWORD = 'who vouches for what others make';
const NAME = 'docker.io/library/busybox';

/** Somebody's server that stands in for Docker Hub as the engine's mirror, and vouches for images of Docker Hub. */
let server: SignetServer;
let engine: Engine;
let layout: Layout;
const administrator = temporaryFolder();
const person = temporaryFolder();

beforeAll(async () => {
  server = await startSignet({ args: ['--public-pull=library/*', '--public-pull=docker.io/library/*'] });
  engine = await startEngine({ args: [`--registry-mirror=${server.origin}`] });
  await server.addUser('administrator', PASSWORD, { admin: true });
  layout = await writeLayout(['amd64', 'arm64'], 'It worked!');
  await publish(layout, 'latest');
  for (const home of [administrator, person]) configure(home);
  const login = ['login', '--username=administrator', '--password-stdin', server.host];
  await succeeds(signet(administrator, login, { stdin: PASSWORD }));
}, 60_000);

/** The server's registry plays the one of docker.io. Its certificate is known as that of the trust server. */
function configure(home: string): void {
  const certificates = join(home, '.docker/tls', server.host);
  mkdirSync(certificates, { recursive: true });
  copyFileSync(server.authority, join(certificates, 'ca.crt'));
  const registries = { 'docker.io': { trustServer: server.origin, endpoint: server.origin } };
  writeFileSync(join(home, '.docker/signet.json'), JSON.stringify({ registries }));
}

function publish({ name }: Layout, tag: string): Promise<Outcome> {
  const to = `docker://${server.host}/library/busybox:${tag}`;
  const flags = ['--quiet', '--all', '--dest-tls-verify=false', `--dest-creds=administrator:${PASSWORD}`];
  return succeeds(run([findProgram('skopeo'), 'copy', ...flags, name, to]));
}

interface Circumstances {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
}

function signet(home: string, words: readonly string[], { env, stdin }: Circumstances = {}): Promise<Outcome> {
  const passphrases = {
    DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE: 'the root of what is vouched for',
    DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE: 'and what it is vouched for with',
  };
  const usual = { PATH: process.env.PATH ?? '', HOME: home, DOCKER_HOST: engine.host };
  return run([...signetCommand(), ...words], {
    env: { ...usual, ...(home === administrator ? passphrases : {}), ...env },
    ...(stdin === undefined ? {} : { stdin }),
  });
}

async function succeeds(outcome: Promise<Outcome>): Promise<Outcome> {
  const ended = await outcome;
  expect(ended).toMatchObject({ exitCode: 0 });
  return ended;
}

test('no one has vouched for it: it does not run', async () => {
  const outcome = await signet(person, ['run', '--rm', 'busybox'], { env: { DOCKER_CONTENT_TRUST: '1' } });
  expect(outcome).toMatchObject({ exitCode: 125, stdout: '' });
  expect(outcome.stderr).toContain(`does not have trust data for ${NAME}`);
});

test("an administrator vouches for Docker Hub's index on a server of their own, without an engine", async () => {
  const env = { DOCKER_HOST: 'unix:///nowhere/docker.sock' };
  const signed = await succeeds(signet(administrator, ['trust', 'sign', '--init', `${NAME}:latest`], { env }));
  expect(signed.stderr).toContain(layout.index.digest);
  const { stdout } = await succeeds(signet(person, ['trust', 'inspect', 'busybox']));
  expect(JSON.parse(stdout)).toMatchObject([
    { SignedTags: [{ SignedTag: 'latest', Digest: layout.index.digest.replace('sha256:', '') }] },
  ]);
});

for (const cli of await dockerClis()) {
  test(`with docker ${cli.version}, what is vouched for runs, and nothing else`, async () => {
    const env = { DOCKER_CONTENT_TRUST: '1', SIGNET_DOCKER: cli.path };
    await publish(layout, 'latest');
    await publish(layout, 'unsigned');
    const pulled = await succeeds(signet(person, ['pull', 'busybox'], { env }));
    expect(pulled.stdout).toContain(`Pull (1 of 1): busybox:latest@${layout.index.digest}\n`);
    expect(pulled.stderr).toContain(`Tagging busybox@${layout.index.digest} as busybox:latest\n`);
    expect(await succeeds(signet(person, ['run', '--rm', 'busybox'], { env }))).toMatchObject({
      stdout: 'It worked!\n',
    });
    const refused = await signet(person, ['run', '--rm', 'busybox:unsigned'], { env });
    expect(refused).toMatchObject({ exitCode: 125, stdout: '' });
    expect(refused.stderr).toMatch(/^docker: No valid trust data for unsigned/m);

    await publish(await writeLayout(['amd64'], 'All your base'), 'latest');
    await succeeds(signet(person, ['rmi', '--force', 'busybox'], { env }));
    const untrusted = await succeeds(signet(person, ['run', '--rm', 'busybox'], { env: { SIGNET_DOCKER: cli.path } }));
    expect(untrusted.stdout).toBe('All your base\n');
    expect(await succeeds(signet(person, ['run', '--rm', 'busybox'], { env }))).toMatchObject({
      stdout: 'It worked!\n',
    });
  }, 60_000);
}

test('the name means the same however it is written', async () => {
  for (const name of ['busybox', 'busybox:latest', 'library/busybox', 'docker.io/busybox', `index.${NAME}`, NAME]) {
    const { stdout } = await succeeds(signet(person, ['run', '--rm', name], { env: { DOCKER_CONTENT_TRUST: '1' } }));
    expect(stdout).toBe('It worked!\n');
  }
}, 60_000);

test('a trust server whose certificate is not known is not believed', async () => {
  const stranger = temporaryFolder();
  configure(stranger);
  writeFileSync(join(stranger, '.docker/tls', server.host, 'ca.crt'), await otherAuthority());
  const outcome = await signet(stranger, ['run', '--rm', 'busybox'], { env: { DOCKER_CONTENT_TRUST: '1' } });
  expect(outcome).toMatchObject({ exitCode: 125, stdout: '' });
  expect(outcome.stderr).toContain(`the certificate of ${server.origin} is not trusted`);
});

async function otherAuthority(): Promise<string> {
  const folder = temporaryFolder();
  const files = ['-keyout', join(folder, 'key'), '-out', join(folder, 'ca.crt')];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
  await succeeds(run(['openssl', 'req', '-x509', '-nodes', '-batch', '-subj', '/CN=somebody', ...curve, ...files]));
  return Bun.file(join(folder, 'ca.crt')).text();
}
