import { beforeAll, expect, test } from 'bun:test';
import { copyFileSync, existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fatal, Person, succeeds } from '../support/notary-client.ts';
import { published } from '../support/published.ts';
import { type SignetServer, startSignet } from '../support/signet-server.ts';

const ALICE = { name: 'alice', password: 'what alice has chosen' };
const PASSPHRASES = { root: 'the root of what is signed here', other: 'and what is signed with' };
const SHA256 = 'ab'.repeat(32);
const NO_KEY = '0'.repeat(64);

let server: SignetServer;

beforeAll(async () => {
  server = await startSignet();
  await server.addUser(ALICE.name, ALICE.password);
}, 60_000);

function person(): Person {
  return new Person(server, { login: ALICE, passphrases: PASSPHRASES });
}

/** Somebody with a published repository. */
async function owner(name: string): Promise<{ alice: Person; gun: string }> {
  const [alice, gun] = [person(), `${server.host}/alice/${name}`];
  await succeeds(alice.notary('init', gun, '-p'));
  return { alice, gun };
}

interface Key {
  readonly role: string;
  readonly gun: string;
  readonly id: string;
}

/** The rows of `notary key list`, in its order; it says where each key is as well. */
async function keysOf(someone: Person): Promise<readonly Key[]> {
  const said = await succeeds(someone.notary('key', 'list'));
  if (said === '\nNo signing keys found.\n\n') return [];
  const [, , , ...rows] = said.split('\n');
  return rows
    .filter((row) => row !== '')
    .map((row) => {
      const [, role = '', gun = '', id = ''] = /^(\S+) +(?:(\S+) +)?([0-9a-f]{64}) +\S+\/private$/.exec(row) ?? [];
      return { role, gun, id };
    });
}

/** A GUN as the table shows it, which has 25 columns for it. */
function shown(gun: string): string {
  return gun.length > 25 ? `...${gun.slice(-22)}` : gun;
}

function keyFile(someone: Person, id: string): string {
  return join(someone.trust, 'private', `${id}.key`);
}

/** What notary says of a key that is not here, and of one that it cannot open. */
function unusable(id: string): string {
  return `could not find necessary signing keys, at least one of these keys must be available: ${id}`;
}

/** The names in the headers of the blocks of a file of keys. */
function headersOf(text: string): Record<string, string>[] {
  return text
    .split('-----BEGIN ENCRYPTED PRIVATE KEY-----\n')
    .slice(1)
    .map((block) => Object.fromEntries([...block.matchAll(/^(\w+): (.*)$/gm)].map(([, name, value]) => [name, value])));
}

test('the keys of a repository are those that its root names', async () => {
  const { alice, gun } = await owner('listed');
  const keys = await keysOf(alice);
  expect(keys.map(({ role, gun: of }) => [role, of])).toEqual([
    ['root', ''],
    ['snapshot', shown(gun)],
    ['targets', shown(gun)],
  ]);
  const [, snapshot, targets] = keys;
  const root = await published(server, gun, ALICE);
  expect(root?.keysOf('snapshot')).toEqual([snapshot?.id ?? '']);
  expect(root?.keysOf('targets')).toEqual([targets?.id ?? '']);
  expect(root?.signersOf('snapshot')).toEqual([snapshot?.id ?? '']);
  expect(await keysOf(person())).toEqual([]);
});

test('keys are generated into the store, or into files', async () => {
  const alice = person();
  expect(await fatal(alice.notary('key', 'generate', 'rsa'))).toBe('Algorithm not allowed, possible values are: ECDSA');
  const generated = async (...words: string[]) => {
    const said = await succeeds(alice.notary('key', 'generate', ...words));
    return /^Generated new ecdsa (\S+) key with keyID: ([0-9a-f]{64})\n$/.exec(said)?.slice(1);
  };
  const root = await generated();
  const targets = await generated('ecdsa', '-r', 'targets');
  const bob = await generated('ecdsa', '-r', 'targets/bob');
  expect([root?.[0], targets?.[0], bob?.[0]]).toEqual(['root', 'targets', 'targets/bob']);
  expect(await keysOf(alice)).toEqual(
    [root, targets, bob].map((made) => ({ role: made?.[0] ?? '', gun: '', id: made?.[1] ?? '' })),
  );
  expect(await succeeds(alice.notary('key', 'generate', '-o', 'mine'))).toBe('');
  expect(headersOf(readFileSync(join(alice.home, 'mine-key.pem'), 'utf8'))).toEqual([{ role: 'root' }]);
  expect(readFileSync(join(alice.home, 'mine.pem'), 'utf8')).toStartWith('-----BEGIN PUBLIC KEY-----\nrole: root\n\n');
  for (const name of ['mine.pem', 'mine-key.pem']) expect(statSync(join(alice.home, name)).mode & 0o777).toBe(0o600);
  expect(await keysOf(alice)).toHaveLength(3);
});

