import { beforeAll, describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf } from '../../src/core/names/digest.ts';
import { RELEASES } from '../../src/core/names/role.ts';
import { trustingClis } from '../support/clis.ts';
import { type Engine, startEngine } from '../support/dockerd.ts';
import type { Served } from '../support/lying-server.ts';
import { type Content, writeLayout } from '../support/oci.ts';
import { endless, labelled, status } from './malicious/answers.ts';
import { EVIL, GOOD, someManifest, targetOf } from './malicious/images.ts';
import type { Victim } from './malicious/victim.ts';
import { ALICE, makeWorld, type World } from './malicious/world.ts';

// Attacks by the registry, whose trust data are right, and by the trust server before a real engine.

const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';

let engine: Engine;
let docker: string;

beforeAll(async () => {
  docker = (await trustingClis()).at(-1)?.path ?? '';
  engine = await startEngine();
}, 60_000);

/** An image as a registry holds it: its manifest, and by what each blob is. */
interface Image {
  readonly manifest: Served;
  readonly config: Served;
  readonly layer: Served;
}

async function makeImage(text: string): Promise<Image> {
  const { name, manifests } = await writeLayout([architecture], text);
  const manifest = manifests.get(architecture) as Content;
  const folder = join(name.split(':')[1] ?? '', 'blobs/sha256');
  const blobs = new Map(readdirSync(folder).map((hex) => [`sha256:${hex}`, readFileSync(join(folder, hex))]));
  const { config, layers } = JSON.parse(manifest.bytes.toString()) as Record<'config', Content> & { layers: Content[] };
  const blob = (digest = ''): Served => ({
    digest,
    bytes: blobs.get(digest) ?? Buffer.of(),
    type: 'application/octet-stream',
  });
  return { manifest: { ...manifest, type: OCI_MANIFEST }, config: blob(config.digest), layer: blob(layers[0]?.digest) };
}

/** A repository whose `latest` is signed as `good`, in a registry that holds it, and `evil` under the tag. */
async function sell(good: Image, evil: Image): Promise<World> {
  const target = targetOf({ bytes: good.manifest.bytes, digest: digestOf(good.manifest.bytes) });
  const world = await makeWorld({
    before: ({ simulator }) =>
      simulator.edit((editor) => {
        for (const role of [RELEASES, ALICE]) editor.addTarget(role, 'latest', target);
      }),
  });
  const { held } = world.server;
  for (const content of [good, evil].flatMap(({ manifest, config, layer }) => [manifest, config, layer])) {
    held.set(content.digest, content);
  }
  held.set('latest', evil.manifest);
  return world;
}

/** Types a command before the real engine. */
function typed(victim: Victim, command: 'run' | 'create' | 'pull' | 'build') {
  return victim.type(command, { DOCKER_HOST: engine.host, SIGNET_DOCKER: docker, DOCKER_BUILDKIT: '0' });
}

/** What the engine has: its images and its containers. */
async function possessions(): Promise<unknown[]> {
  const ask = async (path: string) => (await fetch(`http://engine${path}`, { unix: engine.socket })).json();
  return [await ask('/images/json?all=1'), await ask('/containers/json?all=1')];
}

/** Every command of everybody fails, and the engine has nothing afterwards. */
async function gainsNothing(
  { warm, cold }: World,
  code: string,
  victims: readonly Victim[] = [warm, cold],
): Promise<void> {
  for (const victim of victims) {
    for (const command of ['run', 'create', 'pull', 'build'] as const) {
      const ended = await typed(victim, command);
      expect(ended).toMatchObject({
        exitCode: command === 'run' ? 125 : 1,
        stdout: expect.not.stringContaining('All your base'),
      });
      if (command !== 'build' || code !== 'engine-refused') expect(ended.code).toBe(code as typeof ended.code);
    }
  }
  expect(await possessions()).toEqual([[], []]);
}

