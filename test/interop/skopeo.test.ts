import { beforeAll, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../support/clis.ts';
import { type Layout, writeLayout } from '../support/oci.ts';
import { type Outcome, run } from '../support/run.ts';
import { type SignetServer, signetCommand, startSignet } from '../support/signet-server.ts';
import { temporaryFolder } from '../support/temp.ts';

const PASSWORD = 'what alice has chosen';
const ALICE = ['--creds', `alice:${PASSWORD}`];
const NOWHERE = 'unix:///nowhere/docker.sock';

interface Pushed {
  readonly config: { readonly digest: string };
  readonly layers: readonly { readonly digest: string }[];
}

let server: SignetServer;
let layout: Layout;
let repository: string;
/** What skopeo trusts: the authority's certificate and nothing else. */
let certificates: string;
const home = temporaryFolder();

beforeAll(async () => {
  server = await startSignet();
  await server.addUser('alice', PASSWORD);
  await server.addUser('bob', PASSWORD);
  layout = await writeLayout(['amd64', 'arm64', 'riscv64'], 'for every machine');
  repository = `${server.host}/alice/app`;
  certificates = temporaryFolder();
  copyFileSync(server.authority, join(certificates, 'ca.crt'));
}, 60_000);

function skopeo(...words: readonly string[]): Promise<Outcome> {
  return run([findProgram('skopeo'), ...words], { env: { PATH: process.env.PATH ?? '', HOME: home } });
}

/** Copies an image; the end that is no registry takes no certificates and no credentials. */
function copy(from: string, to: string, flags: readonly string[] = [], credentials: readonly string[] = ALICE) {
  const ends = [
    ['src', from],
    ['dest', to],
  ].filter(([, name]) => name?.startsWith('docker://'));
  const options = ends.flatMap(([end]) => [
    `--${end}-cert-dir=${certificates}`,
    ...credentials.map((word) => word.replace(/^--/, `--${end}-`)),
  ]);
  return skopeo('copy', '--quiet', ...flags, ...options, from, to);
}

async function rawManifest(reference: string): Promise<string> {
  const { stdout, exitCode, stderr } = await skopeo(
    'inspect',
    '--raw',
    `--cert-dir=${certificates}`,
    ...ALICE,
    `docker://${reference}`,
  );
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  return stdout;
}

function digestOf(bytes: string | Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

async function succeeds(outcome: Promise<Outcome>): Promise<Outcome> {
  const ended = await outcome;
  expect(ended).toMatchObject({ exitCode: 0 });
  return ended;
}

function signet(...words: readonly string[]): Promise<Outcome> {
  return run([...signetCommand(), ...words], {
    env: {
      PATH: process.env.PATH ?? '',
      HOME: home,
      DOCKER_HOST: NOWHERE,
      DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE: 'the root of what is signed here',
      DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE: 'and what is signed with',
    },
  });
}

async function signedTags(): Promise<Map<string, string>> {
  const { stdout } = await succeeds(signet('trust', 'inspect', repository));
  const [{ SignedTags }] = JSON.parse(stdout) as [{ SignedTags: { SignedTag: string; Digest: string }[] }];
  return new Map(SignedTags.map(({ SignedTag, Digest }) => [SignedTag, `sha256:${Digest}`]));
}

/** How often what is released was published, as of the last look at it. */
function releases(): number {
  const file = join(home, '.docker/trust/tuf', repository, 'metadata/targets/releases.json');
  return JSON.parse(readFileSync(file, 'utf8')).signed.version;
}

test('an image for several platforms goes in with all of them and comes out byte for byte', async () => {
  await succeeds(copy(layout.name, `docker://${repository}:multi`, ['--all']));
  expect(await rawManifest(`${repository}:multi`)).toBe(layout.index.bytes.toString());
  for (const { digest, bytes } of layout.manifests.values()) {
    expect(await rawManifest(`${repository}@${digest}`)).toBe(bytes.toString());
  }
  const folder = temporaryFolder();
  await succeeds(copy(`docker://${repository}:multi`, `oci:${folder}:back`, ['--all']));
  const { manifests } = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8'));
  expect(manifests).toMatchObject([{ digest: layout.index.digest }]);
  for (const { digest } of [layout.index, ...layout.manifests.values()]) {
    expect(digestOf(readFileSync(join(folder, 'blobs', digest.replace(':', '/'))))).toBe(digest);
  }
});

for (const transport of ['oci', 'dir', 'docker-archive']) {
  test(`one image goes in from ${transport} and comes out the same`, async () => {
    const folder = temporaryFolder();
    const local = `${transport}:${join(folder, 'image')}`;
    const remote = `docker://${repository}:from-${transport}`;
    await succeeds(copy(layout.name, local, ['--override-arch=arm64']));
    await succeeds(copy(local, remote, ['--override-arch=arm64']));
    const pushed = await rawManifest(`${repository}:from-${transport}`);

    const back = temporaryFolder();
    await succeeds(copy(remote, `dir:${back}`, ['--override-arch=arm64', '--preserve-digests']));
    expect(readFileSync(join(back, 'manifest.json'), 'utf8')).toBe(pushed);
    const { config, layers } = JSON.parse(pushed) as Pushed;
    for (const digest of [config.digest, ...layers.map((layer) => layer.digest)]) {
      expect(digestOf(readFileSync(join(back, digest.replace('sha256:', ''))))).toBe(digest);
    }
    expect(JSON.parse(readFileSync(join(back, config.digest.replace('sha256:', '')), 'utf8'))).toMatchObject({
      architecture: 'arm64',
      config: { Cmd: ['echo', 'for every machine'] },
    });
  });
}

test('the tags are listed, and one is deleted', async () => {
  const other = `${repository}-other`;
  await succeeds(copy(layout.name, `docker://${other}:one`, ['--all']));
  await succeeds(copy(layout.name, `docker://${other}:two`));
  const list = async () => {
    const { stdout } = await succeeds(skopeo('list-tags', `--cert-dir=${certificates}`, ...ALICE, `docker://${other}`));
    return JSON.parse(stdout).Tags;
  };
  expect(await list()).toEqual(['one', 'two']);
  await succeeds(skopeo('delete', `--cert-dir=${certificates}`, ...ALICE, `docker://${other}:one`));
  expect(await list()).toEqual(['two']);
});

test('a login is stored and used; after the logout it is gone', async () => {
  const authfile = `--authfile=${join(temporaryFolder(), 'auth.json')}`;
  const login = (password: string) =>
    skopeo('login', authfile, `--cert-dir=${certificates}`, '--username=alice', `--password=${password}`, server.host);
  const refused = await login('not her password');
  expect(refused).toMatchObject({ exitCode: 1 });
  expect(refused.stderr).toContain('invalid username/password');
  await succeeds(login(PASSWORD));
  await succeeds(copy(layout.name, `docker://${repository}:logged-in`, [authfile, '--all'], []));
  await succeeds(skopeo('logout', authfile, server.host));
  const outside = await copy(`docker://${repository}:logged-in`, `dir:${temporaryFolder()}`, [authfile], []);
  expect(outside).toMatchObject({ exitCode: 1 });
  expect(outside.stderr).toContain('unauthorized');
});

test('no one gets in with a wrong password, or into what is not theirs', async () => {
  const target = `${server.host}/alice/closed`;
  const refusals: readonly (readonly [string[], RegExp])[] = [
    [['--creds', 'alice:wrong'], /invalid username\/password/],
    [['--creds', `mallory:${PASSWORD}`], /invalid username\/password/],
    [['--creds', `bob:${PASSWORD}`], /denied|unauthorized/],
    [['--no-creds'], /denied|unauthorized/],
  ];
  for (const [credentials, message] of refusals) {
    const into = await copy(layout.name, `docker://${target}:1`, ['--all'], credentials);
    expect(into).toMatchObject({ exitCode: 1 });
    expect(into.stderr).toMatch(message);
    const out = await copy(`docker://${repository}:multi`, `dir:${temporaryFolder()}`, ['--all'], credentials);
    expect(out).toMatchObject({ exitCode: 1 });
    expect(out.stderr).toMatch(message);
  }
  const tags = await skopeo('list-tags', `--cert-dir=${certificates}`, ...ALICE, `docker://${target}`);
  expect(tags).toMatchObject({ exitCode: 1 });
});

test('signet signs what is in the registry, where no engine is', async () => {
  await succeeds(copy(layout.name, `docker://${repository}:1.0`, ['--all']));
  const asked = run([...signetCommand(), 'login', '--username', 'alice', '--password-stdin', server.host], {
    env: { PATH: process.env.PATH ?? '', HOME: home, DOCKER_HOST: NOWHERE },
    stdin: PASSWORD,
  });
  await succeeds(asked);
  const signed = await succeeds(
    signet('trust', 'sign', '--init', '--remote', `${repository}:multi`, `${repository}:1.0`),
  );
  expect(signed.stderr).toContain(`Signing what the registry holds as ${repository}:multi: ${layout.index.digest}\n`);
  expect(await signedTags()).toEqual(
    new Map([
      ['1.0', layout.index.digest],
      ['multi', layout.index.digest],
    ]),
  );
  expect(releases()).toBe(1);
});

test('signet signs one digest of the registry under a tag', async () => {
  const manifest = layout.manifests.get('arm64')?.digest;
  await succeeds(signet('trust', 'sign', `${repository}:arm@${manifest}`));
  expect((await signedTags()).get('arm')).toBe(manifest);
});

test('signet signs no digest that the registry does not have, and no tag that is not there', async () => {
  const before = await signedTags();
  const unknown = `sha256:${'0123456789abcdef'.repeat(4)}`;
  for (const name of [`${repository}:nothing@${unknown}`, `${repository}:nothing`]) {
    const outcome = await signet('trust', 'sign', '--remote', name);
    expect(outcome).toMatchObject({ exitCode: 1 });
    expect(outcome.stderr).toContain('manifest unknown');
  }
  expect(await signedTags()).toEqual(before);
});
