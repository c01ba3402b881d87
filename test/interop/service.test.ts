import { beforeAll, expect, test } from 'bun:test';
import { dockerClis, findProgram } from '../support/clis.ts';
import { type Engine, startEngine } from '../support/dockerd.ts';
import { type Layout, writeLayout } from '../support/oci.ts';
import { type Outcome, run } from '../support/run.ts';
import { freePort, type SignetServer, signetCommand, startSignet } from '../support/signet-server.ts';
import { temporaryFolder } from '../support/temp.ts';

const PASSWORD = 'who deploys what is signed';
const clis = await dockerClis();

let server: SignetServer;
let engine: Engine;
let layout: Layout;
const home = temporaryFolder();

beforeAll(async () => {
  server = await startSignet({ args: ['--public-pull=alice/*'] });
  engine = await startEngine();
  await server.addUser('alice', PASSWORD);
  layout = await writeLayout(['amd64'], 'It worked!');
  for (const tag of ['one', 'two', 'unsigned']) await publish(tag);
  await succeeds(signet(['login', '--username=alice', '--password-stdin', server.host], { stdin: PASSWORD }));
  await succeeds(signet(['trust', 'sign', '--init', '--remote', 'alice/app:one', 'alice/app:two']));
  await succeeds(
    signet(['swarm', 'init', '--advertise-addr=127.0.0.1', `--listen-addr=127.0.0.1:${await freePort()}`]),
  );
}, 60_000);

function publish(tag: string): Promise<Outcome> {
  const to = `docker://${server.host}/alice/app:${tag}`;
  const flags = ['--quiet', '--all', '--dest-tls-verify=false', `--dest-creds=alice:${PASSWORD}`];
  return succeeds(run([findProgram('skopeo'), 'copy', ...flags, layout.name, to]));
}

function signet(
  words: readonly string[],
  { env, stdin }: { env?: Record<string, string>; stdin?: string } = {},
): Promise<Outcome> {
  const usual = {
    PATH: process.env.PATH ?? '',
    HOME: home,
    DOCKER_HOST: engine.host,
    SIGNET_DEFAULT_REGISTRY: server.host,
    DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE: 'the root of what is deployed',
    DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE: 'and what it is signed with',
  };
  return run([...signetCommand(), ...words], { env: { ...usual, ...env }, ...(stdin === undefined ? {} : { stdin }) });
}

async function succeeds(outcome: Promise<Outcome>): Promise<Outcome> {
  const ended = await outcome;
  expect(ended).toMatchObject({ exitCode: 0 });
  return ended;
}

async function imageOf(service: string, cli: string): Promise<string> {
  const format = '{{.Spec.TaskTemplate.ContainerSpec.Image}}';
  const { stdout } = await succeeds(
    signet(['service', 'inspect', service, '--format', format], { env: { SIGNET_DOCKER: cli } }),
  );
  return stdout.trim();
}

for (const { path, version } of clis) {
  const env = { DOCKER_CONTENT_TRUST: '1', SIGNET_DOCKER: path };
  const name = `app-${version.replace(/\W/g, '-')}`;
  const create = ['service', 'create', '--detach', '--replicas=0', `--name=${name}`];

  test(`docker ${version}: a service gets the signed digest beside its tag, and nothing unsigned`, async () => {
    const refused = await signet([...create, 'alice/app:unsigned'], { env });
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' });
    expect(refused.stderr).toContain(
      'failed to resolve image digest using content trust: No valid trust data for unsigned',
    );

    await succeeds(signet([...create, 'alice/app:one'], { env }));
    expect(await imageOf(name, path)).toBe(`${server.host}/alice/app:one@${layout.index.digest}`);
  }, 60_000);

  test(`docker ${version}: an update is held to the same, and one without an image changes none`, async () => {
    const update = ['service', 'update', '--detach'];
    expect(await signet([...update, '--image', 'alice/app:unsigned', name], { env })).toMatchObject({ exitCode: 1 });
    expect(await imageOf(name, path)).toBe(`${server.host}/alice/app:one@${layout.index.digest}`);

    await succeeds(signet([...update, '--image=alice/app:two', name], { env }));
    expect(await imageOf(name, path)).toBe(`${server.host}/alice/app:two@${layout.index.digest}`);

    await succeeds(signet([...update, '--label-add', 'checked=yes', name], { env }));
    expect(await imageOf(name, path)).toBe(`${server.host}/alice/app:two@${layout.index.digest}`);
  }, 60_000);
}
