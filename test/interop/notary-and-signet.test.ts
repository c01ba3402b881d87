import { beforeAll, expect, test } from 'bun:test';
import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Person, succeeds } from '../support/notary-client.ts';
import { accessHeaders } from '../support/published.ts';
import { type SignetServer, startSignet } from '../support/signet-server.ts';

const ALICE = { name: 'alice', password: 'what alice has chosen' };

/** Some content to sign, which is the manifest of an image for no platform at all, and what `notary list` says of it. */
interface Content {
  readonly bytes: Buffer;
  readonly hex: string;
  readonly size: string;
}

let server: SignetServer;

beforeAll(async () => {
  server = await startSignet();
  await server.addUser(ALICE.name, ALICE.password);
}, 60_000);

function someContent(): Content {
  const annotations = { random: randomBytes(16).toString('hex') };
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: [], annotations }));
  return { bytes, hex: createHash('sha256').update(bytes).digest('hex'), size: `${bytes.length}` };
}

function addHash(person: Person, gun: string, tag: string, { hex, size }: Content, ...flags: readonly string[]) {
  return succeeds(person.notary('addhash', gun, tag, size, '--sha256', hex, '-p', ...flags));
}

/** What `signet trust inspect` says: tags with digest and signers. */
async function inspected(person: Person, gun: string): Promise<unknown[]> {
  const stdout = await succeeds(person.signet('trust', 'inspect', gun));
  const [{ SignedTags }] = JSON.parse(stdout) as [{ SignedTags: Record<string, unknown>[] }];
  return SignedTags.map(({ SignedTag, Digest, Signers }) => [SignedTag, Digest, Signers]);
}

/** The lines of `notary list`: name, digest, size and role. */
async function listed(person: Person, gun: string): Promise<string[][]> {
  const stdout = await succeeds(person.notary('list', gun));
  const lines = stdout.split('\n').slice(2);
  return lines.filter((line) => line !== '').map((line) => line.trim().split(/\s+/));
}

/** Puts content under a tag into the registry, as any client that pushes a manifest does. */
async function pushManifest(repository: string, tag: string, { bytes }: Content): Promise<void> {
  const headers = await accessHeaders(server, repository, ALICE, 'pull,push');
  const response = await fetch(`${server.origin}/v2/${repository}/manifests/${tag}`, {
    method: 'PUT',
    headers: { ...headers, 'content-type': 'application/vnd.oci.image.index.v1+json' },
    body: bytes,
    tls: { ca: Bun.file(server.authority) },
  });
  expect(response.status).toBe(201);
}

test('what notary publishes, signet reads, on the same machine and on another', async () => {
  const alice = await new Person(server, { login: ALICE }).loggedIn();
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
  expect(await inspected(await new Person(server, { login: ALICE }).loggedIn(), gun)).toEqual(story);

  await succeeds(alice.notary('remove', gun, 'one', '-p'));
  expect(await inspected(alice, gun)).toEqual(story.slice(1));
});

test('what signet signs, notary lists, looks up and verifies', async () => {
  const alice = await new Person(server, { login: ALICE }).loggedIn();
  const gun = `${server.host}/alice/pushed`;
  const content = someContent();
  await pushManifest('alice/pushed', '1.0', content);
  await succeeds(alice.signet('trust', 'sign', '--init', '--remote', `${gun}:1.0`));

  const elsewhere = new Person(server, { login: ALICE });
  expect(await listed(elsewhere, gun)).toEqual([['1.0', content.hex, content.size, 'targets/alice']]);
  const found = await succeeds(elsewhere.notary('lookup', gun, '1.0'));
  expect(found).toBe(`1.0 sha256:${content.hex} ${content.size}\n`);
  const files = { right: content.bytes, wrong: someContent().bytes };
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(elsewhere.home, name), bytes);
  expect(await elsewhere.notary('verify', gun, '1.0', '-q', '-i', 'right')).toMatchObject({ exitCode: 0 });
  expect(await elsewhere.notary('verify', gun, '1.0', '-q', '-i', 'wrong')).toMatchObject({ exitCode: 1 });
  expect(await elsewhere.notary('lookup', gun, '2.0')).toMatchObject({ exitCode: 1 });
});

test('keys that notary rotates bring nothing down', async () => {
  const alice = await new Person(server, { login: ALICE }).loggedIn();
  const reader = await new Person(server, { login: ALICE }).loggedIn();
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
  const alice = await new Person(server, { login: ALICE }).loggedIn();
  const gun = `${server.host}/alice/delegated`;
  await succeeds(alice.notary('init', gun, '-p'));
  await succeeds(alice.notary('key', 'rotate', gun, 'snapshot', '--server-managed'));
  const certificate = ['-x509', '-days', '30', '-subj', '/CN=bob', '-keyout', 'bob.pem', '-out', 'bob.crt'];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
  await succeeds(alice.run(['openssl', 'req', '-nodes', '-batch', ...curve, ...certificate]));
  for (const role of ['targets/releases', 'targets/bob']) {
    await succeeds(alice.notary('delegation', 'add', gun, role, 'bob.crt', '--all-paths', '-p'));
  }

  const bob = await new Person(server, { login: ALICE }).loggedIn();
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
    const stdout = await succeeds(alice.notary('list', gun, '-r', role));
    expect(stdout.match(new RegExp(` ${role}$`, 'gm'))).toHaveLength(2);
  }
});
