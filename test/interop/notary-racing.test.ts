import { beforeAll, expect, test } from 'bun:test';
import type { PrivateKey } from '../../src/core/keys/private-key.ts';
import { change, payloadOf, put, sealed, tree } from '../support/forgery.ts';
import { Person, succeeds } from '../support/notary-client.ts';
import { accessHeaders, postTrustFiles, readPublished, readTrustFile } from '../support/published.ts';
import { type SignetServer, startSignet } from '../support/signet-server.ts';

const ALICE = { name: 'alice', password: 'what alice has chosen' };
const PUBLISHERS = 8;
const ROUNDS = 4;
const CONFLICT =
  '{"errors":[{"code":"VERSION","message":"A newer version of metadata is already available.","detail":{}}]}\n';

let server: SignetServer;

beforeAll(async () => {
  server = await startSignet();
  await server.addUser(ALICE.name, ALICE.password);
}, 60_000);

type Headers = Readonly<Record<string, string>>;

async function world(name: string) {
  const alice = new Person(server, { login: ALICE });
  const gun = `${server.host}/alice/${name}`;
  await succeeds(alice.notary('init', gun, '-p'));
  return { alice, gun, headers: await accessHeaders(server, gun, ALICE, 'pull,push') };
}

async function onServer(gun: string, headers: Headers) {
  const found = await readPublished(server, gun, headers);
  if (found === undefined) throw new Error(`${gun} is not published`);
  return found;
}

/** The versions of all timestamps that were ever published, oldest first, as the changefeed has them. */
async function publishes(gun: string, headers: Headers): Promise<number[]> {
  const tls = { ca: Bun.file(server.authority) };
  const response = await fetch(`${server.origin}/v2/${gun}/_trust/changefeed?records=1000`, { headers, tls });
  const { records } = (await response.json()) as { records: { Version: number }[] };
  return records.map(({ Version }) => Version);
}

function upTo(last: number): number[] {
  return Array.from({ length: last }, (_, index) => index + 1);
}

/**
 * Reads the collection again and again until `stop`: each time all of it verifies, is no older than the last one, and
 * has every target of `published`, which were there before the reading began.
 */
async function watch(
  gun: string,
  headers: Headers,
  published: ReadonlySet<string>,
  stop: () => boolean,
): Promise<number> {
  let readings = 0;
  let newest = 0;
  while (!stop()) {
    const expected = [...published];
    const seen = await onServer(gun, headers);
    const { timestamp = 0 } = seen.versions;
    expect(timestamp).toBeGreaterThanOrEqual(newest);
    expect(Object.keys(seen.sizes())).toEqual(expect.arrayContaining(expected));
    newest = timestamp;
    readings += 1;
  }
  return readings;
}

test('notary clients that publish at once: each loser is told so and gets through on top of the others', async () => {
  const { alice, gun, headers } = await world('notary');
  const publishers = upTo(PUBLISHERS).map(() => new Person(server, { login: ALICE }).takeKeysOf(alice));
  const published = new Set<string>();
  let done = false;
  const watching = watch(gun, headers, published, () => done);
  for (const round of upTo(ROUNDS)) {
    await Promise.all(
      publishers.map(async (publisher, index) => {
        const name = `${round}-${index}`;
        let { exitCode, stdout } = await publisher.add(gun, name);
        while (exitCode !== 0) {
          expect(stdout).toEndWith('\n* fatal: trust server rejected operation.\n');
          ({ exitCode, stdout } = await publisher.notary('publish', gun));
        }
        published.add(name);
      }),
    );
  }
  done = true;
  expect(await watching).toBeGreaterThan(1);

  const last = await onServer(gun, headers);
  const count = PUBLISHERS * ROUNDS;
  expect(Object.keys(last.sizes()).sort()).toEqual([...published].sort());
  expect(published.size).toBe(count);
  expect(last.versions).toEqual({ root: 1, targets: 2 + count, snapshot: 2 + count, timestamp: 1 + count });
  expect(await publishes(gun, headers)).toEqual(upTo(1 + count));
}, 120_000);

/** The `targets` file that follows the stored one, with one more target, and signed as its owner does. */
async function successor(gun: string, headers: Headers, key: PrivateKey, name: string): Promise<Buffer> {
  const stored = (await readTrustFile(server, gun, 'targets.json', headers)) ?? Buffer.of();
  const target = tree({ hashes: { sha256: Buffer.alloc(32, 0xab).toString('base64') }, length: 5 });
  const added = put(['targets', name], target)(payloadOf(stored));
  const payload = change(['version'], (version) => Number(version) + 1)(added);
  return sealed(payload, [{ key: key.publicKey, private: key }]);
}

test('publishes of one version over HTTP: exactly one is taken, all others are told VERSION', async () => {
  const { alice, gun, headers } = await world('http');
  await succeeds(alice.notary('key', 'rotate', gun, 'snapshot', '-r'));
  const key = alice.privateKey('targets');
  const published = new Set<string>();
  let done = false;
  const watching = [1, 2].map(() => watch(gun, headers, published, () => done));
  for (const round of upTo(ROUNDS)) {
    let waiting = upTo(PUBLISHERS).map((publisher) => `${round}-${publisher}`);
    while (waiting.length > 0) {
      const files = await Promise.all(waiting.map((name) => successor(gun, headers, key, name)));
      const answers = await Promise.all(files.map((file) => postTrustFiles(server, gun, [['targets', file]], headers)));
      const winners = waiting.filter((_, index) => answers[index]?.status === 200);
      waiting = waiting.filter((name) => !winners.includes(name));
      for (const name of winners) published.add(name);
      expect(winners).toHaveLength(1);
      expect(answers.filter(({ status, text }) => status === 400 && text === CONFLICT)).toHaveLength(waiting.length);
    }
  }
  done = true;
  for (const readings of await Promise.all(watching)) expect(readings).toBeGreaterThan(1);

  const last = await onServer(gun, headers);
  const count = PUBLISHERS * ROUNDS;
  expect(Object.keys(last.sizes()).sort()).toEqual([...published].sort());
  expect(published.size).toBe(count);
  expect(last.versions).toEqual({ root: 2, targets: 2 + count, snapshot: 3 + count, timestamp: 2 + count });
  expect(await publishes(gun, headers)).toEqual(upTo(2 + count));
}, 120_000);

test('owners who take a name at once: one gets it, and no part of the others', async () => {
  const gun = `${server.host}/alice/first`;
  const owners = upTo(PUBLISHERS).map(() => new Person(server, { login: ALICE }));
  await Promise.all(owners.map((owner) => succeeds(owner.notary('init', gun))));
  const outcomes = await Promise.all(owners.map((owner) => owner.notary('publish', gun)));
  const winners = owners.filter((_, index) => outcomes[index]?.exitCode === 0);
  expect(winners).toHaveLength(1);
  const [, id] = /^targets +\S+ +(\w{64}) /m.exec(await succeeds((winners[0] as Person).notary('key', 'list'))) ?? [];
  const headers = await accessHeaders(server, gun, ALICE, 'pull');
  const now = await onServer(gun, headers);
  expect(now.versions).toEqual({ root: 1, targets: 2, snapshot: 2, timestamp: 1 });
  expect(now.keysOf('targets')).toEqual([id ?? '']);
});
