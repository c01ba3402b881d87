import { beforeAll, describe, expect, test } from 'bun:test';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf } from '../../../../src/core/names/digest.ts';
import { type SeenRequest, startFakeEngine } from '../../../engine/fake-engine.ts';
import { signIn } from '../../../parity/collections.ts';
import { giving, makeCollection, startOddNotary } from '../../../parity/odd-notary.ts';
import { makeAuthority } from '../../../remote/certificates.ts';
import { type DockerCli, dockerClis } from '../../../support/clis.ts';
import { random } from '../../../support/random.ts';
import { run } from '../../../support/run.ts';
import { signetCommand } from '../../../support/signet-server.ts';
import { temporaryFolder } from '../../../support/temp.ts';

/** A repository in which `v1` and `latest` are signed, and nothing else. */
const NAME = 'localhost:5999/alice/app';
const SIGNED = digestOf(Buffer.from('signed'));
const OTHER = digestOf(Buffer.from('other'));
const ID = OTHER.slice('sha256:'.length);
const PINNED = `${NAME}@${SIGNED}`;

const clis = await dockerClis();
const home = temporaryFolder();
let trustServer: string;

const described = () => Response.json({ Id: `sha256:${'0'.repeat(64)}`, RepoTags: [], RepoDigests: [] });

/** Notes what it is asked for and gives nothing, so that docker stops there; what is signed it has. */
const engine = startFakeEngine({
  answer: ({ path }) => {
    if (path.includes(SIGNED)) return described();
    return path === '/containers/create' ? Response.json({ message: 'noted' }, { status: 500 }) : undefined;
  },
});

beforeAll(async () => {
  const files = await makeCollection(NAME, { founded: Date.now() }, (editor) => {
    for (const tag of ['v1', 'latest']) signIn(editor, 'targets', tag, { digest: SIGNED, size: 500 });
  });
  trustServer = startOddNotary(makeAuthority('test').issue(['localhost']), giving(files));
});

/** Runs signet in front of a real docker CLI; returns every image that the engine was asked to use. */
async function imagesAsked({ path }: DockerCli, words: readonly string[], env: Readonly<Record<string, string>>) {
  const before = engine.requests.length;
  const { exitCode } = await run([...signetCommand(), ...words], {
    env: {
      PATH: process.env.PATH ?? '',
      HOME: home,
      SIGNET_DOCKER: path,
      DOCKER_HOST: engine.host,
      DOCKER_CONTENT_TRUST_SERVER: trustServer,
      ...env,
    },
  });
  return { exitCode, images: engine.requests.slice(before).flatMap(imagesIn) };
}

function imagesIn({ method, path, query, body }: SeenRequest): string[] {
  if (path === '/images/create') return [`${query.get('fromImage')}@${query.get('tag')}`];
  if (path === '/plugins/privileges') return [`${query.get('remote')}`];
  if (method !== 'POST' || body === '') return [];
  if (path === '/containers/create') return [JSON.parse(body).Image, ...mountsIn(JSON.parse(body).HostConfig)];
  if (path === '/services/create') {
    const { ContainerSpec } = JSON.parse(body).TaskTemplate;
    return [ContainerSpec.Image, ...mountsIn(ContainerSpec)];
  }
  return [];
}

function mountsIn({
  Mounts = [],
}: {
  readonly Mounts?: readonly { readonly Type: string; readonly Source: string }[];
}) {
  return (Mounts ?? []).flatMap(({ Type, Source }) => (Type === 'image' ? [Source] : []));
}

const ON = { DOCKER_CONTENT_TRUST: '1' };

