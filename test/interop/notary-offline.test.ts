import { beforeAll, beforeEach, expect, test } from 'bun:test';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fatal, Person, succeeds } from '../support/notary-client.ts';
import { published } from '../support/published.ts';
import { type SignetServer, startSignet } from '../support/signet-server.ts';

const ALICE = { name: 'alice', password: 'what alice has chosen' };
const SHA256 = 'ab'.repeat(32);
const OFFLINE = 'client is offline';

let server: SignetServer;
let count = 0;
let alice: Person;
let gun: string;

beforeAll(async () => {
  server = await startSignet();
  await server.addUser(ALICE.name, ALICE.password);
}, 60_000);

/** Alice's repository has the target `one`. */
beforeEach(async () => {
  alice = new Person(server, { login: ALICE });
  gun = `${server.host}/alice/offline-${++count}`;
  await succeeds(alice.notary('init', gun));
  await succeeds(add('one', '-p'));
  await succeeds(alice.notary('list', gun));
});

/** What is done while the server is not there. */
async function offline(work: () => Promise<void>): Promise<void> {
  await server.stop();
  try {
    await work();
  } finally {
    await server.start();
  }
}

function add(name: string, ...words: readonly string[]) {
  return alice.notary('addhash', gun, name, '5', '--sha256', SHA256, ...words);
}

test('what was read once is read from the cache, with a warning', async () => {
  await offline(async () => {
    const list = await alice.notary('list', gun);
    expect(list).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining(`one     ${SHA256}    5               targets`),
    });
    expect(list.stderr).toContain(`could not reach ${server.origin}`);
    expect(list.stderr).toContain('using cached timestamp - this might not be the latest version available remotely');
    expect(await succeeds(alice.notary('lookup', gun, 'one'))).toBe(`one sha256:${SHA256} 5\n`);
    writeFileSync(join(alice.home, 'wrong'), 'wrong');
    expect(await fatal(alice.notary('verify', gun, 'one', '-i', 'wrong'))).toContain(
      'sha256 checksum for one did not match',
    );
    expect(await succeeds(alice.notary('delegation', 'list', gun))).toContain(
      'No delegations present in this repository.',
    );
  });
});

test('who never read it learns that he is offline', async () => {
  await offline(async () => {
    const stranger = new Person(server, { login: ALICE });
    expect(await fatal(stranger.notary('list', gun))).toBe(OFFLINE);
    expect(await fatal(stranger.notary('lookup', gun, 'one'))).toBe(OFFLINE);
  });
});

test('changes are staged and taken back without the server, and published when it is there again', async () => {
  await offline(async () => {
    await succeeds(add('two'));
    await succeeds(add('three'));
    await succeeds(alice.notary('remove', gun, 'one'));
    await succeeds(alice.notary('reset', gun, '-n', '1'));
    expect(await fatal(alice.notary('publish', gun))).toBe(OFFLINE);
    const status = await succeeds(alice.notary('status', gun));
    expect(status.trimEnd().split('\n').slice(4)).toEqual([
      '0    create    targets    target    two',
      '1    delete    targets    target    one',
    ]);
  });
  expect((await published(server, gun, ALICE))?.sizes()).toEqual({ one: 5 });
  await succeeds(alice.notary('publish', gun));
  const now = await published(server, gun, ALICE);
  expect(now?.sizes()).toEqual({ two: 5 });
  expect(now?.versions).toEqual({ root: 1, targets: 3, snapshot: 3, timestamp: 2 });
  expect(await succeeds(alice.notary('status', gun))).toBe(`No unpublished changes for ${gun}\n`);
});

test('a publish that found no one is made up for by the next one, on top of what others published', async () => {
  await offline(async () => {
    expect(await fatal(add('mine', '-p'))).toBe(OFFLINE);
  });
  const colleague = new Person(server, { login: ALICE });
  await succeeds(colleague.run(['cp', '-r', join(alice.home, '.docker'), '.']));
  await succeeds(colleague.notary('reset', gun, '--all'));
  await succeeds(colleague.notary('addhash', gun, 'theirs', '5', '--sha256', SHA256, '-p'));
  await succeeds(add('mine-too', '-p'));
  const now = await published(server, gun, ALICE);
  expect(now?.sizes()).toEqual({ one: 5, theirs: 5, mine: 5, 'mine-too': 5 });
  expect(now?.versions).toMatchObject({ targets: 4, timestamp: 3 });
});

test('what needs the server fails, and changes nothing there', async () => {
  await offline(async () => {
    expect(await fatal(alice.notary('init', `${gun}-new`, '-p'))).toBe(OFFLINE);
    expect(await fatal(alice.notary('key', 'rotate', gun, 'snapshot', '-r'))).toBe(
      `unable to rotate remote key: ${OFFLINE}`,
    );
    expect(await fatal(alice.notaryReading('yes\n', 'key', 'rotate', gun, 'root'))).toEndWith(OFFLINE);
    expect(await fatal(alice.notary('delete', gun, '--remote'))).toBe(OFFLINE);
  });
  expect((await published(server, gun, ALICE))?.versions).toEqual({ root: 1, targets: 2, snapshot: 2, timestamp: 1 });
  expect(await published(server, `${gun}-new`, ALICE)).toBeUndefined();
});

test('delete forgets the repository here without the server', async () => {
  await offline(async () => {
    expect(await succeeds(alice.notary('delete', gun))).toBe(
      `Deleting trust data for repository ${gun}\nSuccessfully deleted local trust data for repository ${gun}\n`,
    );
    expect(existsSync(join(alice.trust, 'tuf', gun))).toBe(false);
    expect(await fatal(alice.notary('list', gun))).toBe(OFFLINE);
  });
});
