import { beforeEach, expect, test } from 'bun:test';
import type { Editor } from '../../src/core/edit/editor.ts';
import { parseJson } from '../../src/core/json/parse.ts';
import { parsePublicKey } from '../../src/core/keys/public-key.ts';
import { parseGun } from '../../src/core/names/gun.ts';
import { RELEASES, type RoleName, signerRole } from '../../src/core/names/role.ts';
import { YEAR } from '../../src/core/time.ts';
import { form, GUN, Owner, TARGET, TestServer, user, versionOf } from './fixture.ts';

const JEFF = signerRole('jeff');
const INVALID = '{"errors":[{"code":"INVALID_UPDATE","message":"Update sent by the client is invalid."';
const VERSION =
  '{"errors":[{"code":"VERSION","message":"A newer version of metadata is already available.","detail":{}}]}\n';

let server: TestServer;
let owner: Owner;
beforeEach(() => {
  server = new TestServer();
  owner = new Owner(server);
});

function invalid(name: string, message: string, missing = ''): string {
  return `${INVALID},"detail":{"Name":"${name}","Error":{${missing}"Msg":"${message}"}}}]}\n`;
}

function without(files: ReadonlyMap<RoleName, Buffer>, ...roles: RoleName[]): Map<RoleName, Buffer> {
  return new Map([...files].filter(([role]) => !roles.includes(role)));
}

async function posted(files: Iterable<readonly [string, string | Uint8Array]>): Promise<[number, string]> {
  const { status, text } = await server.post(files);
  return [status, text];
}

/** Every row of the tables, to show that a refused publish changed nothing. */
function stored(): unknown[] {
  return [
    server.database.query('SELECT * FROM tuf_files').all(),
    server.database.query('SELECT * FROM changefeed').all(),
  ];
}

async function expectRefused(files: Iterable<readonly [string, string | Uint8Array]>, status: number, text: string) {
  const before = stored();
  expect(await posted(files)).toEqual([status, text]);
  expect(stored()).toEqual(before);
}

test('a first publish is answered with nothing, logged, and can be read', async () => {
  const files = await owner.firstFiles();
  const reply = await server.post(files, GUN, user('alice'));
  expect([reply.status, reply.text, reply.headers.get('Content-Length')]).toEqual([200, '', '0']);
  expect(reply.headers.get('Content-Type')).toBeNull();
  const set = await owner.load();
  expect([...set.targets.keys()]).toEqual(['targets']);
  expect(set.timestamp.payload.version).toBe(1);
  expect(set.snapshot.payload.version).toBe(1);
  const checksum = new Bun.CryptoHasher('sha256').update(set.timestamp.envelope.bytes).digest('hex');
  expect(server.log).toEqual([`updated ${GUN} to timestamp version 1, checksum ${checksum}`]);
});

test('files are stored byte for byte', async () => {
  const files = await owner.firstFiles();
  await posted(files);
  for (const [role, bytes] of files) expect((await server.get(`${role}.json`)).text).toBe(bytes.toString());
});

test('a second publish raises snapshot and timestamp', async () => {
  await owner.publishFirst();
  await owner.addTag('v2');
  const set = await owner.load();
  expect([set.timestamp, set.snapshot].map(({ payload }) => payload.version)).toEqual([2, 2]);
  expect([...(set.targets.get('targets')?.payload.targets.keys() ?? [])]).toEqual(['latest', 'v2']);
});

test('no parts at all raise snapshot and timestamp (G-46)', async () => {
  await owner.publishFirst();
  expect(await posted([])).toEqual([200, '']);
  const set = await owner.load();
  expect([set.timestamp, set.snapshot].map(({ payload }) => payload.version)).toEqual([2, 2]);
});

test('of two parts for one role the later counts', async () => {
  await owner.publishFirst();
  const [first, second] = [
    await owner.edited((editor) => editor.addTarget('targets', 'x', TARGET)),
    await owner.edited((editor) => editor.addTarget('targets', 'y', TARGET)),
  ];
  expect(await posted([...first, ...second].map(([role, bytes]) => [`${role}.json`, bytes]))).toEqual([200, '']);
  expect((await server.get('targets.json')).text).toBe(second.get('targets')?.toString() ?? '');
});