/** Whatever is typed between `create` and the image, docker's own reading decides what reaches the engine. */
const CREATING: readonly (readonly string[])[] = [
  ['create', `${NAME}:v1`],
  ['create', NAME],
  ['container', 'create', NAME],
  ['run', '-d', NAME],
  ['container', 'run', '--detach', NAME],
  ['create', '-it', NAME],
  ['create', '-it=false', NAME],
  ['create', '-i=0', '-t=F', NAME],
  ['create', '--name=x', NAME],
  ['create', '--name', 'x', NAME],
  ['create', '--name', '--help', NAME],
  ['create', '-e', '--disable-content-trust', NAME],
  ['create', '-h', 'web', NAME],
  ['create', '-hweb', NAME],
  ['create', '-h', '--help', NAME],
  ['create', '--', NAME],
  ['create', '--rm', '--', NAME, '--', 'sh'],
  ['create', '--net', 'host', NAME],
  ['create', '--net=n', '--net-alias', 'x', NAME],
  ['create', '--help=false', NAME],
  ['create', '--help', '--help=0', NAME],
  ['create', '--pull=always', '--platform', 'linux/amd64', NAME],
  ['create', '--pull', 'never', `${NAME}:v1`],
  ['create', `${NAME}:v1@${SIGNED}`],
  ['create', NAME, `${NAME}:unsigned`, '--help', '--disable-content-trust'],
  ['create', '--disable-content-trust', '--disable-content-trust=false', NAME],
  ['create', '--disable-content-trust=true', '--disable-content-trust=F', NAME],
  ['create', '--mount', `type=image,source=${NAME}:v1,target=/x`, NAME],
  ['create', `--mount= type=IMAGE,dst=/x,"src=${NAME}" `, NAME],
  [
    'run',
    '-d',
    '--mount',
    'type=volume,volume-opt=a=b,volume-opt=c=d,dst=/y',
    '--mount',
    `type=image,src=${NAME},dst=/x`,
    NAME,
  ],
  ['create', '--mount', 'type=bind,source=/etc,target=/x,readonly', '--mount', 'type=tmpfs,dst=/t', NAME],
  ['-D', 'create', NAME],
  ['--debug=true', '-l', 'error', 'create', NAME],
  ['--log-level=error', '--', 'create', NAME],
  ['--config', join(home, '.docker'), 'create', NAME],
  ['--tls=false', 'container', 'create', NAME],
];

/** Nothing of this may reach the engine. */
const REFUSED: readonly (readonly string[])[] = [
  ['create', `${NAME}:unsigned`],
  ['create', `${NAME}:v1@${OTHER}`],
  ['create', ID.slice(0, 12)],
  ['create', 'localhost:5999/alice/other'],
  ['create', `${NAME}:v1 `],
  ['create', NAME.toUpperCase()],
  ['create', '', NAME],
  ['create', '-', NAME],
  ['create', '--', '--privileged'],
  ['create', '--name', NAME],
  ['create', '--bogus', NAME],
  ['create', '-Z', NAME],
  ['create', '-itZ', NAME],
  ['create', '---rm', NAME],
  ['create', '--=x', NAME],
  ['create', '--disable-content-trust=maybe', NAME],
  ['--bogus', 'create', NAME],
  ['container', '--rm=true', 'create', NAME],
  ['container', '--bogus', 'create', 'create', NAME],
  ['', 'create', NAME],
  ['container', '', 'create', NAME],
  ['Create', NAME],
  ['create', NAME.replace('alice', '../alice')],
  ['create', '--mount', `type=image,source=${NAME}:unsigned,target=/x`, NAME],
  ['create', '--mount', `target=/x,TYPE=Image,src=${NAME}:unsigned`, `${NAME}@${SIGNED}`],
  ['create', '--mount', `type=volume,type=image,source=${NAME},target=/x`, NAME],
  ['create', '--mount', `type=image,source=${NAME},src=${NAME}:unsigned,target=/x`, NAME],
  ['create', '--mount', `type=image,source=${NAME},source=${NAME}:unsigned,target=/x`, ID],
  ['create', '--mount', `type=image,target=/x`, NAME],
  ['create', '--mount', `type=artifact,source=${NAME},target=/x`, NAME],
  ['create', '--mount', `type=bind,source=/etc,target=/x\ntype=image,source=${NAME}:unsigned`, NAME],
  ['create', '--mount', `type=image,source=${NAME},target=/x`, '--mount', `type=image,source=other,target=/y`, NAME],
  ['service', 'create', '--mount', `type=image,source=${NAME}:unsigned,target=/x`, NAME],
  ['service', 'update', '--mount-add', `type=image,source=${NAME}:unsigned,target=/x`, 'x'],
  ['service', 'update', '--image', NAME, '--mount-add', `type=image,source=${NAME}:unsigned,target=/x`, 'x'],
  ['pull', NAME, `${NAME}:v1`],
  ['pull', '--bogus', NAME],
  ['pull', `${NAME}:unsigned`],
  ['service', 'create', `${NAME}:unsigned`],
  ['service', 'update', '--image', `${NAME}:unsigned`, 'x'],
  ['service', 'update', 'x', `--image=${NAME}:v1`, '--image', `${NAME}:unsigned`],
  ['plugin', 'install', `${NAME}:unsigned`],
  ['plugin', 'upgrade', 'x', `${NAME}:unsigned`],
  ['plugin', 'upgrade', 'x'],
];

test('nothing is left of the way to a distant engine when docker has taken over', async () => {
  const [cli] = clis;
  const distant = startFakeEngine({ tcp: {}, answer: ({ path }) => (path.includes(SIGNED) ? described() : undefined) });
  const folder = temporaryFolder();
  const env = { ...ON, DOCKER_HOST: distant.host, TMPDIR: folder };
  expect(cli && (await imagesAsked(cli, ['create', NAME], env)).images).toEqual([]);
  expect(distant.requests.flatMap(imagesIn)).toContain(PINNED);
  expect(readdirSync(folder)).toEqual([]);
}, 30_000);

