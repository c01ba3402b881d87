import { beforeAll, expect, test } from 'bun:test';
import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../support/clis.ts';
import { type Outcome, run } from '../support/run.ts';
import { type SignetServer, signetCommand, startSignet } from '../support/signet-server.ts';
import { temporaryFolder } from '../support/temp.ts';

const PASSWORD = 'what alice has chosen';
const ROOT = 'the root of what is signed here';
const REPOSITORY = 'and what is signed with';

/** Some content to sign, which is the manifest of an image for no platform at all, and what `notary list` says of it. */
interface Content {
  readonly bytes: Buffer;
  readonly hex: string;
  readonly size: string;
}

let server: SignetServer;

beforeAll(async () => {
  server = await startSignet();
  await server.addUser('alice', PASSWORD);
}, 60_000);

/** Somebody whom notary and signet serve in the same home: one trust folder, one set of passphrases. */
class Person {
  readonly home = temporaryFolder();
  private readonly login: string;

  constructor(login = `alice:${PASSWORD}`) {
    this.login = Buffer.from(login).toString('base64');
  }

  notary(...words: readonly string[]): Promise<Outcome> {
    const globals = ['--tlscacert', server.authority, '-d', join(this.home, '.docker/trust'), '-s', server.origin];
    return this.run([findProgram('notary'), ...globals, ...words]);
  }

  signet(...words: readonly string[]): Promise<Outcome> {
    return this.run([...signetCommand(), ...words]);
  }

  async loggedIn(): Promise<this> {
    const words = ['login', '--username', 'alice', '--password-stdin', server.host];
    await succeeds(this.run([...signetCommand(), ...words], PASSWORD));
    return this;
  }

  run(command: readonly string[], stdin?: string): Promise<Outcome> {
    const env = {
      PATH: process.env.PATH ?? '',
      HOME: this.home,
      NOTARY_AUTH: this.login,
      NOTARY_ROOT_PASSPHRASE: ROOT,
      NOTARY_TARGETS_PASSPHRASE: REPOSITORY,
      NOTARY_SNAPSHOT_PASSPHRASE: REPOSITORY,
      NOTARY_DELEGATION_PASSPHRASE: REPOSITORY,
      DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE: ROOT,
      DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE: REPOSITORY,
    };
    return run(command, { env, cwd: this.home, ...(stdin === undefined ? {} : { stdin }) });
  }
}

function someContent(): Content {
  const annotations = { random: randomBytes(16).toString('hex') };
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: [], annotations }));
  return { bytes, hex: createHash('sha256').update(bytes).digest('hex'), size: `${bytes.length}` };
}

async function succeeds(outcome: Promise<Outcome>): Promise<Outcome> {
  const ended = await outcome;
  expect(ended).toMatchObject({ exitCode: 0 });
  return ended;
}

function addHash(person: Person, gun: string, tag: string, { hex, size }: Content, ...flags: readonly string[]) {
  return succeeds(person.notary('addhash', gun, tag, size, '--sha256', hex, '-p', ...flags));
}

/** What `signet trust inspect` says: tags with digest and signers. */
async function inspected(person: Person, gun: string): Promise<unknown[]> {
  const { stdout } = await succeeds(person.signet('trust', 'inspect', gun));
  const [{ SignedTags }] = JSON.parse(stdout) as [{ SignedTags: Record<string, unknown>[] }];
  return SignedTags.map(({ SignedTag, Digest, Signers }) => [SignedTag, Digest, Signers]);
}

/** The lines of `notary list`: name, digest, size and role. */
async function listed(person: Person, gun: string): Promise<string[][]> {
  const { stdout } = await succeeds(person.notary('list', gun));
  const lines = stdout.split('\n').slice(2);
  return lines.filter((line) => line !== '').map((line) => line.trim().split(/\s+/));
}

