import { beforeAll, expect, test } from 'bun:test';
import { createPublicKey, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fatal, Person, SHA256, succeeds } from '../support/notary-client.ts';
import { published } from '../support/published.ts';
import { type SignetServer, startSignet } from '../support/signet-server.ts';
import { listing, said } from './notary-texts.ts';

const ALICE = { name: 'alice', password: 'what alice has chosen' };
const SHA512 = 'cd'.repeat(64);
const HELLO = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824';

let server: SignetServer;

beforeAll(async () => {
  server = await startSignet();
  await server.addUser(ALICE.name, ALICE.password);
}, 60_000);

/** Somebody with files to sign, and the name of a repository of his own. */
function world(name: string): { alice: Person; gun: string } {
  const alice = new Person(server, { login: ALICE });
  writeFileSync(join(alice.home, 'hello'), 'hello');
  writeFileSync(join(alice.home, 'hallo'), 'hallo');
  return { alice, gun: `${server.host}/alice/${name}` };
}

function onServer(gun: string) {
  return published(server, gun, ALICE);
}

test('init stays on this machine until it is published', async () => {
  const { alice, gun } = world('plain');
  expect(await fatal(alice.notary('list', gun))).toBe(`${server.host} does not have trust data for ${gun}`);
  expect(await succeeds(alice.notary('init', gun))).toBe('');
  expect(await onServer(gun)).toBeUndefined();
  expect(await succeeds(alice.notary('status', gun))).toBe(said.noChanges(gun));
  expect(await succeeds(alice.notary('publish', gun))).toBe(`Pushing changes to ${gun}\n${said.published(gun)}`);
  const first = await onServer(gun);
  expect(first?.versions).toEqual({ root: 1, targets: 2, snapshot: 2, timestamp: 1 });
  expect(first?.sizes()).toEqual({});
  expect(await succeeds(alice.notary('list', gun))).toBe(said.noTargets);
});

test('init -p publishes at once, with the root key that is here already', async () => {
  const { alice, gun } = world('at-once');
  expect(await succeeds(alice.notary('init', gun, '-p'))).toBe(said.publishedAtOnce(gun));
  expect((await onServer(gun))?.versions).toEqual({ root: 1, targets: 2, snapshot: 2, timestamp: 1 });
  const [, id] = /^root +(\w{64}) /m.exec(await succeeds(alice.notary('key', 'list'))) ?? [];
  expect(await succeeds(alice.notary('init', `${gun}-2`, '-p'))).toBe(
    `Root key found, using: ${id}\n${said.publishedAtOnce(`${gun}-2`)}`,
  );
  expect(await fatal(alice.notary('init'))).toBe('Must specify a GUN');
});

test('a repository that someone has already is not replaced', async () => {
  const { alice, gun } = world('taken');
  await succeeds(alice.notary('init', gun, '-p'));
  const before = await onServer(gun);
  const other = new Person(server, { login: ALICE });
  expect(await fatal(other.notary('init', gun, '-p'))).toBe(
    'could not rotate trust to a new trusted root: failed to validate data with current trusted certificates',
  );
  expect(await onServer(gun)).toEqual(before);
});

test('init --rootkey signs with the key of a file', async () => {
  const gun = `${server.host}/alice/own-key`;
  const passphrases = { root: 'one for all of them', other: 'one for all of them' };
  const alice = new Person(server, { login: ALICE, passphrases });
  await succeeds(alice.notary('key', 'generate', '-o', 'mine'));
  expect(await succeeds(alice.notary('init', gun, '--rootkey', 'mine-key.pem', '-p'))).toEndWith(
    said.publishedAtOnce(gun),
  );
  const spki = readFileSync(join(alice.home, 'mine.pem'), 'utf8').replace('role: root\n\n', '');
  expect((await rootKeyOf(gun)).equals(createPublicKey(spki))).toBe(true);
  await succeeds(
    alice.run(['openssl', 'genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', 'bare.pem']),
  );
  const refused = alice.notary('init', `${gun}-bare`, '--rootkey', 'bare.pem', '-p');
  expect(await fatal(refused)).toBe('only encrypted root keys may be imported');
  expect(await onServer(`${gun}-bare`)).toBeUndefined();
});

test('init --rootcert takes a certificate of its owner', async () => {
  const passphrases = { root: 'one for all of them', other: 'one for all of them' };
  const alice = new Person(server, { login: ALICE, passphrases });
  const gun = `${server.host}/alice/own-certificate`;
  await succeeds(alice.notary('key', 'generate', '-o', 'mine'));
  const key = readFileSync(join(alice.home, 'mine-key.pem'), 'utf8').replace('role: root\n\n', '');
  writeFileSync(join(alice.home, 'plain.pem'), key);
  const request = [
    '-key',
    'plain.pem',
    '-passin',
    'env:NOTARY_ROOT_PASSPHRASE',
    '-days',
    '3650',
    '-subj',
    `/CN=${gun.replaceAll('/', '\\/')}`,
  ];
  await succeeds(
    alice.run(['openssl', 'req', '-x509', '-batch', '-extensions', 'usr_cert', ...request, '-out', 'mine.crt']),
  );
  const init = (name: string, ...words: string[]) => alice.notary('init', name, '--rootcert', 'mine.crt', ...words);

  expect(await fatal(init(gun, '-p'))).toStartWith('error initializing repository with certificate: ');
  expect(await onServer(gun)).toBeUndefined();
  expect(await succeeds(init(gun, '--rootkey', 'mine-key.pem', '-p'))).toEndWith(said.publishedAtOnce(gun));
  expect((await rootCertificate(gun)).fingerprint256).toBe(
    new X509Certificate(readFileSync(join(alice.home, 'mine.crt'))).fingerprint256,
  );
  await succeeds(alice.add(gun, 'one'));
  expect((await onServer(gun))?.sizes()).toEqual({ one: 5 });

  await succeeds(init(`${gun}-else`, '--rootkey', 'mine-key.pem'));
  expect(await fatal(alice.notary('publish', `${gun}-else`))).toBe(
    'could not validate the path to a trusted root: unable to retrieve valid leaf certificates',
  );
  expect(await onServer(`${gun}-else`)).toBeUndefined();
});

