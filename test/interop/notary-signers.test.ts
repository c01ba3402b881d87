import { beforeAll, expect, test } from 'bun:test';
import { change, payloadOf, put, sealed } from '../support/forgery.ts';
import { fatal, type Person, SHA256, succeeds } from '../support/notary-client.ts';
import { accessHeaders, postTrustFiles, readTrustFile } from '../support/published.ts';
import { type SignetServer, startSignet } from '../support/signet-server.ts';
import { ALICE, delegated, targetsOf } from './delegated.ts';

let server: SignetServer;

beforeAll(async () => {
  server = await startSignet();
  await server.addUser(ALICE.name, ALICE.password);
}, 60_000);

test('signers publish into their roles, within their paths', async () => {
  const { alice, gun, reader, onServer, delegate, signer } = await delegated(server, 'signed');
  await delegate('targets/bob', 'bob.crt', 'dave.crt', '--paths', 'bob/', '-p');
  await delegate('targets/releases', 'bob.crt', 'carol.crt', '--all-paths', '-p');
  const [bob, carol, dave] = [await signer('bob'), await signer('carol'), await signer('dave')];

  await succeeds(bob.add(gun, 'bob/1', '-r', 'targets/bob'));
  await succeeds(carol.add(gun, 'v1', '-r', 'targets/releases'));
  await succeeds(dave.add(gun, 'bob/2', '-r', 'targets/bob'));
  await succeeds(bob.add(gun, 'bob/3', '-r', 'targets/bob', '-r', 'targets/releases'));
  await succeeds(alice.add(gun, 'v0'));
  expect(await fatal(bob.add(gun, 'elsewhere', '-r', 'targets/bob'))).toBe('Could not add all targets');
  await succeeds(bob.notary('reset', gun, '--all'));
  expect(await fatal(carol.add(gun, 'bob/4', '-r', 'targets/bob'))).toStartWith(
    'could not find necessary signing keys',
  );
  await succeeds(carol.notary('reset', gun, '--all'));
  const none = 'tuf: invalid role targets/nobody. delegation does not exist';
  expect(await fatal(bob.add(gun, 'x', '-r', 'targets/nobody'))).toBe(none);
  await succeeds(bob.notary('reset', gun, '--all'));
  expect(await fatal(bob.add(gun, 'x', '-r', 'root'))).toBe('tuf: invalid role root. cannot add targets to this role');

  const now = await onServer();
  expect(now.sizes('targets/bob')).toEqual({ 'bob/1': 5, 'bob/2': 5, 'bob/3': 5 });
  expect(now.sizes('targets/releases')).toEqual({ v1: 5, 'bob/3': 5 });
  expect(now.sizes()).toEqual({ v0: 5 });
  expect(now.versions).toMatchObject({ 'targets/bob': 3, 'targets/releases': 2, targets: 5 });
  expect(await targetsOf(reader, gun)).toEqual([
    'bob/1 targets/bob',
    'bob/2 targets/bob',
    'bob/3 targets/bob',
    'v0 targets',
    'v1 targets/releases',
  ]);
  expect(await targetsOf(reader, gun, '-r', 'targets/releases')).toEqual([
    'bob/3 targets/releases',
    'v1 targets/releases',
  ]);
  expect(await succeeds(reader.notary('lookup', gun, 'v1'))).toBe(`v1 sha256:${SHA256} 5\n`);
  await succeeds(carol.notary('remove', gun, 'v1', '-r', 'targets/releases', '-p'));
  expect((await onServer()).sizes('targets/releases')).toEqual({ 'bob/3': 5 });
});

test('signers delegate further, within what they were given', async () => {
  const { gun, reader, onServer, delegate, signer } = await delegated(server, 'nested');
  await delegate('targets/bob', 'bob.crt', '--paths', 'bob/', '-p');
  const [bob, dave] = [await signer('bob'), await signer('dave')];
  await succeeds(bob.notary('delegation', 'add', gun, 'targets/bob/dave', 'dave.crt', '--paths', 'bob/d/', '-p'));
  expect(await fatal(bob.notary('delegation', 'add', gun, 'targets/bob/wide', 'dave.crt', '--paths', 'c/', '-p'))).toBe(
    'tuf: invalid role targets/bob/wide. invalid paths to add to role',
  );
  await succeeds(dave.add(gun, 'bob/d/1', '-r', 'targets/bob/dave'));
  expect(await targetsOf(reader, gun)).toEqual(['bob/d/1 targets/bob/dave']);
  const now = await onServer();
  expect(Object.keys(now.delegationsOf('targets/bob'))).toEqual(['targets/bob/dave']);
  expect(now.sizes('targets/bob/dave')).toEqual({ 'bob/d/1': 5 });
});

