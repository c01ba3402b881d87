import { beforeAll, expect, test } from 'bun:test';
import { fatal, type Person, succeeds } from '../support/notary-client.ts';
import { type SignetServer, startSignet } from '../support/signet-server.ts';
import { ALICE, delegated, targetsOf } from './delegated.ts';

let server: SignetServer;

beforeAll(async () => {
  server = await startSignet();
  await server.addUser(ALICE.name, ALICE.password);
}, 60_000);

interface Row {
  readonly role: string;
  readonly paths: readonly string[];
  readonly keys: readonly string[];
  readonly threshold: string;
}

/** The rows of `notary delegation list`; the paths and keys of one role stand below each other. */
async function delegationsOf(person: Person, gun: string): Promise<readonly Row[]> {
  const [, head = '', , ...lines] = (await succeeds(person.notary('delegation', 'list', gun))).split('\n');
  const columns = ['ROLE', 'PATHS', 'KEY IDS', 'THRESHOLD'].map((title) => head.indexOf(title));
  const rows: { role: string; paths: string[]; keys: string[]; threshold: string }[] = [];
  for (const line of lines.filter((text) => text !== '')) {
    const [role = '', path = '', key = '', threshold = ''] = columns.map((start, index) =>
      line.slice(start, columns[index + 1]).trim(),
    );
    if (role !== '') rows.push({ role, paths: [], keys: [], threshold });
    if (path !== '') rows.at(-1)?.paths.push(path);
    if (key !== '') rows.at(-1)?.keys.push(key);
  }
  return rows;
}

function staged(role: string, gun: string, what: string): string {
  return `\nAddition of delegation role ${role} with ${what}, to repository "${gun}" staged for next publish.\n\n`;
}

test('delegations are added with several keys and paths, in one publish or in many', async () => {
  const { alice, gun, reader, onServer, delegate } = await delegated(server, 'added');
  expect(await succeeds(alice.notary('delegation', 'list', gun))).toBe(
    '\n\nNo delegations present in this repository.\n\n\n',
  );
  const said = await delegate('targets/bob', 'bob.crt', '--paths', 'bob/,b-');
  const [, id = ''] = /keys \[([0-9a-f]{64})\]/.exec(said) ?? [];
  expect(said).toBe(staged('targets/bob', gun, `keys [${id}], with paths [b-\nbob/]`));
  await delegate('targets/bob', 'carol.crt', 'dave.crt');
  expect(await delegate('targets/releases', 'bob.crt', '--all-paths')).toBe(
    staged('targets/releases', gun, `keys [${id}], with paths ["" <all paths>]`),
  );
  expect((await onServer()).delegationsOf()).toEqual({});
  await succeeds(alice.notary('publish', gun));

  const now = await onServer();
  expect(now.versions).toEqual({ root: 2, targets: 3, snapshot: 4, timestamp: 3 });
  const { 'targets/bob': bob, 'targets/releases': releases, ...others } = now.delegationsOf();
  expect(others).toEqual({});
  expect({ ...bob, keyids: bob?.keyids.length }).toEqual({ keyids: 3, paths: ['bob/', 'b-'], threshold: 1 });
  expect({ ...releases, keyids: releases?.keyids.length }).toEqual({ keyids: 1, paths: [''], threshold: 1 });
  const rows = await delegationsOf(reader, gun);
  expect(rows.map(({ role, paths, threshold }) => [role, paths, threshold])).toEqual([
    ['targets/bob', ['b-', 'bob/'], '1'],
    ['targets/releases', ['"" <all paths>'], '1'],
  ]);
  expect(rows[0]?.keys).toHaveLength(3);
  expect(rows[0]?.keys).toContain(id);
  expect(rows[1]?.keys).toEqual([id]);
});

