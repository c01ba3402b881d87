import { beforeAll, expect, test } from 'bun:test';
import { Editor } from '../../src/core/edit/editor.ts';
import { type JsonValue, parseJson } from '../../src/core/json/parse.ts';
import { parsePublicKey } from '../../src/core/keys/public-key.ts';
import { parseGun } from '../../src/core/names/gun.ts';
import type { RoleName } from '../../src/core/names/role.ts';
import { form } from '../notary/fixture.ts';
import { type Change, payloadOf, put, type Signer, sealed, tree } from '../support/forgery.ts';
import { Person, SHA256, succeeds, type TrustService } from '../support/notary-client.ts';
import { startNotaryServer } from '../support/notary-server.ts';
import { readTrustFile } from '../support/published.ts';
import { startSignet } from '../support/signet-server.ts';
import { target } from '../support/simulator.ts';
import { TestKeys } from '../support/test-keys.ts';

const LATER = '2030-01-01T00:00:00Z';
const EARLIER = '2020-01-01T00:00:00Z';

/** A server with alice's repository: root 2, whose snapshots the server signs, and `targets` 3. */
interface World {
  readonly service: TrustService;
  /** `/v2/{gun}/_trust/` */
  readonly path: string;
  readonly gun: string;
  readonly targets: Signer;
  readonly root: Signer;
  readonly files: ReadonlyMap<string, Buffer>;
}

let worlds: readonly World[];

beforeAll(async () => {
  const services = await Promise.all([startNotaryServer(), startSignet({ args: ['--auth', 'off'] })]);
  worlds = await Promise.all(services.map(worldOf));
}, 60_000);

async function worldOf(service: TrustService): Promise<World> {
  const alice = new Person(service);
  const gun = `${service.host}/alice/app`;
  await succeeds(alice.notary('init', gun));
  await succeeds(alice.add(gun, 'one'));
  await succeeds(alice.notary('key', 'rotate', gun, 'snapshot', '-r'));
  await succeeds(alice.add(gun, 'two'));
  const roles = ['root', 'targets', 'snapshot', 'timestamp'];
  const read = async (role: string) => (await readTrustFile(service, gun, `${role}.json`)) ?? Buffer.of();
  const files = new Map(await Promise.all(roles.map(async (role) => [role, await read(role)] as const)));
  const signer = (role: string): Signer => {
    const key = alice.privateKey(role);
    const listed = (payloadOf(files.get('root') ?? Buffer.of()).get('roles') as ReadonlyMap<string, JsonValue>).get(
      role,
    );
    const [id] = (listed as ReadonlyMap<string, JsonValue>).get('keyids') as string[];
    return { key: { ...key.publicKey, id: (id ?? '') as typeof key.id }, private: key };
  };
  return { service, gun, path: `/v2/${gun}/_trust/`, targets: signer('targets'), root: signer('root'), files };
}

interface Reply {
  readonly status: number;
  readonly type: string | null;
  readonly caching: string | null;
  readonly text: string;
}

async function send({ service }: World, method: string, path: string, init: RequestInit = {}): Promise<Reply> {
  const tls = { ca: Bun.file(service.authority) };
  const response = await fetch(`${service.origin}${path}`, { ...init, method, redirect: 'manual', tls });
  const { status, headers } = response;
  const text = (await response.text()).replaceAll(service.host, 'HOST');
  return { status, type: headers.get('content-type'), caching: headers.get('cache-control'), text };
}

/** Both servers answer alike; the body counts unless it is what each of them has made itself. Returns the answer. */
async function expectAlike(ask: (world: World) => Promise<Reply>): Promise<Reply> {
  const [notary, signet] = await Promise.all(worlds.map(ask));
  if (notary === undefined || signet === undefined) throw new Error('there are two servers');
  const own = notary.status === 200 ? { text: '' } : {};
  expect({ ...signet, ...own }).toEqual({ ...notary, ...own });
  return signet;
}

function post(
  world: World,
  parts: readonly (readonly [string, string | Uint8Array])[],
  gun = world.gun,
): Promise<Reply> {
  return send(world, 'POST', `/v2/${gun}/_trust/tuf/`, form(parts));
}

/** The stored file with changes, signed by its owner, or by `signers`. */
function next(world: World, role: 'root' | 'targets', changes: readonly Change[], signers = [world[role]]): Buffer {
  const payload = changes.reduce<JsonValue>(
    (value, change) => change(value),
    payloadOf(world.files.get(role) ?? Buffer.of()),
  );
  return sealed(payload, signers);
}