test('keys move to another machine, where notary publishes with them and signet revokes', async () => {
  const { alice, gun } = await owner('moved');
  await succeeds(alice.notary('init', `${gun}-other`, '-p'));
  const keys = await keysOf(alice);
  const root = keys[0]?.id ?? '';
  expect(await succeeds(alice.notary('key', 'export', '--gun', gun, '-o', 'ours.pem'))).toBe('');
  expect(await succeeds(alice.notary('key', 'export', '--key', root, '-o', 'root.pem'))).toBe('');
  const ours = keys.filter((key) => key.gun === shown(gun));
  const headers = ours.map(({ role, id }) => ({ gun, path: id, role })).sort((a, b) => (a.path < b.path ? -1 : 1));
  expect(headersOf(readFileSync(join(alice.home, 'ours.pem'), 'utf8'))).toEqual(headers);
  expect(headersOf(await succeeds(alice.notary('key', 'export')))).toHaveLength(5);
  expect(statSync(join(alice.home, 'ours.pem')).mode & 0o777).toBe(0o600);
  expect(await fatal(alice.notary('key', 'export', '--key', root, '--gun', gun))).toBe(
    'Only the --gun or --key flag may be provided, not a mix of the two flags',
  );
  expect(await fatal(alice.notary('key', 'export', 'all'))).toBe('export does not take any positional arguments');

  const laptop = await person().loggedIn();
  for (const name of ['ours.pem', 'root.pem']) copyFileSync(join(alice.home, name), join(laptop.home, name));
  expect(await succeeds(laptop.notary('key', 'import', 'ours.pem', 'root.pem'))).toBe('');
  expect(await keysOf(laptop)).toEqual([{ role: 'root', gun: '', id: root }, ...ours]);
  await succeeds(laptop.notary('addhash', gun, 'from-laptop', '5', '--sha256', SHA256, '-p'));
  expect((await published(server, gun, ALICE))?.sizes()).toEqual({ 'from-laptop': 5 });
  await succeeds(laptop.signet('trust', 'revoke', '--yes', `${gun}:from-laptop`));
  expect((await published(server, gun, ALICE))?.sizes()).toEqual({});
  expect(await fatal(laptop.notary('addhash', `${gun}-other`, 'x', '5', '--sha256', SHA256, '-p'))).toStartWith(
    unusable(''),
  );
});

test('a key of openssl is imported for a role, and an encrypted one only with its name', async () => {
  const alice = person();
  const gun = `${server.host}/alice/imported`;
  const curve = ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'];
  await succeeds(alice.run(['openssl', 'genpkey', ...curve, '-out', 'own.pem']));
  expect(await succeeds(alice.notary('key', 'import', 'own.pem', '-r', 'targets', '-g', gun))).toBe('');
  const [imported, ...rest] = await keysOf(alice);
  expect([imported?.role, imported?.gun, rest]).toEqual(['targets', shown(gun), []]);
  const [header] = headersOf(readFileSync(keyFile(alice, imported?.id ?? ''), 'utf8'));
  expect(header).toEqual({ gun, role: 'targets' });

  await succeeds(alice.notary('init', gun, '-p'));
  await succeeds(alice.notary('key', 'rotate', gun, 'targets', '-k', 'own.pem'));
  await succeeds(alice.notary('addhash', gun, 'one', '5', '--sha256', SHA256, '-p'));
  const now = await published(server, gun, ALICE);
  expect(now?.keysOf('targets')).toEqual([imported?.id ?? '']);
  expect(now?.signersOf('targets')).toEqual([imported?.id ?? '']);

  await succeeds(alice.notary('key', 'generate', '-o', 'mine'));
  expect(await fatal(alice.notary('key', 'import', 'mine-key.pem'))).toBe(
    'failed to import all keys: invalid key pem block',
  );
  expect(await fatal(alice.notary('key', 'import', 'nowhere.pem'))).toBe('open nowhere.pem: no such file or directory');
});

