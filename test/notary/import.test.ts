import { beforeEach, describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { Editor } from '../../src/core/edit/editor.ts';
import { canonicalize } from '../../src/core/json/canonical.ts';
import type { JsonValue } from '../../src/core/json/parse.ts';
import { LIMITS } from '../../src/core/limits.ts';
import { parseEnvelope, writeEnvelope } from '../../src/core/metadata/envelope.ts';
import { parseGun } from '../../src/core/names/gun.ts';
import type { KeyId } from '../../src/core/names/key-id.ts';
import { parseDelegation } from '../../src/core/names/role.ts';
import type { Scope } from '../../src/core/scope.ts';
import { YEAR } from '../../src/core/time.ts';
import { TRUST_ON_FIRST_USE } from '../../src/core/verify/pinning.ts';
import { trustCachedRoot, trustNextRoot } from '../../src/core/verify/root-trust.ts';
import type { Imported } from '../../src/notary/publish/repositories.ts';
import { temporaryFolder } from '../support/temp.ts';
import { GUN, Owner, stranger, TARGET, TestServer, user, versionOf } from './fixture.ts';
import { importInto, Mover } from './moving.ts';

const ALICE = parseDelegation('targets/alice');

let mover: Mover;
let server: TestServer;
beforeEach(() => {
  mover = new Mover(GUN);
  server = new TestServer();
});

/** Nothing of the GUN is there, nothing was recorded, and the collection can still be moved. */
async function expectNothing(): Promise<void> {
  for (const name of ['root.json', '1.root.json', 'timestamp.json', 'targets.json', 'snapshot.json']) {
    expect([name, (await server.get(name)).status]).toEqual([name, 404]);
  }
  expect((await server.send('GET', '/v2/_trust/changefeed?records=9')).text).toBe('{"count":0,"records":[]}');
  expect(server.log.filter((line) => line.startsWith('imported'))).toEqual([]);
}

/** Expects a refusal of an update, which says why in Notary's form. */
async function expectRefused(files: Iterable<readonly [string, Uint8Array]>, name: string, message: string) {
  const { status, text } = await importInto(server, GUN, files);
  const [error] = JSON.parse(text).errors;
  expect([status, error.code, error.detail?.Name, error.detail?.Error?.Msg]).toEqual([
    400,
    'INVALID_UPDATE',
    name,
    message,
  ]);
  await expectNothing();
}

const sorted = (names: Iterable<string>) => [...names].sort();

describe('an import', () => {
  test('takes all roots, the old files byte for byte, and goes on with their versions', async () => {
    await mover.publishHistory();
    await mover.owner.edit((editor) => {
      editor.addDelegation(ALICE, [mover.owner.newKey()], ['v']);
      editor.addTarget(ALICE, 'v2', TARGET);
    });
    const bundle = await mover.bundle(server);
    const { status, text } = await importInto(server, GUN, bundle);
    expect([status, text]).toEqual([200, '']);

    for (const [name, bytes] of bundle) {
      const served = name.includes('.') || name.startsWith('targets') ? name : `${versionOf(String(bytes))}.${name}`;
      expect([name, (await server.get(`${served}.json`)).text]).toEqual([name, String(bytes)]);
    }
    expect((await server.get('root.json')).text).toBe(String(bundle.get('4.root')));
    const there = await new Owner(server).load();
    expect(there.root.root.version).toBe(4);
    expect(there.snapshot.payload.version).toBe(versionOf(String(bundle.get('snapshot'))) + 1);
    expect(there.timestamp.payload.version).toBe(versionOf(String(bundle.get('timestamp'))) + 100);
    expect([...there.targets.keys()]).toEqual(['targets', ALICE]);
  });

  test('leads a client from any old root to the new one', async () => {
    await mover.publishHistory();
    await importInto(server, GUN, await mover.bundle(server));
    for (const first of [1, 2, 3]) {
      let root = trustCachedRoot(GUN, Buffer.from((await server.get(`${first}.root.json`)).text));
      for (let version = first + 1; version <= 4; version++) {
        const bytes = Buffer.from((await server.get(`${version}.root.json`)).text);
        root = trustNextRoot(root, bytes, TRUST_ON_FIRST_USE, server.now, version === 4 ? 'last' : 'intermediate');
      }
      expect(root.root.version).toBe(4);
    }
  });

  test('is recorded with who did it', async () => {
    const events: Imported[] = [];
    server = new TestServer({ onImport: (event) => events.push(event) });
    await mover.publishHistory();
    expect((await importInto(server, GUN, await mover.bundle(server), user('alice'))).status).toBe(200);
    const [change] = JSON.parse((await server.send('GET', '/v2/_trust/changefeed?records=9')).text).records;
    const { text } = await server.get('timestamp.json');
    expect([change.GUN, change.Category, change.Version]).toEqual([GUN, 'update', versionOf(text)]);
    expect(events).toEqual([
      {
        gun: GUN,
        by: 'alice',
        address: '192.0.2.1',
        what: `roots 1 to 4, timestamp version ${versionOf(text)}`,
        at: server.now,
      },
    ]);
    expect(server.log.at(-1)).toStartWith(`imported ${GUN} from another server: roots 1 to 4, timestamp version`);
  });

  test('lets the owner and a delegate publish afterwards', async () => {
    await mover.publishHistory();
    const alice = mover.owner.newKey();
    await mover.owner.edit((editor) => editor.addDelegation(ALICE, [alice], ['']));
    await importInto(server, GUN, await mover.bundle(server));
    const set = await new Owner(server).load();
    for (const role of ['targets', ALICE] as const) {
      const editor = Editor.of(await new Owner(server).load());
      editor.addTarget(role, `${role}-after`, TARGET);
      expect((await server.post(await editor.sign(mover.owner.ring, server.now))).status).toBe(200);
    }
    const after = await new Owner(server).load();
    expect(after.timestamp.payload.version).toBe(set.timestamp.payload.version + 2);
    expect(after.targets.get(ALICE)?.payload.targets.has(`${ALICE}-after`)).toBe(true);
  });

  test('takes the snapshot of an owner who has its key', async () => {
    await mover.publishHistory({ ownSnapshotKey: true });
    const timestamp = await new Owner(server).serverKey('timestamp');
    const own = await mover.newFiles({ timestamp });
    const bundle = new Map([...(await mover.oldFiles()), ...own]);
    const [snapshotName = ''] = sorted(own.keys()).filter((name) => name.endsWith('.snapshot'));
    expect((await importInto(server, GUN, bundle)).status).toBe(200);
    expect((await server.get('snapshot.json')).text).toBe(String(own.get(snapshotName)));
  });

  test('takes parts in any order', async () => {
    await mover.publishHistory();
    expect((await importInto(server, GUN, [...(await mover.bundle(server))].reverse())).status).toBe(200);
    expect((await new Owner(server).load()).root.root.version).toBe(4);
  });

  test('takes what has expired as it is, since it was no better on the old server', async () => {
    await mover.publishHistory();
    const bundle = await mover.oldFiles();
    mover.old.now += 4 * YEAR;
    server.now += 4 * YEAR;
    const editor = Editor.of(await expiredSet(bundle));
    const there = new Owner(server);
    for (const role of ['timestamp', 'snapshot'] as const) editor.replaceKeys(role, [await there.serverKey(role)]);
    const { files } = await editor.edition(mover.owner.ring, server.now);
    bundle.set('4.root', files.get('root') ?? Buffer.of());
    expect((await importInto(server, GUN, bundle)).status).toBe(200);
    expect((await server.get('targets.json')).text).toBe(String(bundle.get('targets')));
  });

  test('begins with any root, where the old server has no earlier one', async () => {
    await mover.publishHistory();
    const bundle = await mover.bundle(server);
    bundle.delete('1.root');
    expect((await importInto(server, GUN, bundle)).status).toBe(200);
    expect((await server.get('1.root.json')).status).toBe(404);
    expect((await server.get('2.root.json')).status).toBe(200);
  });
});

describe('an import is refused, and changes nothing, if', () => {
  test('the caller may not publish', async () => {
    await mover.publishHistory();
    const bundle = await mover.bundle(server);
    const wanted: Scope[] = [];
    expect(importInto(server, GUN, bundle, stranger(wanted))).rejects.toThrow('authentication required');
    expect(wanted).toEqual([{ type: 'repository', name: GUN, actions: ['push', 'pull'] }]);
    await expectNothing();
  });

  test('the GUN has trust data already, whoever founded it', async () => {
    await mover.publishHistory();
    const bundle = await mover.bundle(server);
    const there = new Owner(server);
    await there.publishFirst();
    const before = (await server.get('root.json')).text;
    const { status, text } = await importInto(server, GUN, bundle);
    expect([status, JSON.parse(text).errors[0].code]).toEqual([409, 'GUN_NOT_EMPTY']);
    expect((await server.get('root.json')).text).toBe(before);
    expect((await there.load()).timestamp.payload.version).toBe(1);
  });

  test('it comes a second time, also after the repository was deleted', async () => {
    await mover.publishHistory();
    const bundle = await mover.bundle(server);
    expect((await importInto(server, GUN, bundle)).status).toBe(200);
    expect((await importInto(server, GUN, bundle)).status).toBe(409);
    await server.send('DELETE', `/v2/${GUN}/_trust/tuf/`);
    const { status, text } = await importInto(server, GUN, bundle);
    expect([status, JSON.parse(text).errors[0].detail.Error.Msg]).toEqual([
      400,
      'no snapshot was included in update and server does not hold current snapshot key for repository',
    ]);
    expect((await server.get('root.json')).status).toBe(404);
    expect((await importInto(server, GUN, await mover.bundle(server))).status).toBe(200);
  });

  test('another import of the same GUN is faster, also through another process', async () => {
    const path = join(temporaryFolder(), 'signet.db');
    const [one, two] = [new TestServer({ path }), new TestServer({ path })];
    await mover.publishHistory();
    const bundle = await mover.bundle(one);
    const replies = await Promise.all([one, one, two, two].map((each) => importInto(each, GUN, bundle)));
    expect(replies.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409]);
    const { records } = JSON.parse((await one.send('GET', '/v2/_trust/changefeed?records=9')).text);
    expect(records).toHaveLength(1);
    expect((await new Owner(two).load()).root.root.version).toBe(4);
  });

  test('a root is left out', async () => {
    await mover.publishHistory();
    const bundle = await mover.bundle(server);
    bundle.delete('2.root');
    await expectRefused(bundle, 'ErrBadRoot', 'root version 3 does not follow version 1');
  });

  test('only the new root comes', async () => {
    await mover.publishHistory();
    const bundle = await mover.bundle(server);
    for (const version of [1, 2, 3]) bundle.delete(`${version}.root`);
    await expectRefused(bundle, 'ErrValidation', 'an import has an old root and a new one');
  });

  test('the chain is broken by another owner of the same name', async () => {
    await mover.publishHistory();
    const thief = new Mover(GUN);
    await thief.publishHistory();
    const bundle = await mover.bundle(server);
    const stolen = await thief.bundle(server);
    for (const version of [3, 4]) bundle.set(`${version}.root`, stolen.get(`${version}.root`) ?? Buffer.of());
    await expectRefused(
      bundle,
      'ErrBadRoot',
      'could not rotate trust to a new trusted root: failed to validate data with current trusted certificates',
    );
  });

  test('the new root is signed by no one whom the old one names', async () => {
    await mover.publishHistory();
    const bundle = await mover.bundle(server);
    const root = parseEnvelope('root', bundle.get('4.root') ?? Buffer.of());
    bundle.set('4.root', writeEnvelope(root.signed, []));
    await expectRefused(
      bundle,
      'ErrBadRoot',
      'could not rotate trust to a new trusted root: failed to validate data with current trusted certificates',
    );
  });

  test('the certificates are for another GUN', async () => {
    const other = new Mover(parseGun('registry.example.com:5000/acme/other'));
    await other.publishHistory();
    const bundle = await other.bundle(server);
    await expectRefused(
      bundle,
      'ErrBadRoot',
      'could not validate the path to a trusted root: failed to validate integrity of roots',
    );
  });

  test('the new root names keys that this server does not have, or made for another GUN', async () => {
    await mover.publishHistory();
    const there = new Owner(server);
    const elsewhere = new Owner(server, parseGun('registry.example.com:5000/acme/other'));
    const [timestamp, snapshot] = [await there.serverKey('timestamp'), await there.serverKey('snapshot')];
    const with_ = async (keys: Parameters<Mover['newFiles']>[0]) =>
      new Map([...(await mover.oldFiles()), ...(await mover.newFiles(keys))]);
    const noTimestamp = 'no timestamp keys exist on the server';
    await expectRefused(await with_({ snapshot }), 'ErrBadRoot', noTimestamp);
    await expectRefused(
      await with_({ timestamp }),
      'ErrBadHierarchy',
      'no snapshot was included in update and server does not hold current snapshot key for repository',
    );
    const foreign = await elsewhere.serverKey('timestamp');
    await expectRefused(await with_({ timestamp: foreign, snapshot }), 'ErrBadRoot', noTimestamp);
  });

  test('the new root has expired, or its certificate', async () => {
    await mover.publishHistory();
    const bundle = await mover.bundle(server);
    server.now += 11 * YEAR;
    const { status, text } = await importInto(server, GUN, bundle);
    expect([status, JSON.parse(text).errors[0].detail.Name]).toEqual([400, 'ErrBadRoot']);
    await expectNothing();
  });

  test('the new root is not written as Notary writes it', async () => {
    await mover.publishHistory();
    const bundle = await mover.bundle(server);
    const { signed, signatures } = JSON.parse(String(bundle.get('4.root')));
    const reordered = Object.fromEntries(Object.entries(signed).reverse());
    bundle.set('4.root', Buffer.from(JSON.stringify({ signatures, signed: reordered })));
    await expectRefused(bundle, 'ErrBadRoot', 'the new root is not written as Notary writes it');
  });

  test('an old timestamp or snapshot is not the one that the old root vouches for', async () => {
    await mover.publishHistory();
    const bundle = await mover.bundle(server);
    const raised = parseEnvelope('timestamp', bundle.get('timestamp') ?? Buffer.of());
    const signed = new Map([...(raised.signed as Map<string, JsonValue>), ['version', 2_000_000_000]]);
    bundle.set('timestamp', writeEnvelope(signed, raised.signatures));
    await expectRefused(bundle, 'ErrValidation', 'valid signatures did not meet threshold for timestamp');
  });

  test('the old server has used up the versions', async () => {
    await mover.publishHistory();
    const bundle = await mover.bundle(server);
    const timestamp = parseEnvelope('timestamp', bundle.get('timestamp') ?? Buffer.of());
    const payload = new Map([...(timestamp.signed as Map<string, JsonValue>), ['version', 2 ** 30]]);
    const signature = await mover.old.signAs(GUN, timestamp.signatures[0]?.keyId as KeyId, canonicalize(payload));
    bundle.set('timestamp', writeEnvelope(payload, [signature]));
    await expectRefused(bundle, 'ErrBadSnapshot', `too few versions are left after timestamp version ${2 ** 30}`);
  });

  test('files of two states are mixed', async () => {
    await mover.publishHistory();
    const older = await mover.oldFiles();
    await mover.owner.addTag('v2');
    const bundle = await mover.bundle(server);
    const targets = older.get('targets') ?? Buffer.of();
    const { status, text } = await importInto(server, GUN, [...bundle, ['targets', targets]]);
    expect([status, JSON.parse(text).errors[0].code]).toEqual([400, 'INVALID_ROLE']);
    bundle.set('targets', targets);
    const mixed = await importInto(server, GUN, bundle);
    expect([mixed.status, JSON.parse(mixed.text).errors[0].detail.Name]).toEqual([400, 'ErrValidation']);
    await expectNothing();
  });

  test('a published delegation is left out, or a file comes that no snapshot lists', async () => {
    await mover.publishHistory();
    await mover.owner.edit((editor) => {
      editor.addDelegation(ALICE, [mover.owner.newKey()], ['']);
      editor.addTarget(ALICE, 'v2', TARGET);
    });
    const bundle = await mover.bundle(server);
    const alice = bundle.get(ALICE) ?? Buffer.of();
    bundle.delete(ALICE);
    await expectRefused(bundle, 'ErrValidation', `it lacks ${ALICE}`);
    bundle.set(ALICE, alice);
    bundle.set('targets/mallory', alice);
    await expectRefused(bundle, 'ErrValidation', 'the snapshot does not list targets/mallory');
  });

  test('a name is none of an import', async () => {
    await mover.publishHistory();
    const bundle = await mover.bundle(server);
    for (const name of ['root', '0.root', '04.root', '5.targets', '5.timestamp', 'targets/../x', '1e3.root']) {
      const { status, text } = await importInto(server, GUN, [...bundle, [name, Buffer.from('{}')]]);
      expect([name, status, JSON.parse(text).errors[0].code]).toEqual([name, 400, 'INVALID_ROLE']);
    }
    await expectNothing();
  });

  test('it has more roots, parts or bytes than a client follows', async () => {
    await mover.publishHistory();
    const bundle = await mover.bundle(server);
    const root = bundle.get('1.root') ?? Buffer.of();
    const roots = Array.from({ length: LIMITS.rootChain + 1 }, (_, at) => [`${at + 1}.root`, root] as const);
    const others = [...bundle].filter(([name]) => !name.endsWith('.root'));
    await expectRefused([...roots, ...others], 'ErrValidation', 'an import has at most 1024 roots');
    const parts = Array.from({ length: LIMITS.importParts + 1 }, (_, at) => [`targets/s${at}`, Buffer.of()] as const);
    expect((await importInto(server, GUN, parts)).status).toBe(413);
    const large = await importInto(server, GUN, [['timestamp', Buffer.alloc(LIMITS.metadata + 1, 0x20)]]);
    expect(large.status).toBe(413);
    await expectNothing();
  });
});

/** The old collection, be it expired or not. */
async function expiredSet(files: ReadonlyMap<string, Buffer>) {
  const { TrustedSet } = await import('../../src/core/verify/trusted-set.ts');
  const { UNEXPIRED } = await import('../../src/core/time.ts');
  const file = (name: string) => files.get(name) ?? Buffer.of();
  const set = new TrustedSet(trustCachedRoot(GUN, file('3.root')), UNEXPIRED);
  set.updateTimestamp(file('timestamp'));
  set.updateSnapshot(file('snapshot'));
  set.updateTargets('targets', file('targets'));
  return set;
}