const version = (number: number) => put(['version'], number);
const expiring = (time: string) => put(['expires'], time);

test('reading: what is there, what is not, and what is no name', async () => {
  const there = ['root', 'timestamp', 'snapshot', 'targets', '1.root', '2.root', '01.root', '2.targets', '3.targets'];
  for (const name of there) {
    const { status } = await expectAlike((world) => send(world, 'GET', `${world.path}tuf/${name}.json`));
    expect([name, status]).toEqual([name, 200]);
  }
  const absent = ['3.root', '0.root', '1.targets', 'targets/none', 'targets/UPPER', '1.targets/none', `root.${SHA256}`];
  const odd = [`root.${'a'.repeat(63)}`, `targets.${'a'.repeat(128)}`, 'other', 'targets/', ''];
  for (const name of [...absent, ...odd]) {
    const { status, text } = await expectAlike((world) => send(world, 'GET', `${world.path}tuf/${name}.json`));
    expect([name, status]).toEqual([name, 404]);
    expect(text).toContain('"code":"METADATA_NOT_FOUND"');
  }
  const huge = ['9007199254740993', '9223372036854775807', '9223372036854775808', '99999999999999999999'];
  for (const number of huge) {
    const { status } = await expectAlike((world) => send(world, 'GET', `${world.path}tuf/${number}.root.json`));
    expect([number, status]).toEqual([number, 404]);
  }
  for (const path of ['/v2/_trust', '/v2/a/_trust', '/v2/a/b', '/_notary_server/', '/_notary_server/health/', '/x']) {
    for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'PATCH']) {
      await expectAlike((world) => send(world, method, path));
    }
  }
  for (const gun of ['nobody/nothing', 'a%20b', 'Upper/Case']) {
    await expectAlike((world) => send(world, 'GET', `/v2/${gun}/_trust/tuf/root.json`));
  }
});

test('keys, changefeed, health and methods', async () => {
  for (const name of ['timestamp.key', 'snapshot.key', 'root.key', 'targets.key']) {
    await expectAlike((world) => send(world, 'GET', `${world.path}tuf/${name}`));
    await expectAlike((world) => send(world, 'POST', `${world.path}tuf/${name}`));
  }
  for (const query of ['', '?records=', '?records=x', '?records=1.5', '?records=1&change_id=x', '?records=0']) {
    await expectAlike((world) => send(world, 'GET', `${world.path}changefeed${query}`));
    await expectAlike((world) => send(world, 'GET', `/v2/_trust/changefeed${query}`));
  }
  for (const method of ['HEAD', 'PUT', 'PATCH', 'OPTIONS', 'DELETE', 'POST']) {
    await expectAlike((world) => send(world, method, `${world.path}tuf/root.json`));
  }
  await expectAlike((world) => send(world, 'GET', '/_notary_server/health'));
});