describe('before a real engine', () => {
  const lies: readonly (readonly [name: string, lie: (world: World, good: Image, evil: Image) => void])[] = [
    [
      'another layer',
      ({ server }, { layer }) =>
        void server.held.set(layer.digest, {
          ...layer,
          bytes: Buffer.from(layer.bytes).fill(7, layer.bytes.length - 9),
        }),
    ],
    [
      'another manifest',
      ({ server }, good, evil) =>
        void server.held.set(good.manifest.digest, { ...evil.manifest, digest: good.manifest.digest }),
    ],
    [
      'another configuration',
      ({ server }, good, evil) =>
        void server.held.set(good.config.digest, { ...evil.config, digest: good.config.digest }),
    ],
  ];
  for (const [name, lie] of lies) {
    test(`a registry that has ${name} under the signed digest is refused`, async () => {
      const [good, evil] = await Promise.all([makeImage(`It worked! (${name})`), makeImage('All your base')]);
      const world = await sell(good, evil);
      lie(world, good, evil);
      await gainsNothing(world, 'engine-refused');
    }, 60_000);
  }

  test('a trust server that rolls back, or sells what a stranger signed, gets nothing run', async () => {
    const [good, evil] = await Promise.all([makeImage('It worked!'), makeImage('All your base')]);
    const world = await sell(good, evil);
    const { simulator, warm } = world;
    simulator.serve(world.old);
    await gainsNothing(world, 'version-rollback', [warm]);
    simulator.serve(world.honest);
    world.server.lies.set(
      'timestamp',
      Buffer.from(simulator.file('timestamp').toString().replace('"version":', '"version":1')),
    );
    await gainsNothing(world, 'threshold-not-met');
  }, 60_000);

  test('a registry whose tag was moved gets the signed image run', async () => {
    const [good, evil] = await Promise.all([makeImage('It worked!'), makeImage('All your base')]);
    const world = await sell(good, evil);
    for (const victim of [world.warm, world.cold]) {
      expect(await typed(victim, 'run')).toMatchObject({ exitCode: 0, stdout: 'It worked!\n' });
    }
    expect(JSON.stringify(await possessions())).not.toContain(evil.manifest.digest);
  }, 60_000);
});

describe('who signs what a registry has', () => {
  const manifests = '/v2/acme/app/manifests';
  const lies: readonly (readonly [name: string, lie: (world: World) => void, code: string])[] = [
    [
      'under another digest than it claims',
      ({ server }) => void server.held.set('next', { ...GOOD, digest: EVIL.digest }),
      'manifest-unusable',
    ],
    ['without an end', ({ server }) => void server.lies.set(`${manifests}/next`, endless()), 'response-too-large'],
    [
      'at an address that leads to itself',
      ({ server }) => void server.lies.set(`${manifests}/next`, status(307, { Location: `${manifests}/next` })),
      'redirect-refused',
    ],
    [
      'as something that is no manifest',
      ({ server }) =>
        void server.lies.set(`${manifests}/next`, () =>
          labelled(Buffer.from('<html>'), { 'Content-Type': 'text/html' }),
        ),
      'manifest-unusable',
    ],
  ];
  for (const [name, lie, code] of lies) {
    test(`signs nothing that comes ${name}`, async () => {
      const world = await makeWorld({});
      lie(world);
      const before = world.warm.belongings();
      expect(await world.warm.type('sign')).toMatchObject({ exitCode: 1, code: code as never });
      expect(world.server.published).toEqual([]);
      expect(world.warm.belongings()).toEqual(before);
    });
  }

  test('signs nothing but the digest that was asked for', async () => {
    const world = await makeWorld({});
    const asked = someManifest('asked for');
    world.server.held.set(asked.digest, { ...EVIL, digest: asked.digest });
    const ended = await world.warm.signet(['trust', 'sign', `${world.server.gun}:next@${asked.digest}`]);
    expect(ended).toMatchObject({ exitCode: 1, code: 'checksum-mismatch' });
    expect(world.server.published).toEqual([]);
  });
});
