import { beforeAll, expect, test } from 'bun:test';
import { createPublicKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fatal, Person, type PersonOptions, succeeds } from '../support/notary-client.ts';
import { accessHeaders, published, readTrustFile } from '../support/published.ts';
import { type SignetServer, startSignet } from '../support/signet-server.ts';

const ALICE = { name: 'alice', password: 'what alice has chosen' };
const ROTATIONS = 4;
const QUESTION =
  'Warning: you are about to rotate your root key.\n\nYou must use your old key to sign this root rotation.\n' +
  'Are you sure you want to proceed?  (yes/no)  ';

let server: SignetServer;

beforeAll(async () => {
  server = await startSignet();
  await server.addUser(ALICE.name, ALICE.password);
}, 60_000);

/** An owner with a published repository that has the target `one`, and a reader who has seen it. */
async function world(name: string, options: PersonOptions = {}) {
  const [alice, reader] = [new Person(server, { login: ALICE, ...options }), new Person(server, { login: ALICE })];
  const gun = `${server.host}/alice/${name}`;
  await succeeds(alice.notary('init', gun));
  await succeeds(alice.add(gun, 'one'));
  await succeeds(reader.notary('list', gun));
  return { alice, reader, gun };
}

/** The collection on the server, which is there. */
async function onServer(gun: string) {
  const found = await published(server, gun, ALICE);
  if (found === undefined) throw new Error(`${gun} is not published`);
  return found;
}

async function namesThat(person: Person, gun: string): Promise<string[]> {
  const [, , ...rows] = (await succeeds(person.notary('list', gun))).trimEnd().split('\n');
  return rows.map((row) => row.split(' ')[0] ?? '');
}

function rotated(role: string, gun: string): string {
  return `Successfully rotated ${role} key for repository ${gun}\n`;
}

test('the targets key is replaced, and only the new one signs', async () => {
  const { alice, reader, gun } = await world('targets');
  const before = await onServer(gun);
  expect(await succeeds(alice.notary('key', 'rotate', gun, 'targets'))).toBe(rotated('targets', gun));
  const after = await onServer(gun);
  expect(after.versions).toEqual({ root: 2, targets: 3, snapshot: 3, timestamp: 2 });
  expect(after.keysOf('targets')).toHaveLength(1);
  expect(after.keysOf('targets')).not.toEqual(before.keysOf('targets'));
  expect(after.signersOf('targets')).toEqual(after.keysOf('targets'));
  expect(after.sizes()).toEqual({ one: 5 });
  await succeeds(alice.add(gun, 'two'));
  expect(await namesThat(reader, gun)).toEqual(['one', 'two']);
  const keys = await succeeds(alice.notary('key', 'list'));
  expect(keys).toContain(after.keysOf('targets')[0] ?? '');
  expect(keys).not.toContain(before.keysOf('targets')[0] ?? '');
});

test('the snapshot key goes to the server, changes there, and comes back', async () => {
  const { alice, reader, gun } = await world('snapshot');
  const owners = await onServer(gun);
  expect(await succeeds(alice.notary('key', 'rotate', gun, 'snapshot', '-r'))).toBe(rotated('snapshot', gun));
  const servers = await onServer(gun);
  expect(servers.versions).toEqual({ root: 2, targets: 2, snapshot: 3, timestamp: 2 });
  expect(servers.keysOf('snapshot')).not.toEqual(owners.keysOf('snapshot'));
  expect(await succeeds(alice.notary('key', 'list'))).not.toMatch(/^snapshot /m);
  await succeeds(alice.add(gun, 'two'));

  await succeeds(alice.notary('key', 'rotate', gun, 'snapshot', '--server-managed'));
  const next = await onServer(gun);
  expect(next.keysOf('snapshot')).not.toEqual(servers.keysOf('snapshot'));
  expect(next.signersOf('snapshot')).toEqual(next.keysOf('snapshot'));
  await succeeds(alice.add(gun, 'three'));

  await succeeds(alice.notary('key', 'rotate', gun, 'snapshot'));
  const back = await onServer(gun);
  expect(await succeeds(alice.notary('key', 'list'))).toContain(back.keysOf('snapshot')[0] ?? 'none');
  await succeeds(alice.add(gun, 'four'));
  const last = await onServer(gun);
  expect(last.signersOf('snapshot')).toEqual(back.keysOf('snapshot'));
  expect(last.versions).toEqual({ root: 4, targets: 5, snapshot: 8, timestamp: 7 });
  expect(await namesThat(reader, gun)).toEqual(['four', 'one', 'three', 'two']);
});

test('the timestamp key changes on the server', async () => {
  const { alice, reader, gun } = await world('timestamp');
  const before = await onServer(gun);
  const forbidden = 'notary does not permit the client managing the timestamp key';
  expect(await fatal(alice.notary('key', 'rotate', gun, 'timestamp'))).toBe(forbidden);
  expect(await onServer(gun)).toEqual(before);
  expect(await succeeds(alice.notary('key', 'rotate', gun, 'timestamp', '-r'))).toBe(rotated('timestamp', gun));
  const after = await onServer(gun);
  expect(after.keysOf('timestamp')).not.toEqual(before.keysOf('timestamp'));
  expect(after.signersOf('timestamp')).toEqual(after.keysOf('timestamp'));
  expect(after.versions).toEqual({ root: 2, targets: 2, snapshot: 3, timestamp: 2 });
  await succeeds(alice.add(gun, 'two'));
  expect(await namesThat(reader, gun)).toEqual(['one', 'two']);
});

