import { beforeAll, expect, test } from 'bun:test';
import { fatal, type Login, Person, SHA256, succeeds } from '../support/notary-client.ts';
import { published } from '../support/published.ts';
import { type SignetServer, startSignet } from '../support/signet-server.ts';

const ALICE = { name: 'alice', password: 'what alice has chosen' };
const READER = { name: 'reader', password: 'the password of reader' };
const WRITER = { name: 'writer', password: 'the password of writer' };
const KEEPER = { name: 'keeper', password: 'the password of keeper' };
const NOBODY = { name: 'nobody', password: 'the password of nobody' };
const REFUSED = 'you are not authorized to perform this operation: server returned 401.';

let server: SignetServer;

beforeAll(async () => {
  server = await startSignet({ args: ['--public-pull', 'alice/public'] });
  for (const { name, password } of [ALICE, READER, WRITER, KEEPER, NOBODY]) await server.addUser(name, password);
  await server.grant('reader', 'alice/*', 'pull');
  await server.grant('writer', 'alice/*', 'push');
  await server.grant('keeper', 'alice/*', 'admin');
}, 60_000);

/** A repository of alice with the target `one`, whose snapshots the server signs. */
async function world(name: string): Promise<{ alice: Person; gun: string }> {
  const alice = new Person(server, { login: ALICE });
  const gun = `${server.host}/alice/${name}`;
  await succeeds(alice.notary('init', gun));
  await succeeds(alice.add(gun, 'one'));
  await succeeds(alice.notary('key', 'rotate', gun, 'snapshot', '-r'));
  return { alice, gun };
}

/** Somebody else with all of the owner's keys: what the server allows is all that he lacks. */
function withKeysOf(owner: Person, login?: Login): Person {
  return new Person(server, login === undefined ? {} : { login }).takeKeysOf(owner);
}

function onServer(gun: string) {
  return published(server, gun, ALICE);
}

async function reads(person: Person, gun: string): Promise<void> {
  expect(await succeeds(person.notary('lookup', gun, 'one'))).toBe(`one sha256:${SHA256} 5\n`);
}

/** Everything that changes the server is refused, and nothing has changed there. */
async function changesNothing(person: Person, gun: string, reason: string): Promise<void> {
  const before = await onServer(gun);
  expect(await fatal(person.add(gun, 'two'))).toBe(reason);
  await succeeds(person.notary('reset', gun, '--all'));
  expect(await fatal(person.notary('init', `${gun}-new`, '-p'))).toEndWith(reason);
  await changesNoKeys(person, gun, reason);
  expect(await onServer(gun)).toEqual(before);
  expect(await onServer(`${gun}-new`)).toBeUndefined();
}

async function changesNoKeys(person: Person, gun: string, reason: string): Promise<void> {
  const before = await onServer(gun);
  expect(await fatal(person.notary('key', 'rotate', gun, 'timestamp', '-r'))).toBe(
    `unable to rotate remote key: ${reason}`,
  );
  expect(await fatal(person.notary('delete', gun, '--remote'))).toBe(reason);
  expect(await onServer(gun)).toEqual(before);
}

test('who may pull reads, and changes nothing, even with all of the keys', async () => {
  const { alice, gun } = await world('pulled');
  const reader = withKeysOf(alice, READER);
  await reads(reader, gun);
  await changesNothing(reader, gun, REFUSED);
});

test('who may push publishes, new keys of his own included, but neither rotates those of the server nor deletes', async () => {
  const { alice, gun } = await world('pushed');
  const writer = withKeysOf(alice, WRITER);
  await succeeds(writer.add(gun, 'two'));
  expect((await onServer(gun))?.sizes()).toEqual({ one: 5, two: 5 });
  await changesNoKeys(writer, gun, REFUSED);
  await succeeds(writer.notary('key', 'rotate', gun, 'targets'));
  expect((await onServer(gun))?.versions).toEqual({ root: 3, targets: 4, snapshot: 5, timestamp: 4 });
});

test('an administrator of the repository does everything', async () => {
  const { alice, gun } = await world('kept');
  const keeper = withKeysOf(alice, KEEPER);
  await succeeds(keeper.add(gun, 'two'));
  await succeeds(keeper.notary('key', 'rotate', gun, 'timestamp', '-r'));
  expect((await onServer(gun))?.versions).toEqual({ root: 3, targets: 3, snapshot: 5, timestamp: 4 });
  await succeeds(keeper.notary('delete', gun, '--remote'));
  expect(await onServer(gun)).toBeUndefined();
});

test('who has no rights does not learn whether the repository is there', async () => {
  const { alice, gun } = await world('private');
  const nobody = withKeysOf(alice, NOBODY);
  expect(await fatal(nobody.notary('list', gun))).toBe(REFUSED);
  expect(await fatal(nobody.notary('list', `${gun}-unknown`))).toBe(REFUSED);
  await changesNothing(nobody, gun, REFUSED);
});

test('who does not log in reads what is public, and nothing else', async () => {
  const { gun } = await world('not-public');
  const { alice, gun: open } = await world('public');
  const stranger = withKeysOf(alice);
  await reads(stranger, open);
  const closed = await stranger.notary('list', gun);
  expect(closed).toMatchObject({ exitCode: 1, stdout: `Enter username: \n* fatal: ${REFUSED}\n` });
  const before = await onServer(open);
  expect(await fatal(stranger.add(open, 'two'))).toBe(REFUSED);
  expect(await onServer(open)).toEqual(before);
});