test('publishing: what is not taken, and why', async () => {
  const refused = async (ask: (world: World) => Promise<Reply>, reason: string) => {
    const { status, text } = await expectAlike(ask);
    expect({ status, text }).toEqual({ status: 400, text: expect.stringContaining(reason) });
  };
  const raw = (body: string, type?: string) => (world: World) =>
    send(world, 'POST', `${world.path}tuf/`, { body, ...(type && { headers: { 'content-type': type } }) });
  const unnamed = '--x\r\nContent-Disposition: form-data; name="files"\r\n\r\n{}\r\n--x--\r\n';
  await refused(raw('x'), 'MALFORMED_UPLOAD');
  await refused(raw('--x\r\n', 'multipart/form-data'), 'MALFORMED_UPLOAD');
  await refused(raw(unnamed, 'multipart/form-data; boundary=x'), 'NO_FILENAME');
  await refused((world) => post(world, [['nonsense', '{}']]), 'INVALID_ROLE');
  await refused((world) => post(world, [['targets/UPPER', '{}']]), 'INVALID_ROLE');
  for (const text of ['', 'nope', '[]', '"text"'])
    await refused((world) => post(world, [['targets', text]]), 'MALFORMED_JSON');

  const targets = (reason: string, changes: readonly Change[], signer?: (world: World) => Signer[]) =>
    refused(
      (world) => post(world, [['targets', next(world, 'targets', [version(4), ...changes], signer?.(world))]]),
      reason,
    );
  await targets('valid signatures did not meet threshold for targets', [], ({ root }) => [root]);
  await targets('tuf: data has no signatures', [], () => []);
  await targets('targets expired at Wed Jan 1 00:00:00 UTC 2020', [expiring(EARLIER)]);
  await targets('targets type metadata invalid: expected type Targets, not Root', [put(['_type'], 'Root')]);
  await targets('version cannot be less than one', [version(0)]);
  await targets('version cannot be less than one', [version(-1)]);
  await targets('VERSION', [version(3)]);
  await targets('VERSION', [version(1), expiring(LATER)]);
  await refused((world) => post(world, [['targets/x', next(world, 'targets', [])]]), 'delegation does not exist');

  const root = (reason: string, changes: readonly Change[], signer?: (world: World) => Signer[]) =>
    refused((world) => post(world, [['root', next(world, 'root', [version(3), ...changes], signer?.(world))]]), reason);
  await root('Root modifications must increment the version. Current 2, new 5', [version(5)]);
  await root('failed to validate data with current trusted certificates', [], ({ targets: other }) => [other]);
  await root('root expired at Wed Jan 1 00:00:00 UTC 2020', [expiring(EARLIER)]);
  await root('VERSION', [version(2)]);
  const nobodys = (world: World) => put(['roles', 'snapshot', 'keyids'], tree([world.targets.key.id]));
  await refused(
    (world) => post(world, [['root', next(world, 'root', [version(3), nobodys(world)])]]),
    'server does not hold current snapshot key',
  );
  for (const role of ['root', 'targets', 'snapshot']) {
    await refused((world) => post(world, [[role, world.files.get(role) ?? '']]), 'VERSION');
  }
  await refused((world) => post(world, [], 'new/gun'), 'no pre-existing root and no root provided in update.');
  // What alice publishes first, without some of it; the server would sign the snapshot.
  const first = async (world: World, ...roles: string[]) => {
    const gun = parseGun(`${world.service.host}/new/first`);
    const keys = new TestKeys();
    const read = async (role: RoleName) => (await readTrustFile(world.service, gun, `${role}.key`)) ?? Buffer.of();
    const editor = Editor.create({
      root: [keys.makeRoot(gun, Date.now())],
      targets: keys.make(),
      snapshot: parsePublicKey(parseJson(await read('snapshot')), 'snapshot'),
      timestamp: parsePublicKey(parseJson(await read('timestamp')), 'timestamp'),
    });
    editor.addTarget('targets', 'latest', target(1));
    const files = [...(await editor.sign(keys, Date.now()))].filter(([role]) => roles.includes(role));
    return post(world, files, gun);
  };
  await refused(
    (world) => first(world, 'root'),
    '"Name":"ErrValidation","Error":{"Msg":"targets must be loaded first"}',
  );
  await refused((world) => first(world, 'targets'), 'no pre-existing root and no root provided in update.');
  const stolen = (world: World) => ['root', 'targets'].map((role) => [role, world.files.get(role) ?? ''] as const);
  await refused((world) => post(world, stolen(world), 'new/gun'), 'unable to retrieve valid leaf certificates');
});

test('publishing: what is taken', async () => {
  const taken = async (ask: (world: World) => Promise<Reply>) =>
    expect(await expectAlike(ask)).toMatchObject({ status: 200, text: '' });
  await taken((world) => post(world, []));
  await taken((world) => post(world, [['timestamp', world.files.get('timestamp') ?? '']]));
  await taken((world) => post(world, [['targets.json', next(world, 'targets', [version(4)])]]));
  await taken((world) => post(world, [['targets', next(world, 'targets', [version(900)])]]));
  await taken((world) => post(world, [['root', next(world, 'root', [version(3)])]]));
  for (const path of ['tuf/3.root.json', 'tuf/900.targets.json', 'tuf/timestamp.json']) {
    const { status } = await expectAlike((world) => send(world, 'GET', `${world.path}${path}`));
    expect(status).toBe(200);
  }
  const counts = worlds.map(async (world) => (await send(world, 'GET', `${world.path}changefeed?records=100`)).text);
  const feeds = (await Promise.all(counts)).map(
    (text) => (JSON.parse(text) as { records: { Version: number }[] }).records,
  );
  expect(feeds[1]?.map((record) => record.Version)).toEqual(feeds[0]?.map((record) => record.Version) ?? []);
  expect(feeds[1]).toHaveLength(8);
});