test('one who was away for many root keys catches up, with notary and with signet', async () => {
  const { alice, reader, gun } = await world('root');
  const signet = await new Person(server, { login: ALICE }).loggedIn();
  await succeeds(signet.signet('trust', 'inspect', gun));
  const first = await onServer(gun);
  for (let count = 1; count <= ROTATIONS; count++) {
    const said = await succeeds(alice.notaryReading('yes\n', 'key', 'rotate', gun, 'root'));
    expect(said).toBe(`${QUESTION}${rotated('root', gun)}`);
  }
  const last = await onServer(gun);
  expect(last.versions).toEqual({ root: 1 + ROTATIONS, targets: 2, snapshot: 2 + ROTATIONS, timestamp: 1 + ROTATIONS });
  expect(last.keysOf('root')).toHaveLength(1);
  expect(last.keysOf('root')).not.toEqual(first.keysOf('root'));
  const headers = await accessHeaders(server, gun, ALICE, 'pull');
  for (let version = 1; version <= 1 + ROTATIONS; version++) {
    const root = await readTrustFile(server, gun, `${version}.root.json`, headers);
    expect(JSON.parse(root?.toString() ?? '{}').signed.version).toBe(version);
  }
  await succeeds(alice.add(gun, 'two'));
  expect(await namesThat(reader, gun)).toEqual(['one', 'two']);
  expect(await namesThat(new Person(server, { login: ALICE }), gun)).toEqual(['one', 'two']);
  const [{ SignedTags, AdministrativeKeys }] = JSON.parse(await succeeds(signet.signet('trust', 'inspect', gun)));
  expect(SignedTags.map(({ SignedTag }: { SignedTag: string }) => SignedTag)).toEqual(['one', 'two']);
  const root = AdministrativeKeys.find(({ Name }: { Name: string }) => Name === 'Root');
  expect(root.Keys).toEqual(last.keysOf('root').map((ID) => ({ ID })));
});

test('a root key of a file becomes the next root key', async () => {
  const { alice, reader, gun } = await world('root-of-file', {
    passphrases: { root: 'one for all of them', other: 'one for all of them' },
  });
  await succeeds(alice.notary('key', 'generate', '-o', 'next'));
  const rotate = ['key', 'rotate', gun, 'root', '-k', 'next-key.pem'] as const;
  expect(await succeeds(alice.notaryReading('yes\n', ...rotate))).toEndWith(rotated('root', gun));
  const now = await onServer(gun);
  const { keyval } = now.payload('root').keys[now.keysOf('root')[0] ?? ''] ?? { keyval: { public: '' } };
  const spki = readFileSync(join(alice.home, 'next.pem'), 'utf8').replace('role: root\n\n', '');
  const certificate = new X509Certificate(Buffer.from(keyval.public, 'base64'));
  expect(certificate.publicKey.equals(createPublicKey(spki))).toBe(true);
  expect(await namesThat(reader, gun)).toEqual(['one']);
});

test('a root key is kept where its owner does not confirm', async () => {
  const { alice, gun } = await world('root-kept');
  const before = await onServer(gun);
  for (const stdin of ['no\n', '', 'perhaps\n']) {
    const said = await succeeds(alice.notaryReading(stdin, 'key', 'rotate', gun, 'root'));
    expect(said).toBe(`${QUESTION}\nAborting action.\n`);
  }
  expect(await onServer(gun)).toEqual(before);
});

test('all keys at once, and an old client still knows the way', async () => {
  const { alice, reader, gun } = await world('all');
  for (const role of ['timestamp', 'snapshot']) await succeeds(alice.notary('key', 'rotate', gun, role, '-r'));
  await succeeds(alice.notary('key', 'rotate', gun, 'targets'));
  await succeeds(alice.notaryReading('yes\n', 'key', 'rotate', gun, 'root'));
  for (const role of ['snapshot', 'timestamp']) await succeeds(alice.notary('key', 'rotate', gun, role, '-r'));
  await succeeds(alice.add(gun, 'two'));
  expect((await onServer(gun)).versions).toEqual({ root: 7, targets: 4, snapshot: 9, timestamp: 8 });
  expect(await namesThat(reader, gun)).toEqual(['one', 'two']);
});

test('roles whose keys do not rotate like that', async () => {
  const { alice, gun } = await world('refused');
  const before = await onServer(gun);
  const rotate = (...words: string[]) => fatal(alice.notary('key', 'rotate', gun, ...words));
  expect(await rotate('targets', '-r')).toBe('notary does not permit the server managing the targets key');
  expect(await rotate('targets/bob')).toBe('notary does not currently permit rotating the targets/bob key');
  expect(await onServer(gun)).toEqual(before);
});

test('a root key that is not here cannot be replaced', async () => {
  const { alice, gun } = await world('no-root-key');
  const before = await onServer(gun);
  const [, id = ''] = /^root +(\w{64}) /m.exec(await succeeds(alice.notary('key', 'list'))) ?? [];
  await succeeds(alice.notaryReading('yes\n', 'key', 'remove', id));
  const missing = `signing keys not available: need 1 keys from 1 possible keys (${id})`;
  expect(await fatal(alice.notary('key', 'rotate', gun, 'targets'))).toBe(missing);
  expect(await fatal(alice.notaryReading('yes\n', 'key', 'rotate', gun, 'root'))).toEndWith(missing);
  expect(await onServer(gun)).toEqual(before);
});