test('an uploaded timestamp is not stored (G-45)', async () => {
  const files = await owner.firstFiles();
  expect(await posted([...files, ['timestamp', 'not even JSON']])).toEqual([200, '']);
  expect(versionOf((await server.get('timestamp.json')).text)).toBe(1);
});

test('delegations are published under names with slashes, in any order', async () => {
  await owner.publishFirst();
  const key = owner.newKey();
  await owner.edit((editor) => {
    editor.addDelegation(RELEASES, [key], ['']);
    editor.addDelegation(JEFF, [key], ['']);
  });
  const files = await owner.edited((editor) => {
    editor.addTarget(RELEASES, 'v2', TARGET);
    editor.addTarget(JEFF, 'v2', TARGET);
  });
  expect([...files.keys()].sort()).toEqual([JEFF, RELEASES]);
  expect(await posted([...files].reverse())).toEqual([200, '']);
  expect((await server.get('targets/releases.json')).text).toBe(files.get(RELEASES)?.toString() ?? '');
  expect([...(await owner.load()).targets.keys()].sort()).toEqual(['targets', JEFF, RELEASES]);
});

test('a delegation and its first file can come together', async () => {
  await owner.publishFirst();
  const key = owner.newKey();
  await owner.edit((editor) => {
    editor.addDelegation(JEFF, [key], ['']);
    editor.addTarget(JEFF, 'v3', TARGET);
  });
  expect((await owner.load()).targets.get(JEFF)?.payload.version).toBe(1);
});

test('a client can keep the snapshot key, and then must send the snapshot', async () => {
  await owner.publishFirst({ ownSnapshotKey: true });
  expect(versionOf((await server.get('snapshot.json')).text)).toBe(1);
  const files = await owner.edited((editor) => editor.witness('targets'));
  await expectRefused(
    without(files, 'snapshot'),
    400,
    invalid(
      'ErrBadHierarchy',
      'no snapshot was included in update and server does not hold current snapshot key for repository',
      '"Missing":"snapshot",',
    ),
  );
  expect(await posted(files)).toEqual([200, '']);
});

test('roots are rotated one by one, and all of them stay', async () => {
  await owner.publishFirst();
  for (let version = 2; version <= 4; version++) {
    const key = owner.newRootKey();
    await owner.edit((editor) => editor.replaceKeys('root', [key]));
    expect((await owner.load()).root.root.version).toBe(version);
  }
  for (let version = 1; version <= 4; version++) {
    expect(versionOf((await server.get(`${version}.root.json`)).text)).toBe(version);
  }
});

test('the timestamp key is rotated by a new root', async () => {
  await owner.publishFirst();
  const { text } = await server.send('POST', `/v2/${GUN}/_trust/tuf/timestamp.key`);
  const key = parsePublicKey(parseJson(text), 'key');
  await owner.edit((editor) => editor.replaceKeys('timestamp', [key]));
  expect((await owner.load()).timestamp.envelope.signatures.map(({ keyId }) => keyId)).toEqual([key.id]);
});

// What cannot be read

test('no form at all', async () => {
  const malformed = '{"errors":[{"code":"MALFORMED_UPLOAD","message":"The body of your request is malformed."}]}\n';
  const path = `/v2/${GUN}/_trust/tuf/`;
  const reply = await server.send('POST', path, { body: '{}', headers: { 'Content-Type': 'application/json' } });
  expect([reply.status, reply.text]).toEqual([400, malformed]);
  const cut = form(await owner.firstFiles());
  const cutReply = await server.send('POST', path, { ...cut, body: cut.body.subarray(0, -6) });
  expect([cutReply.status, cutReply.text]).toEqual([400, malformed]);
  const packed = await server.send('POST', path, { ...cut, headers: { ...cut.headers, 'Content-Encoding': 'gzip' } });
  expect([packed.status, packed.text]).toEqual([415, malformed]);
  const headers = { ...cut.headers, 'Content-Length': '99999999999' };
  const large = await server.send('POST', path, { ...cut, headers });
  expect([large.status, large.text]).toEqual([413, malformed]);
  expect(stored()).toEqual([[], []]);
});

