import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { type DelegationName, parseDelegation } from '../../src/core/names/role.ts';
import { DAY } from '../../src/core/time.ts';
import { temporaryFolder } from '../support/temp.ts';
import { GUN, NOW, Owner, TARGET, TestServer, versionOf } from './fixture.ts';

const SIGNERS: readonly DelegationName[] = Array.from({ length: 8 }, (_, index) =>
  parseDelegation(`targets/s${index}`),
);

/** Two servers, each with its own connection, on one database: what two processes have of each other. */
function twoServers(): [TestServer, TestServer] {
  const path = join(temporaryFolder(), 'signet.db');
  return [new TestServer({ path }), new TestServer({ path })];
}

async function repositoryWithSigners(server: TestServer): Promise<Owner> {
  const owner = new Owner(server);
  await owner.publishFirst();
  await owner.edit((editor) => {
    for (const signer of SIGNERS) editor.addDelegation(signer, [owner.newKey()], ['']);
  });
  return owner;
}

function statuses(replies: readonly { status: number }[]): number[] {
  return replies.map(({ status }) => status);
}

test('of racing publishes of one version exactly one wins, and the others are told so', async () => {
  const server = new TestServer();
  const owner = new Owner(server);
  await owner.publishFirst();
  const tags = Array.from({ length: 12 }, (_, index) => `tag${index}`);
  const uploads = await Promise.all(
    tags.map((tag) => owner.edited((editor) => editor.addTarget('targets', tag, TARGET))),
  );
  const replies = await Promise.all(uploads.map((files) => server.post(files)));
  expect(statuses(replies).sort()).toEqual([200, ...Array.from({ length: 11 }, () => 400)]);
  for (const { text } of replies) if (text !== '') expect(text).toContain('"code":"VERSION"');
  const winner = tags[statuses(replies).indexOf(200)] ?? '';
  const { targets, timestamp } = await owner.load();
  expect([...(targets.get('targets')?.payload.targets.keys() ?? [])]).toEqual(['latest', winner]);
  expect(timestamp.payload.version).toBe(2);
});

test('signers of different delegations do not get into each other\u2019s way', async () => {
  const server = new TestServer();
  const owner = await repositoryWithSigners(server);
  const uploads = await Promise.all(
    SIGNERS.map((role) => owner.edited((editor) => editor.addTarget(role, 'v1', TARGET))),
  );
  const replies = await Promise.all(uploads.map((files) => server.post(files)));
  expect(statuses(replies)).toEqual(SIGNERS.map(() => 200));
  expect([...(await owner.load()).targets.keys()].sort()).toEqual(['targets', ...SIGNERS]);
});

test('nor through two servers on one database', async () => {
  const servers = twoServers();
  const owner = await repositoryWithSigners(servers[0]);
  const uploads = await Promise.all(
    SIGNERS.map((role) => owner.edited((editor) => editor.addTarget(role, 'v1', TARGET))),
  );
  const replies = await Promise.all(uploads.map((files, index) => servers[index % 2 === 0 ? 0 : 1].post(files)));
  expect(statuses(replies)).toEqual(SIGNERS.map(() => 200));
  expect([...(await owner.load()).targets.keys()].sort()).toEqual(['targets', ...SIGNERS]);
  expect((await owner.load()).timestamp.payload.version).toBe(2 + SIGNERS.length);
});

test('racing publishes of one version through two servers: exactly one wins', async () => {
  const servers = twoServers();
  const owner = new Owner(servers[0]);
  await owner.publishFirst();
  const uploads = await Promise.all(
    ['a', 'b', 'c', 'd'].map((tag) => owner.edited((editor) => editor.addTarget('targets', tag, TARGET))),
  );
  const replies = await Promise.all(uploads.map((files, index) => servers[index % 2 === 0 ? 0 : 1].post(files)));
  expect(statuses(replies).sort()).toEqual([200, 400, 400, 400]);
  for (const { text } of replies) if (text !== '') expect(text).toContain('"code":"VERSION"');
  await owner.load();
});

test('racing first publishes: exactly one owner gets the name', async () => {
  const servers = twoServers();
  const owners = Array.from({ length: 6 }, (_, index) => new Owner(servers[index % 2 === 0 ? 0 : 1]));
  const uploads = await Promise.all(owners.map((owner) => owner.firstFiles()));
  const replies = await Promise.all(uploads.map((files, index) => servers[index % 2 === 0 ? 0 : 1].post(files)));
  expect(statuses(replies).filter((status) => status === 200)).toHaveLength(1);
  await owners[0]?.load();
});

test('a server sees at once what another one publishes, deletes and publishes again', async () => {
  const [first, second] = twoServers();
  const owner = new Owner(first);
  await owner.publishFirst();
  expect(versionOf((await second.get('timestamp.json')).text)).toBe(1);
  await owner.addTag('v2');
  expect(versionOf((await second.get('timestamp.json')).text)).toBe(2);
  await first.send('DELETE', `/v2/${GUN}/_trust/tuf/`);
  expect((await second.get('timestamp.json')).status).toBe(404);
  const again = new Owner(first);
  await again.publishFirst();
  await again.addTag('v2');
  expect((await second.get('timestamp.json')).text).toBe((await first.get('timestamp.json')).text);
});

test('two servers that renew the same expired timestamp serve the same one', async () => {
  const servers = twoServers();
  await new Owner(servers[0]).publishFirst();
  for (const server of servers) server.now = NOW + 15 * DAY;
  const replies = await Promise.all(
    Array.from({ length: 10 }, (_, index) => servers[index % 2 === 0 ? 0 : 1].get('timestamp.json')),
  );
  expect(statuses(replies)).toEqual(replies.map(() => 200));
  expect(new Set(replies.map(({ text }) => text)).size).toBe(1);
  expect(versionOf(replies[0]?.text ?? '')).toBe(2);
});

test('readers always get files that belong together while others publish', async () => {
  const servers = twoServers();
  const owner = await repositoryWithSigners(servers[0]);
  const reader = new Owner(servers[1]);
  let done = false;
  const write = async () => {
    for (const role of SIGNERS) await owner.edit((editor) => editor.addTarget(role, 'v1', TARGET));
    done = true;
  };
  const read = async () => {
    const seen: number[] = [];
    while (!done) seen.push((await reader.load()).timestamp.payload.version);
    return seen;
  };
  const [, ...seen] = await Promise.all([write(), read(), read()]);
  for (const versions of seen) {
    expect(versions.length).toBeGreaterThan(1);
    expect(versions).toEqual([...versions].sort((a, b) => a - b));
  }
});

test('a publish that was checked before a deletion does not bring half of a repository back', async () => {
  const [first, second] = twoServers();
  const owner = new Owner(first);
  await owner.publishFirst();
  const files = await owner.edited((editor) => editor.addTarget('targets', 'v2', TARGET));
  const [reply] = await Promise.all([first.post(files), second.send('DELETE', `/v2/${GUN}/_trust/tuf/`)]);
  const left = (await second.server.currentChain(GUN)).files;
  if (left.size > 0) expect(left.has('root')).toBe(true);
  expect([200, 400]).toContain(reply.status);
});