/** Puts content under a tag into the registry, as any client that pushes a manifest does. */
async function pushManifest(repository: string, tag: string, { bytes }: Content): Promise<void> {
  const basic = { authorization: `Basic ${Buffer.from(`alice:${PASSWORD}`).toString('base64')}` };
  const tls = { rejectUnauthorized: false };
  const scope = `repository:${repository}:pull,push`;
  const answer = await fetch(`${server.origin}/auth/token?service=signet&scope=${scope}`, { headers: basic, tls });
  const { token } = (await answer.json()) as { token: string };
  const response = await fetch(`${server.origin}/v2/${repository}/manifests/${tag}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/vnd.oci.image.index.v1+json' },
    body: bytes,
    tls,
  });
  expect(response.status).toBe(201);
}

test('what notary publishes, signet reads, on the same machine and on another', async () => {
  const alice = await new Person().loggedIn();
  const gun = `${server.host}/alice/by-notary`;
  const [one, two] = [someContent(), someContent()];
  await succeeds(alice.notary('init', gun, '-p'));
  await addHash(alice, gun, 'one', one);
  await addHash(alice, gun, 'two', two);
  expect(await listed(alice, gun)).toEqual([
    ['one', one.hex, one.size, 'targets'],
    ['two', two.hex, two.size, 'targets'],
  ]);
  const story = [
    ['one', one.hex, ['Repo Admin']],
    ['two', two.hex, ['Repo Admin']],
  ];
  expect(await inspected(alice, gun)).toEqual(story);
  expect(await inspected(await new Person().loggedIn(), gun)).toEqual(story);

  await succeeds(alice.notary('remove', gun, 'one', '-p'));
  expect(await inspected(alice, gun)).toEqual(story.slice(1));
});

test('what signet signs, notary lists, looks up and verifies', async () => {
  const alice = await new Person().loggedIn();
  const gun = `${server.host}/alice/pushed`;
  const content = someContent();
  await pushManifest('alice/pushed', '1.0', content);
  await succeeds(alice.signet('trust', 'sign', '--remote', `${gun}:1.0`));

  const elsewhere = new Person();
  expect(await listed(elsewhere, gun)).toEqual([['1.0', content.hex, content.size, 'targets/alice']]);
  const found = await succeeds(elsewhere.notary('lookup', gun, '1.0'));
  expect(found.stdout).toBe(`1.0 sha256:${content.hex} ${content.size}\n`);
  const files = { right: content.bytes, wrong: someContent().bytes };
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(elsewhere.home, name), bytes);
  expect(await elsewhere.notary('verify', gun, '1.0', '-q', '-i', 'right')).toMatchObject({ exitCode: 0 });
  expect(await elsewhere.notary('verify', gun, '1.0', '-q', '-i', 'wrong')).toMatchObject({ exitCode: 1 });
  expect(await elsewhere.notary('lookup', gun, '2.0')).toMatchObject({ exitCode: 1 });
});

test('keys that notary rotates bring nothing down', async () => {
  const alice = await new Person().loggedIn();
  const reader = await new Person().loggedIn();
  const gun = `${server.host}/alice/rotated`;
  const contents = [someContent(), someContent(), someContent()] as const;
  await succeeds(alice.notary('init', gun, '-p'));
  await addHash(alice, gun, 'one', contents[0]);
  const story = contents.map(({ hex }, index) => [['one', 'three', 'two'][index], hex, ['Repo Admin']]);
  expect(await inspected(reader, gun)).toEqual(story.slice(0, 1));

  await succeeds(alice.notary('key', 'rotate', gun, 'snapshot', '--server-managed'));
  await addHash(alice, gun, 'three', contents[1]);
  expect(await inspected(reader, gun)).toEqual(story.slice(0, 2));

  await succeeds(alice.notary('key', 'rotate', gun, 'targets'));
  await addHash(alice, gun, 'two', contents[2]);
  expect(await inspected(reader, gun)).toEqual(story);
  expect(await inspected(alice, gun)).toEqual(story);
});

test('delegations made with notary are signed with either, in both roles', async () => {
  const alice = await new Person().loggedIn();
  const gun = `${server.host}/alice/delegated`;
  await succeeds(alice.notary('init', gun, '-p'));
  await succeeds(alice.notary('key', 'rotate', gun, 'snapshot', '--server-managed'));
  const certificate = ['-x509', '-days', '30', '-subj', '/CN=bob', '-keyout', 'bob.pem', '-out', 'bob.crt'];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
  await succeeds(alice.run(['openssl', 'req', '-nodes', '-batch', ...curve, ...certificate]));
  for (const role of ['targets/releases', 'targets/bob']) {
    await succeeds(alice.notary('delegation', 'add', gun, role, 'bob.crt', '--all-paths', '-p'));
  }

  const bob = await new Person().loggedIn();
  await succeeds(bob.run(['install', '-m', '0600', join(alice.home, 'bob.pem'), 'bob.pem']));
  await succeeds(bob.signet('trust', 'key', 'load', '--name', 'bob', 'bob.pem'));
  const [one, two] = [someContent(), someContent()];
  await pushManifest('alice/delegated', 'by-signet', one);
  await succeeds(bob.signet('trust', 'sign', '--remote', `${gun}:by-signet`));
  await addHash(bob, gun, 'by-notary', two, '-r', 'targets/releases', '-r', 'targets/bob');
  const story = [
    ['by-notary', two.hex, ['bob']],
    ['by-signet', one.hex, ['bob']],
  ];
  expect(await inspected(alice, gun)).toEqual(story);
  for (const role of ['targets/releases', 'targets/bob']) {
    const { stdout } = await succeeds(alice.notary('list', gun, '-r', role));
    expect(stdout.match(new RegExp(` ${role}$`, 'gm'))).toHaveLength(2);
  }
});

test('a wrong login is refused, and nothing is read or written', async () => {
  const gun = `${server.host}/alice/by-notary`;
  for (const login of ['alice:wrong', `mallory:${PASSWORD}`]) {
    const person = new Person(login);
    const list = await person.notary('list', gun);
    expect(list).toMatchObject({ exitCode: 1, stdout: expect.not.stringContaining('targets') });
    const init = await person.notary('init', `${server.host}/alice/not-hers`, '-p');
    expect(init).toMatchObject({ exitCode: 1 });
    expect(list.stdout + list.stderr + init.stdout + init.stderr).toContain('unauthorized');
  }
});

test('nobody publishes into what is not theirs', async () => {
  const init = await new Person().notary('init', `${server.host}/bob/app`, '-p');
  expect(init).toMatchObject({ exitCode: 1 });
  expect(init.stderr + init.stdout).toMatch(/not authorized|denied|unauthorized/);
});