test('a part without a file name', async () => {
  await expectRefused(
    [['', '{}']],
    400,
    '{"errors":[{"code":"NO_FILENAME","message":"No file/role name provided."}]}\n',
  );
});

test.each([
  'nope',
  'Root',
  'targets/',
  'targets/A',
  'targets//a',
  'targets/../root',
  '../../../etc/passwd',
  'targets/a b',
  '/root',
  'root.json.json',
])('the role %j', async (role) => {
  await expectRefused(
    [[role, '{"signed":{},"signatures":[]}']],
    400,
    `{"errors":[{"code":"INVALID_ROLE","message":"The role you are attempting to operate on is invalid.","detail":"${role.replace(/\.json$/, '')}"}]}\n`,
  );
});

test('a role name that would break out of the answer', async () => {
  const [status, text] = await posted([['</script>&\u2028', '{}']]);
  expect(status).toBe(400);
  expect(text).toContain('"detail":"\\u003c/script\\u003e\\u0026\\u2028"}]}\n');
});

test.each([
  '',
  'x',
  '[]',
  '{}',
  '{"signed":1,"signatures":[]}',
  '{"signed":{},"signatures":[]} x',
  '{"signed":{},"signatures":[]',
  '{"signed":{},"signed":{},"signatures":[]}',
  '['.repeat(100_000),
])('the file %.60j', async (content) => {
  await expectRefused(
    [['root', content]],
    400,
    '{"errors":[{"code":"MALFORMED_JSON","message":"JSON sent by the client could not be parsed by the server"}]}\n',
  );
});

// What is not accepted

test('a new repository needs a root', async () => {
  await expectRefused(
    without(await owner.firstFiles(), 'root'),
    400,
    invalid('ErrValidation', 'no pre-existing root and no root provided in update.'),
  );
});

test('a root for another repository', async () => {
  const files = await new Owner(server, parseGun('registry.example.com/other/app')).firstFiles();
  await expectRefused(
    files,
    400,
    invalid('ErrBadRoot', 'could not validate the path to a trusted root: unable to retrieve valid leaf certificates'),
  );
});

test('a root whose timestamp key the server does not have', async () => {
  const stranger = new TestServer();
  const files = await new Owner(stranger).firstFiles({ ownSnapshotKey: true });
  await expectRefused(files, 400, invalid('ErrBadRoot', 'no timestamp keys exist on the server'));
});

test("a root that lists another repository's timestamp key does not get it to sign", async () => {
  const victim = parseGun('registry.example.com/victim/app');
  await new Owner(server, victim).publishFirst();
  const { text } = await server.get('timestamp.key', victim);
  const mallory = new Owner(server);
  const files = await mallory.firstFiles({ ownSnapshotKey: true });
  await posted(files);
  const taken = await mallory.edited((editor) =>
    editor.replaceKeys('timestamp', [parsePublicKey(parseJson(text), 'key')]),
  );
  await expectRefused(taken, 400, invalid('ErrBadRoot', 'no timestamp keys exist on the server'));
});

test('a root that skips a version, or goes back', async () => {
  await owner.publishFirst();
  const first = (await owner.load()).root.envelope.bytes;
  const files = await owner.edited((editor) => editor.replaceKeys('root', [owner.newRootKey()]));
  await posted(files);
  await expectRefused([['root', files.get('root') ?? '']], 400, VERSION);
  await expectRefused(
    [['root', first]],
    400,
    invalid('ErrBadRoot', 'Root modifications must increment the version. Current 2, new 1'),
  );
});