test('a delegation without a key, with a bad name or with what is no key', async () => {
  const { alice, gun, onServer } = await delegated(server, 'refused');
  const before = await onServer();
  const refused = (role: string, ...words: string[]) =>
    fatal(alice.notary('delegation', 'add', gun, role, ...words, '--all-paths', '-p'));
  expect(await refused('targets/UPPER', 'bob.crt')).toBe(
    'failed to create delegation: tuf: invalid role targets/UPPER. invalid delegation role name',
  );
  expect(await refused('targets/x', 'nowhere.crt')).toBe('file for public key does not exist: nowhere.crt');
  expect(await refused('targets/x', 'bob.pem')).toBe(
    'unable to parse valid public key certificate from PEM file bob.pem: unsupported PEM block type "PRIVATE KEY", expected CERTIFICATE or PUBLIC KEY',
  );
  expect(await refused('targets/keyless')).toStartWith('tuf: invalid role ');
  expect(await onServer()).toEqual(before);
});

test('keys, paths and whole delegations are removed', async () => {
  const { alice, gun, onServer, delegate } = await delegated(server, 'removed');
  await delegate('targets/bob', 'bob.crt', 'carol.crt', '--paths', 'a/,b/', '-p');
  await delegate('targets/releases', 'bob.crt', '--all-paths', '-p');
  const [row] = await delegationsOf(alice, gun);
  const [first = '', second = ''] = row?.keys ?? [];
  const removal = (what: string) =>
    `\nRemoval of delegation role targets/bob with ${what}, to repository "${gun}" staged for next publish.\n\n`;
  const remove = (...words: string[]) => alice.notary('delegation', 'remove', gun, 'targets/bob', ...words);

  expect(await succeeds(remove(first))).toBe(removal(`keys [${first}]`));
  expect(await succeeds(remove('--paths', 'a/'))).toBe(removal('paths [a/]'));
  await succeeds(alice.notary('publish', gun));
  expect((await delegationsOf(alice, gun))[0]).toEqual({
    ...row,
    role: 'targets/bob',
    paths: ['b/'],
    keys: [second],
    threshold: '1',
  });
  expect(Object.keys((await onServer()).delegationsOf())).toEqual(['targets/bob', 'targets/releases']);

  const question = '\nAre you sure you want to remove all data for this delegation? (yes/no)\n';
  const forced = `\nForced removal (including all keys and paths) of delegation role targets/bob to repository "${gun}" staged for next publish.\n\n`;
  expect(await fatal(alice.notaryReading('no\n', 'delegation', 'remove', gun, 'targets/bob'))).toBe('Aborting action.');
  expect(await succeeds(alice.notaryReading('yes\n', 'delegation', 'remove', gun, 'targets/bob'))).toBe(
    question + forced,
  );
  await succeeds(alice.notary('reset', gun, '--all'));
  expect(await succeeds(remove('-y'))).toBe(`${question}Confirmed \`yes\` from flag\n${forced}`);
  await succeeds(alice.notary('publish', gun));
  expect((await delegationsOf(alice, gun)).map(({ role }) => role)).toEqual(['targets/releases']);
  expect(Object.keys((await onServer()).delegationsOf())).toEqual(['targets/releases']);
});

test('a purged key is gone from every delegation', async () => {
  const { alice, gun, reader, onServer, delegate } = await delegated(server, 'purged');
  await delegate('targets/bob', 'bob.crt', 'carol.crt', '--all-paths', '-p');
  await delegate('targets/releases', 'bob.crt', '--all-paths', '-p');
  const [row, releases] = await delegationsOf(alice, gun);
  const bob = releases?.keys[0] ?? '';
  const carol = row?.keys.find((id) => id !== bob) ?? '';
  expect(await fatal(alice.notary('delegation', 'purge', gun))).toBe(
    'Please provide at least one key ID to be removed using the --key flag',
  );
  expect(await succeeds(alice.notary('delegation', 'purge', gun, '--key', bob))).toBe(
    `Removal of the following keys from all delegations in ${gun} staged for next publish:\n\t- ${bob}\n`,
  );
  await succeeds(alice.notary('publish', gun));
  const after = await delegationsOf(alice, gun);
  expect(after.map(({ role, keys }) => [role, keys])).toEqual([
    ['targets/bob', [carol]],
    ['targets/releases', []],
  ]);
  expect((await onServer()).delegationsOf()['targets/releases']).toMatchObject({ threshold: 1, paths: [''] });
  await succeeds(alice.add(gun, 'still-works'));
  expect(await targetsOf(reader, gun)).toEqual(['still-works targets']);
});