test('what a removed signer has signed is not listed any more', async () => {
  const { alice, gun, reader, onServer, delegate, signer } = await delegated(server, 'revoked');
  await delegate('targets/bob', 'bob.crt', 'carol.crt', '--all-paths', '-p');
  const [bob, carol] = [await signer('bob'), await signer('carol')];
  await succeeds(bob.add(gun, 'by-bob', '-r', 'targets/bob'));
  expect(await targetsOf(reader, gun)).toEqual(['by-bob targets/bob']);
  const keyOf = async (person: Person) =>
    /([0-9a-f]{64})/.exec(await succeeds(person.notary('key', 'list')))?.[1] ?? '';
  await succeeds(alice.notary('delegation', 'remove', gun, 'targets/bob', await keyOf(bob), '-p'));
  expect(await targetsOf(reader, gun)).toEqual([]);
  expect(await fatal(bob.add(gun, 'again', '-r', 'targets/bob'))).toStartWith('could not find necessary signing keys');

  await succeeds(carol.notary('witness', gun, 'targets/bob', '-p'));
  expect(await targetsOf(reader, gun)).toEqual(['by-bob targets/bob']);
  expect((await onServer()).versions).toMatchObject({ 'targets/bob': 2 });
});

test('a witness signs what is there as it is', async () => {
  const { gun, onServer, delegate, signer } = await delegated(server, 'witnessed');
  await delegate('targets/bob', 'bob.crt', '--all-paths', '-p');
  const bob = await signer('bob');
  await succeeds(bob.add(gun, 'one', '-r', 'targets/bob'));
  const before = await onServer();
  const marked = 'The following roles were successfully marked for witnessing on the next publish:\n';
  expect(await succeeds(bob.notary('witness', gun, 'targets/bob', '-p'))).toBe(
    `${marked}\t- targets/bob\nAuto-publishing changes to ${gun}\nSuccessfully published changes for repository ${gun}\n`,
  );
  const after = await onServer();
  expect(after.sizes('targets/bob')).toEqual(before.sizes('targets/bob'));
  expect(after.versions).toEqual({ ...before.versions, 'targets/bob': 2, snapshot: 6, timestamp: 5 });
  expect(await fatal(bob.notary('witness', gun))).toBe('Please provide a GUN and at least one role to witness');
  expect(await fatal(bob.notary('witness', gun, 'targets/nobody', '-p'))).toBe(
    'tuf: invalid role targets/nobody. this role is not known',
  );
  expect(await onServer()).toEqual(after);
});

test('a role that needs two signatures takes what both keys sign, and nothing else', async () => {
  const { alice, gun, reader, onServer, delegate, signer } = await delegated(server, 'both');
  await delegate('targets/both', 'bob.crt', 'carol.crt', '--all-paths', '-p');
  await needTwoSignatures(alice, gun);
  expect((await onServer()).delegationsOf()['targets/both']?.threshold).toBe(2);
  const [bob, both] = [await signer('bob'), await signer('carol')];
  const before = await onServer();
  expect(await fatal(bob.add(gun, 'alone', '-r', 'targets/both'))).toMatch(
    /^not enough signing keys: found 1 of 2 needed keys - 1 other possible keys \([0-9a-f]{64}\)$/,
  );
  expect(await onServer()).toEqual(before);

  await succeeds(both.takeKeysOf(bob).add(gun, 'together', '-r', 'targets/both'));
  const now = await onServer();
  expect(now.signersOf('targets/both').toSorted()).toEqual(
    now.delegationsOf()['targets/both']?.keyids.toSorted() ?? [],
  );
  expect(await targetsOf(reader, gun)).toEqual(['together targets/both']);
});

/** Raises the threshold of `targets/both`, for which notary has no command. */
async function needTwoSignatures(alice: Person, gun: string): Promise<void> {
  const access = await accessHeaders(server, gun, ALICE, 'pull,push');
  const stored = (await readTrustFile(server, gun, 'targets.json', access)) ?? Buffer.of();
  const raised = change(['version'], (version) => Number(version) + 1)(payloadOf(stored));
  const key = alice.privateKey('targets');
  const file = sealed(put(['delegations', 'roles', '0', 'threshold'], 2)(raised), [
    { key: key.publicKey, private: key },
  ]);
  expect(await postTrustFiles(server, gun, [['targets', file]], access)).toEqual({ status: 200, text: '' });
}