test('a root that the old root did not sign', async () => {
  await owner.publishFirst();
  const mallory = new Owner(server);
  const mine = new TestServer();
  const other = new Owner(mine);
  await other.publishFirst();
  const forged = await other.edited((editor) => editor.replaceKeys('root', [mallory.newRootKey(), other.newRootKey()]));
  await expectRefused(
    [['root', forged.get('root') ?? '']],
    400,
    invalid(
      'ErrBadRoot',
      'could not rotate trust to a new trusted root: failed to validate data with current trusted certificates',
    ),
  );
});

test('targets with a version that is stored already, or an older one', async () => {
  await owner.publishFirst();
  const old = await owner.edited((editor) => editor.addTarget('targets', 'a', TARGET));
  await owner.addTag('b');
  await expectRefused(old, 400, VERSION);
  await owner.addTag('c');
  await expectRefused(old, 400, VERSION);
});

test('targets that someone else signed', async () => {
  await owner.publishFirst();
  const other = new Owner(new TestServer());
  await other.publishFirst();
  await expectRefused(
    await other.edited((editor) => editor.addTarget('targets', 'evil', TARGET)),
    400,
    invalid('ErrBadTargets', 'valid signatures did not meet threshold for targets'),
  );
});

test('a delegation that no one made', async () => {
  await owner.publishFirst();
  const files = await owner.edited((editor) => editor.addTarget('targets', 'x', TARGET));
  await expectRefused(
    [['targets/nope', files.get('targets') ?? '']],
    400,
    invalid('ErrBadTargets', 'tuf: invalid role targets/nope. delegation does not exist'),
  );
});

test('expired targets', async () => {
  await owner.publishFirst();
  const files = await owner.edited((editor) => editor.addTarget('targets', 'x', TARGET));
  server.now += 3 * YEAR + 1000;
  const [status, text] = await posted(files);
  expect(status).toBe(400);
  expect(text).toStartWith(`${INVALID},"detail":{"Name":"ErrBadTargets","Error":{"Msg":"targets expired at `);
});

test('a snapshot that does not list what comes with it', async () => {
  await owner.publishFirst({ ownSnapshotKey: true });
  const first = await owner.edited((editor) => editor.addTarget('targets', 'x', TARGET));
  const second = await owner.edited((editor) => editor.addTarget('targets', 'y', TARGET));
  const mixed = new Map([...first, ['snapshot', second.get('snapshot') ?? Buffer.alloc(0)] as const]);
  const before = stored();
  const [status, text] = await posted(mixed);
  expect(status).toBe(400);
  expect(text).toStartWith(`${INVALID},"detail":{"Name":"ErrBadSnapshot"`);
  expect(stored()).toEqual(before);
});

test('one bad file among good ones stores none of them', async () => {
  await owner.publishFirst();
  const files = await owner.edited((editor) => editor.addTarget('targets', 'x', TARGET));
  const before = stored();
  const [status] = await posted([...files, ['targets/nope', files.get('targets') ?? '']]);
  expect(status).toBe(400);
  expect(stored()).toEqual(before);
});

test('a key that cannot be opened is the server\u2019s failure, not the publisher\u2019s', async () => {
  await owner.publishFirst();
  const files = await owner.edited((editor: Editor) => editor.witness('targets'));
  const restarted = new TestServer({ masterKey: Buffer.alloc(32, 1) });
  for (const table of ['tuf_files', 'changefeed', 'online_keys']) copyTable(server, restarted, table);
  const { status, text } = await restarted.post(files);
  expect([status, text]).toEqual([500, '{"errors":[{"code":"UNKNOWN","message":"unknown error","detail":{}}]}\n']);
});

function copyTable(from: TestServer, to: TestServer, table: string): void {
  for (const row of from.database.query<Record<string, string>, []>(`SELECT * FROM ${table}`).all()) {
    const marks = Object.keys(row).map(() => '?');
    to.database.query(`INSERT INTO ${table} VALUES (${marks.join(', ')})`).run(...Object.values(row));
  }
}
