import { beforeAll, expect, test } from 'bun:test';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
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

test('list, lookup and remove', async () => {
  const { alice, gun } = world('looked-up');
  await succeeds(alice.notary('init', gun, '-p'));
  await succeeds(alice.notary('addhash', gun, 'b', '16', '--sha256', SHA256));
  await succeeds(alice.notary('addhash', gun, 'long-only', '5', '--sha512', SHA512));
  await succeeds(alice.notary('add', gun, 'a', 'hello', '-p'));
  const [a, b] = [['a', HELLO, '5', 'targets'] as const, ['b', SHA256, '16', 'targets'] as const];
  expect(await succeeds(alice.notary('list', gun))).toBe(listing(a, b, ['long-only', '', '5', 'targets']));
  expect(await succeeds(alice.notary('lookup', gun, 'b'))).toBe(`b sha256:${SHA256} 16\n`);
  expect(await succeeds(alice.notary('remove', gun, 'long-only', '-p'))).toBe(
    `Removal of long-only from ${gun} staged for next publish.\n${said.publishedAtOnce(gun)}`,
  );
  expect(await succeeds(alice.notary('remove', gun, 'never-there', '-p'))).toEndWith(said.publishedAtOnce(gun));
  const elsewhere = new Person(server, { login: ALICE });
  expect(await succeeds(elsewhere.notary('list', gun))).toBe(listing(a, b));
  expect(await fatal(elsewhere.notary('lookup', gun, 'long-only'))).toBe('No valid trust data for long-only');
  const after = await onServer(gun);
  expect(after?.sizes()).toEqual({ a: 5, b: 16 });
  expect(after?.versions).toEqual({ root: 1, targets: 4, snapshot: 5, timestamp: 4 });
});

test('a digest that is none is not staged', async () => {
  const { alice, gun } = world('refused-words');
  const missing = 'Must specify a GUN, target, byte size of target data, and at least one hash';
  expect(await fatal(alice.notary('addhash', gun, 'x', '5'))).toBe(missing);
  expect(await fatal(alice.notary('addhash', gun, 'x', '5', '--sha256', 'zz'))).toBe(
    'invalid sha256 hex contents provided',
  );
  expect(await fatal(alice.notary('add', gun, 'x', 'nowhere'))).toBe('open nowhere: no such file or directory');
  expect(await succeeds(alice.notary('status', gun))).toBe(said.noChanges(gun));
});

test('verify compares content with what was signed', async () => {
  const { alice, gun } = world('verified');
  await succeeds(alice.notary('init', gun));
  await succeeds(alice.notary('add', gun, 'greeting', 'hello', '-p'));
  const bob = new Person(server, { login: ALICE });
  for (const name of ['hello', 'hallo']) writeFileSync(join(bob.home, name), name);
  expect(await succeeds(bob.notary('verify', gun, 'greeting', '-i', 'hello'))).toBe('hello');
  expect(await succeeds(bob.notary('verify', gun, 'greeting', '-i', 'hello', '-o', 'out'))).toBe('');
  expect(readFileSync(join(bob.home, 'out'), 'utf8')).toBe('hello');
  expect(statSync(join(bob.home, 'out')).mode & 0o777).toBe(0o600);
  expect(await succeeds(bob.notaryReading('hello', 'verify', gun, 'greeting', '-q'))).toBe('');
  expect(await fatal(bob.notary('verify', gun, 'greeting', '-i', 'hallo'))).toMatch(
    /^data not present in the trusted collection, sha(256|512) checksum for greeting did not match: expected /,
  );
  expect(await fatal(bob.notaryReading('hello', 'verify', gun, 'nothing'))).toBe(
    'error retrieving target by name:nothing, error:No valid trust data for nothing',
  );
});

test('custom data is kept as it was signed', async () => {
  const { alice, gun } = world('custom');
  await succeeds(alice.notary('init', gun, '-p'));
  const custom = { built: { by: 'ci', steps: [1, 'two', null, true] }, ümlaut: 'ä "ö" \\' };
  writeFileSync(join(alice.home, 'custom.json'), JSON.stringify(custom));
  await succeeds(alice.notary('add', gun, 'one', 'hello', '--custom', 'custom.json', '-p'));
  await succeeds(alice.notary('addhash', gun, 'two', '5', '--sha256', SHA256, '--custom', 'custom.json', '-p'));
  const { one, two } = (await onServer(gun))?.payload('targets').targets ?? {};
  expect([one?.custom, two?.custom]).toEqual([custom, custom]);
  const [a, b] = [['one', HELLO, '5', 'targets'] as const, ['two', SHA256, '5', 'targets'] as const];
  expect(await succeeds(new Person(server, { login: ALICE }).notary('list', gun))).toBe(listing(a, b));
});

test('custom data that is not canonical is refused, because no one could verify it', async () => {
  const { alice, gun } = world('custom-refused');
  await succeeds(alice.notary('init', gun, '-p'));
  const before = await onServer(gun);
  for (const text of ['{"b":1,"a":2}', '{"a":"1 < 2"}']) {
    writeFileSync(join(alice.home, 'custom.json'), text);
    expect(await fatal(alice.notary('add', gun, 'one', 'hello', '--custom', 'custom.json', '-p'))).toBe(
      'The targets metadata is invalid: valid signatures did not meet threshold for targets',
    );
    expect(await onServer(gun)).toEqual(before);
    await succeeds(alice.notary('reset', gun, '--all'));
  }
  writeFileSync(join(alice.home, 'broken.json'), '{oops');
  expect(await fatal(alice.notary('add', gun, 'one', 'hello', '--custom', 'broken.json'))).toContain(
    'invalid character',
  );
});