test('a removed key is gone, and what it signed stays', async () => {
  const { alice, gun } = await owner('removed');
  await succeeds(alice.notary('addhash', gun, 'one', '5', '--sha256', SHA256, '-p'));
  const keys = await keysOf(alice);
  const targets = keys.find(({ role }) => role === 'targets')?.id ?? '';
  const question = `\nAre you sure you want to remove ${targets} (role targets) from ${alice.trust}/private?  (yes/no)  \n`;
  const kept = await succeeds(alice.notaryReading('no\n', 'key', 'remove', targets));
  expect(kept).toBe(`${question}Aborting action.\n\n`);
  expect(await keysOf(alice)).toEqual(keys);
  const removed = await succeeds(alice.notaryReading('yes\n', 'key', 'remove', targets));
  expect(removed).toBe(`${question}Deleted ${targets} (role targets) from ${alice.trust}/private.\n\n`);
  expect(existsSync(keyFile(alice, targets))).toBe(false);
  expect(await keysOf(alice)).toEqual(keys.filter(({ id }) => id !== targets));
  expect(await fatal(alice.notaryReading('yes\n', 'key', 'remove', 'abc'))).toBe('invalid key ID provided: abc');
  expect(await fatal(alice.notaryReading('yes\n', 'key', 'remove', NO_KEY))).toBe(`No key with ID ${NO_KEY} found`);

  expect(await fatal(alice.notary('addhash', gun, 'two', '5', '--sha256', SHA256, '-p'))).toBe(unusable(targets));
  expect((await published(server, gun, ALICE))?.sizes()).toEqual({ one: 5 });
});

test('a changed passphrase opens the key, and the old one does not any more', async () => {
  const { alice, gun } = await owner('new-passphrase');
  const targets = (await keysOf(alice)).find(({ role }) => role === 'targets')?.id ?? '';
  const asked = await alice.notaryInTerminal(
    ['key', 'passwd', targets],
    [
      { expect: /Enter passphrase for targets key with ID [0-9a-f]{7}: $/, send: PASSPHRASES.other, isSecret: true },
      { expect: /Enter passphrase for new targets key with ID [0-9a-f]{7}: $/, send: 'short', isSecret: true },
      { expect: /is too short.*new targets key with ID [0-9a-f]{7}: $/s, send: 'quite another one', isSecret: true },
      {
        expect: /Repeat passphrase for new targets key with ID [0-9a-f]{7}: $/,
        send: 'quite another one',
        isSecret: true,
      },
    ],
  );
  expect(asked.exitCode).toBe(0);
  expect(asked.stdout).toEndWith(`Successfully updated passphrase for key ID: ${targets}\n`);

  const publish = ['addhash', gun, 'one', '5', '--sha256', SHA256, '-p'] as const;
  expect(await fatal(alice.notary(...publish))).toBe(unusable(targets));
  expect((await published(server, gun, ALICE))?.sizes()).toEqual({});
  await succeeds(alice.notary('key', 'rotate', gun, 'snapshot', '-r'));
  const knows = new Person(server, { login: ALICE, passphrases: { ...PASSPHRASES, other: 'quite another one' } });
  await succeeds(knows.run(['cp', '-r', join(alice.home, '.docker'), '.']));
  await succeeds(knows.notary(...publish));
  expect((await published(server, gun, ALICE))?.sizes()).toEqual({ one: 5 });
  expect(await fatal(alice.notary('key', 'passwd', NO_KEY))).toBe(
    `could not retrieve local key for key ID provided: ${NO_KEY}`,
  );
});

test('a wrong passphrase publishes nothing', async () => {
  const { alice, gun } = await owner('wrong-passphrase');
  const before = await published(server, gun, ALICE);
  const mistaken = new Person(server, { login: ALICE, passphrases: { root: 'not the one', other: 'nor this one' } });
  await succeeds(mistaken.run(['cp', '-r', join(alice.home, '.docker'), '.']));
  const targets = (await keysOf(alice)).find(({ role }) => role === 'targets')?.id ?? '';
  const publish = ['addhash', gun, 'one', '5', '--sha256', SHA256, '-p'] as const;
  expect(await fatal(mistaken.notary(...publish))).toBe(unusable(targets));
  expect(await fatal(mistaken.notary('key', 'rotate', gun, 'timestamp', '-r'))).toBe(
    'password invalid, operation has failed.',
  );
  expect(await published(server, gun, ALICE)).toEqual(before);
});