async function rootCertificate(gun: string): Promise<X509Certificate> {
  const root = await onServer(gun);
  const [id = ''] = root?.keysOf('root') ?? [];
  const key = root?.payload('root').keys[id];
  expect(key?.keytype).toBe('ecdsa-x509');
  return new X509Certificate(Buffer.from(key?.keyval.public ?? '', 'base64'));
}

async function rootKeyOf(gun: string) {
  return (await rootCertificate(gun)).publicKey;
}

test('changes are staged, shown, taken back, and published together', async () => {
  const { alice, gun } = world('staged');
  await succeeds(alice.notary('init', gun, '-p'));
  const before = await onServer(gun);
  const staged = (name: string) => `Addition of target "${name}" to repository "${gun}" staged for next publish.\n`;
  expect(await succeeds(alice.notary('add', gun, 'one', 'hello'))).toBe(staged('one'));
  expect(await succeeds(alice.notary('addhash', gun, 'two', '0x10', '--sha256', SHA256))).toBe(
    `Addition of target "two" by sha256 hash to repository "${gun}" staged for next publish.\n`,
  );
  expect(await succeeds(alice.notary('addhash', gun, 'three', '7', '--sha256', SHA256, '--sha512', SHA512))).toMatch(
    /^Addition of target "three" by (sha256, sha512|sha512, sha256) hash to repository /,
  );
  await succeeds(alice.notary('add', gun, 'four', 'hallo'));
  expect(await succeeds(alice.notary('remove', gun, 'five'))).toBe(
    `Removal of five from ${gun} staged for next publish.\n`,
  );
  const rows = ['one', 'two', 'three', 'four'].map(
    (name, index) => `${index}    create    targets    target    ${name}`,
  );
  const head = ['#    ACTION    SCOPE      TYPE      PATH', '-    ------    -----      ----      ----'];
  const shown = [
    `Unpublished changes for ${gun}:`,
    '',
    ...head,
    ...rows,
    '4    delete    targets    target    five',
    '',
  ];
  expect(await succeeds(alice.notary('status', gun))).toBe(shown.join('\n'));
  expect(await onServer(gun)).toEqual(before);

  expect(await fatal(alice.notary('reset', gun))).toBe('Must specify changes to reset with -n or the --all flag');
  const wasReset = `Successfully reset specified changes for repository ${gun}\n`;
  expect(await succeeds(alice.notary('reset', gun, '-n', '0,4'))).toBe(wasReset);
  await succeeds(alice.notary('publish', gun));
  const after = await onServer(gun);
  expect(after?.sizes()).toEqual({ two: 16, three: 7, four: 5 });
  expect(after?.versions).toEqual({ root: 1, targets: 3, snapshot: 3, timestamp: 2 });
  expect(await succeeds(alice.notary('status', gun))).toBe(said.noChanges(gun));

  await succeeds(alice.notary('remove', gun, 'two'));
  expect(await succeeds(alice.notary('reset', gun, '--all'))).toBe(wasReset);
  expect(await succeeds(alice.notary('status', gun))).toBe(said.noChanges(gun));
  await succeeds(alice.notary('publish', gun));
  expect((await onServer(gun))?.versions).toEqual({ root: 1, targets: 3, snapshot: 4, timestamp: 3 });
});

test('delete forgets what is here; delete --remote also what the server has, and the name is free again', async () => {
  const { alice, gun } = world('deleted');
  await succeeds(alice.notary('init', gun));
  await succeeds(alice.notary('add', gun, 'one', 'hello', '-p'));
  const before = await onServer(gun);
  await succeeds(alice.notary('add', gun, 'two', 'hello'));
  expect(await succeeds(alice.notary('delete', gun))).toBe(said.deletedHere(gun));
  expect(existsSync(join(alice.trust, 'tuf', gun))).toBe(false);
  expect(await succeeds(alice.notary('status', gun))).toBe(said.noChanges(gun));
  expect(await onServer(gun)).toEqual(before);
  expect(await succeeds(alice.notary('list', gun))).toBe(listing(['one', HELLO, '5', 'targets']));

  expect(await succeeds(alice.notary('delete', gun, '--remote'))).toBe(said.deletedEverywhere(gun));
  expect(await onServer(gun)).toBeUndefined();
  expect(await fatal(alice.notary('list', gun))).toBe(`${server.host} does not have trust data for ${gun}`);
  expect(await succeeds(alice.notary('delete', gun, '--remote'))).toBe(said.deletedEverywhere(gun));
  await succeeds(alice.notary('init', gun, '-p'));
  expect((await onServer(gun))?.versions).toEqual({ root: 1, targets: 2, snapshot: 2, timestamp: 1 });
});

test('deleting one repository leaves its neighbours alone', async () => {
  const { alice, gun } = world('neighbour');
  for (const name of [gun, `${gun}s`, `${gun}/inner`]) await succeeds(alice.notary('init', name, '-p'));
  await succeeds(alice.notary('delete', gun, '--remote'));
  expect(await onServer(gun)).toBeUndefined();
  for (const name of [`${gun}s`, `${gun}/inner`]) expect((await onServer(name))?.versions.timestamp).toBe(1);
});