describe.each(clis.map((cli) => [cli.version, cli] as const))('in front of the real docker %s', (_, cli) => {
  test.each(CREATING.map((words) => [words] as const))(
    '%j reaches the engine by its signed digest',
    async (words) => {
      const { images } = await imagesAsked(cli, words, ON);
      expect(new Set(images)).toEqual(new Set([PINNED]));
    },
    30_000,
  );

  test.each(REFUSED.map((words) => [words] as const))(
    '%j does not reach the engine',
    async (words) => {
      const { images, exitCode } = await imagesAsked(cli, words, ON);
      expect(images).toEqual([]);
      expect(exitCode).not.toBe(0);
    },
    30_000,
  );

  test('a pull, a service and a plugin are asked for by digest', async () => {
    expect((await imagesAsked(cli, ['pull', '-q', NAME], ON)).images).toEqual([PINNED]);
    expect((await imagesAsked(cli, ['image', 'pull', '-aq', NAME], ON)).images).toEqual([PINNED]);
    const service = await imagesAsked(cli, ['service', 'create', '--name', 'x', NAME], ON);
    expect(service.images).toEqual([`${NAME}:latest@${SIGNED}`]);
    const plugin = await imagesAsked(cli, ['plugin', 'install', '--alias', 'x', NAME], ON);
    expect(plugin.images).toEqual([PINNED]);
  }, 30_000);

  test('help is all that comes of asking for it', async () => {
    for (const words of [
      ['create', '--help', NAME],
      ['--help', 'container', 'create', '--help=true', NAME],
    ]) {
      expect(await imagesAsked(cli, words, ON)).toEqual({ exitCode: 0, images: [] });
    }
  }, 30_000);

  test('an image ID and a digest alone are what they are, signed or not', async () => {
    for (const name of [ID, OTHER, `${NAME}@${OTHER}`]) {
      expect((await imagesAsked(cli, ['create', '--pull', 'never', name], ON)).images[0]).toBe(name);
    }
  }, 30_000);

  test('an alias of docker’s configuration makes no other word of run', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'docker'));
    writeFileSync(join(folder, 'docker/config.json'), '{"aliases":{"r":"run","ps":"run"}}');
    for (const word of ['r', 'ps']) {
      const env = { ...ON, DOCKER_CONFIG: join(folder, 'docker') };
      expect((await imagesAsked(cli, [word, `${NAME}:unsigned`], env)).images).toEqual([]);
    }
  }, 30_000);

  test.each([
    ['on by option', ['--disable-content-trust=false'], {}],
    ['on by option over the variable', ['--disable-content-trust=f'], { DOCKER_CONTENT_TRUST: '0' }],
    ['on by a word that is no boolean', [], { DOCKER_CONTENT_TRUST: 'off' }],
    ['on by a false with a space', [], { DOCKER_CONTENT_TRUST: ' false' }],
  ])(
    'trust that is %s holds',
    async (_name, flags, env) => {
      expect((await imagesAsked(cli, ['create', ...flags, `${NAME}:unsigned`], env)).images).toEqual([]);
      expect((await imagesAsked(cli, ['create', ...flags, NAME], env)).images).toEqual([PINNED]);
    },
    30_000,
  );

  test('whatever is typed, no name without its signed digest reaches the engine', async () => {
    const next = random(28);
    const pick = (items: readonly string[]) => items[Math.floor(next() * items.length)] ?? '';
    const words = [
      ...['-i', '-t', '-it', '--rm', '--rm=false', '-i=true', '--init', '--', '--help', '--help=false', '-P'],
      ...['--name', '-h', '-e', '-l', '-w', '--entrypoint', '--net', '--label', '--pull', '--platform', '--quiet'],
      ...['--name=n', '-hweb', '-eA', '-ite', '--pull=never', '--disable-content-trust=false', '-u=', '-', ''],
      ...['x', `${NAME}:unsigned`, NAME, `${NAME}:v1`, 'sh', '--bogus', '-Z', '--rm=2'],
    ];
    const deadline = performance.now() + 25_000;
    let reached = 0;
    for (let round = 0; round < 40 && performance.now() < deadline; round++) {
      const typed = Array.from({ length: 1 + Math.floor(next() * 5) }, () => pick(words));
      const { images } = await imagesAsked(cli, ['create', ...typed, NAME], ON);
      expect([typed, images.filter((image) => image !== PINNED)]).toEqual([typed, []]);
      reached += images.length;
    }
    expect(reached).toBeGreaterThan(0);
  }, 60_000);
});
