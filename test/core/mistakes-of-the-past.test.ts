import { expect, test } from 'bun:test';
import { lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { declaredCommands } from '../../scripts/declarations.ts';
import { signerCommand } from '../../src/cli/commands/signer/signer.ts';
import { Editor } from '../../src/core/edit/editor.ts';
import type { ErrorCode } from '../../src/core/errors/index.ts';
import { type JsonValue, parseJson } from '../../src/core/json/parse.ts';
import { generatePrivateKey } from '../../src/core/keys/private-key.ts';
import { LIMITS } from '../../src/core/limits.ts';
import { parseEnvelope, writeEnvelope } from '../../src/core/metadata/envelope.ts';
import { checkFile, fileInfoOf } from '../../src/core/metadata/file-info.ts';
import { readRoot } from '../../src/core/metadata/root.ts';
import { readSnapshot } from '../../src/core/metadata/snapshot.ts';
import { readTargets } from '../../src/core/metadata/targets.ts';
import { readTimestamp } from '../../src/core/metadata/timestamp.ts';
import { parseDigest } from '../../src/core/names/digest.ts';
import { parseGun } from '../../src/core/names/gun.ts';
import { isRepositoryPath, parseReference } from '../../src/core/names/reference.ts';
import { parseDelegation, parseRole, type RoleName, type TargetsRole } from '../../src/core/names/role.ts';
import { parseScope } from '../../src/core/scope.ts';
import { DAY, parseTime, YEAR } from '../../src/core/time.ts';
import { trustCachedRoot } from '../../src/core/verify/root-trust.ts';
import { TrustedSet } from '../../src/core/verify/trusted-set.ts';
import { verifyThreshold } from '../../src/core/verify/verify.ts';
import { readSettings } from '../../src/serve/settings/read-settings.ts';
import { KeyFolder } from '../../src/store/key-folder.ts';
import { MetadataFolder } from '../../src/store/trust-folder.ts';
import { decide } from '../../src/trust/decide/decide.ts';
import { FileVault } from '../../src/trust/keys/file-vault.ts';
import { KeyRing } from '../../src/trust/keys/key-ring.ts';
import { Owner, TestServer } from '../notary/fixture.ts';
import { failure } from '../support/failure.ts';
import { payloadOf, put, type Signer, sealed, signaturesOver, tree, withSignatures } from '../support/forgery.ts';
import { certified } from '../support/private-keys.ts';
import { digestOfTarget, expiring, GUN, NOW, Simulator, target, versioned } from '../support/simulator.ts';
import { temporaryFolder } from '../support/temp.ts';
import { Visitor } from '../support/visitor.ts';

// Each mistake that signing systems have made before is a test, here or in a file of the part that could make it.

const ALICE = parseDelegation('targets/alice');
const BOB = parseDelegation('targets/bob');
const ALL: readonly RoleName[] = ['root', 'timestamp', 'snapshot', 'targets', ALICE];

/** A published collection with one delegation, and somebody who has it in his cache. */
async function published(): Promise<{ simulator: Simulator; visitor: Visitor }> {
  const simulator = await Simulator.start();
  await simulator.edit((editor) => {
    editor.addDelegation(ALICE, [simulator.owner.make()], ['a']);
    editor.addTarget(ALICE, 'a1', target(1));
  });
  const visitor = new Visitor(simulator);
  await visitor.update();
  return { simulator, visitor };
}

/** Forges the file of a role, and lists it as whoever has the keys of snapshot and timestamp can. */
function forge(
  simulator: Simulator,
  role: RoleName,
  changes: Parameters<Simulator['forge']>[1],
  signers?: Signer[],
): void {
  simulator.forge(role, changes, signers);
  if (role === 'snapshot') simulator.restamp();
  else if (role !== 'timestamp') simulator.relist();
}

function signer(): Signer {
  const key = generatePrivateKey('ecdsa');
  return { key: key.publicKey, private: key };
}

function reader(role: RoleName): (signed: JsonValue) => unknown {
  switch (role) {
    case 'root':
      return readRoot;
    case 'timestamp':
      return readTimestamp;
    case 'snapshot':
      return readSnapshot;
    default:
      return (signed) => readTargets(role as TargetsRole, signed);
  }
}

test("verifier chosen by the signature's own `method`", async () => {
  const { key, private: secret } = signer();
  const payload = tree({ a: 1 });
  const keys = new Map([[key.id, key]]);
  const [right] = signaturesOver(payload, [{ key, private: secret }]);
  if (right === undefined) throw new Error('no signature');
  for (const method of ['none', 'eddsa', 'rsapss', 'rsapkcs1v15', 'hmac', 'pycrypto-pkcs#1 pss']) {
    // A verifier of that method might take these bytes; the key is what decides.
    for (const bytes of [right.bytes, Buffer.of(), Buffer.alloc(64)]) {
      const envelope = parseEnvelope('targets', writeEnvelope(payload, [{ ...right, method, bytes }]));
      await failure(() => verifyThreshold(envelope, { keys, keyIds: [key.id], threshold: 1 }), 'threshold-not-met');
    }
  }
});

test('root expiry never checked', async () => {
  for (const role of ALL) {
    const { simulator } = await published();
    forge(simulator, role, expiring(NOW - 1000));
    const guest = new Visitor(simulator);
    if (role === ALICE) {
      expect((await guest.update()).unusable.get(ALICE)?.why).toBe('expired');
      await guest.isRefused('target-not-found', 'a1');
    } else {
      expect((await guest.isRefused('metadata-expired')).detail.role).toBe(role);
    }
  }
  // A root expires in the cache too.
  const { simulator, visitor } = await published();
  simulator.now = NOW + 10 * YEAR + DAY;
  expect((await visitor.isRefused('metadata-expired')).detail.role).toBe('root');
});

test('version set to the maximum locks clients out', async () => {
  const { simulator, visitor } = await published();
  const honest = simulator.state;
  for (const version of [3, 2 ** 31 - 1]) {
    const [key] = simulator.signersOf('root');
    forge(simulator, 'root', versioned(version), key === undefined ? [] : [key]);
    await failure(visitor.update(), version === 3 ? 'trust-data-missing' : 'version-jump');
    simulator.serve(honest);
  }
  for (const role of ['targets', ALICE] as const) {
    simulator.forge(role, versioned(2 ** 31 - 1));
    const parts = new Map<RoleName, Buffer>([[role, simulator.file(role)]]);
    simulator.serve(honest);
    await failure(simulator.publish(GUN, parts), 'publish-rejected');
  }
  forge(simulator, 'timestamp', versioned(2 ** 31 - 1));
  await visitor.update();
  simulator.serve(honest);
  await failure(visitor.update(), 'version-rollback');
  await simulator.edit((editor) => editor.replaceKeys('timestamp', [simulator.online.make()]));
  expect((await visitor.update()).set.timestamp.payload.version).toBe(3);
});

test('secrets: not wiped, PIN on the command line, world-readable folders', async () => {
  const base = join(temporaryFolder(), 'trust');
  const given: Buffer[] = [];
  const remember = async () => {
    const passphrase = Buffer.from('a passphrase');
    given.push(passphrase);
    return passphrase;
  };
  const ring = new KeyRing(new FileVault(new KeyFolder(base), { existing: remember, fresh: remember }));
  const key = await ring.create('targets', GUN);
  await new MetadataFolder(base).write(GUN, ALICE, Buffer.from('x'));
  const modes = (path: string): string[] => {
    const stat = lstatSync(path);
    const below = stat.isDirectory() ? readdirSync(path).flatMap((name) => modes(join(path, name))) : [];
    return [`${stat.isDirectory() ? 'folder' : 'file'} ${(stat.mode & 0o777).toString(8)}`, ...below];
  };
  expect(new Set(modes(base))).toEqual(new Set(['folder 700', 'file 600']));
  ring.close();
  expect(given.map((passphrase) => passphrase.every((byte) => byte === 0))).toEqual([true]);
  await failure(() => key.sign(Buffer.from('x')), 'key-wiped');
});

test('`_type` checked for "a valid one", not the expected one', async () => {
  const { simulator } = await published();
  for (const role of ALL) {
    const payload = payloadOf(simulator.file(role));
    for (const type of ['Root', 'Targets', 'Snapshot', 'Timestamp', 'Mirrors'].filter(
      (one) => one !== payload.get('_type'),
    )) {
      await failure(() => reader(role)(put(['_type'], type)(payload)), 'metadata-type-wrong');
    }
  }
  // Rightly signed by the key of both roles, one file is still not the other.
  const shared = [...simulator.signersOf('targets')];
  simulator.replace(ALICE, sealed(payloadOf(simulator.file('snapshot')), shared));
  simulator.relist();
  await new Visitor(simulator).isRefused('metadata-type-wrong');
});

test('only the first hash is checked; threshold above the number of keys accepted', async () => {
  const bytes = Buffer.from('content');
  const { length, hashes } = fileInfoOf(bytes);
  for (const wrong of ['sha256', 'sha512']) {
    for (const order of [[...hashes], [...hashes].reverse()]) {
      const promise = new Map(order.map(([name, hash]) => [name, name === wrong ? Buffer.alloc(hash.length) : hash]));
      await failure(() => checkFile('x', bytes, { length, hashes: promise }), 'checksum-mismatch');
    }
  }
  const { simulator } = await published();
  for (const role of ['root', 'targets', 'snapshot', 'timestamp']) {
    const payload = put(['roles', role, 'threshold'], 2)(payloadOf(simulator.file('root')));
    await failure(() => readRoot(payload), 'threshold-invalid');
  }
  // A delegation may have lost keys and stay listed; it then cannot be met.
  forge(simulator, 'targets', put(['delegations', 'roles', '0', 'threshold'], 2));
  expect((await new Visitor(simulator).update()).unusable.get(ALICE)?.why).toBe('unsigned');
});

test('unknown field in the envelope bricks a collection', async () => {
  const { simulator } = await published();
  const honest = simulator.state;
  for (const role of ALL) {
    const text = simulator.file(role).toString();
    const spoilt: [text: string, code: ErrorCode][] = [
      [text.replace('{"signed":', '{"more":1,"signed":'), 'json-unexpected'],
      [text.replace('{"signed":', '{"Signed":{},"signed":'), 'json-unexpected'],
      [text.replace('{"signed":', '{"signed":{},"signed":'), 'json-duplicate-key'],
      [`${text}{}`, 'json-malformed'],
      [`${text}\u0000`, 'json-malformed'],
    ];
    for (const [file, code] of spoilt) {
      // The server does not take it, so that nobody ever has to load it.
      const parts = [{ role, bytes: Buffer.from(file) }];
      if (role !== 'timestamp') {
        const error = await failure(
          simulator.publish(GUN, new Map(parts.map((part) => [part.role, part.bytes]))),
          'publish-rejected',
        );
        expect((error.cause as { code?: string }).code).toBe(code);
      }
      await failure(() => parseEnvelope(role, Buffer.from(file)), code);
    }
  }
  expect(simulator.state).toBe(honest);
  // In a payload an unknown member is signed with the rest, and harms nobody.
  forge(simulator, 'targets', put(['x-more'], tree({ a: 1 })));
  expect(await new Visitor(simulator).resolve()).toBe(digestOfTarget(1));
});

test('path traversal by GUN or role name', async () => {
  for (const name of ['../x', 'a/../../x', '/etc/passwd', 'a/..', '..', 'a\\..\\b', 'a\0', 'a//b', '.', '']) {
    await failure(() => parseGun(name), 'name-invalid');
    await failure(() => parseRole(`targets/${name}`), 'role-invalid');
    await failure(() => parseRole(name), 'role-invalid');
  }
  const base = temporaryFolder();
  const outside = temporaryFolder();
  const cache = new MetadataFolder(base);
  mkdirSync(join(base, 'tuf', 'registry.example.com'), { recursive: true });
  symlinkSync(outside, join(base, 'tuf', 'registry.example.com', 'acme'));
  await failure(cache.write(GUN, 'root', Buffer.from('x')), 'file-unsafe');
  await failure(cache.read(GUN, 'root'), 'file-unsafe');
  expect(readdirSync(outside)).toEqual([]);
});

test('two certificates over one key count twice towards a threshold', async () => {
  const { simulator } = await published();
  const first = simulator.owner.makeRoot(GUN, NOW);
  const secret = simulator.owner.private(first);
  const twin = certified(secret, GUN, NOW - DAY);
  expect(twin.id).not.toBe(first.id);
  await failure(
    simulator.edit((editor) => editor.replaceKeys('root', [first, twin], 2)),
    'signing-key-missing',
  );
  const editor = Editor.of((await simulator.trusted()).set);
  editor.replaceKeys('root', [first, twin], 2);
  const { files } = await editor.edition(simulator.owner, simulator.now);
  const error = await failure(simulator.publish(GUN, files), 'publish-rejected');
  expect((error.cause as { code?: string }).code).toBe('root-untrusted');
  const payload = tree({ a: 1 });
  const signatures = signaturesOver(
    payload,
    [first, twin, secret.publicKey].map((key) => ({ key, private: secret })),
  );
  const keys = new Map([first, twin, secret.publicKey].map((key) => [key.id, key]));
  const envelope = parseEnvelope('root', writeEnvelope(payload, signatures));
  const role = { keyIds: [...keys.keys()], threshold: 2 };
  await failure(() => verifyThreshold(envelope, { keys, ...role }), 'threshold-not-met');
});

test('one bad signature entry voids a valid file; old versions never pruned', async () => {
  const { simulator } = await published();
  for (const role of ALL) {
    const file = simulator.file(role);
    const [right] = parseEnvelope(role, file).signatures;
    if (right === undefined) throw new Error('no signature');
    const noise = [
      { ...right, bytes: Buffer.from('short') },
      { ...right, method: 'unheard of' },
      { ...right, keyId: signer().key.id },
    ];
    const entries = withSignatures(role, file, [...noise, right]).toString();
    simulator.replace(role, Buffer.from(entries.replace('"signatures":[', '"signatures":[null,{"keyid":"x"},7,')));
  }
  simulator.relist();
  expect(await new Visitor(simulator).resolve()).toBe(digestOfTarget(1));

  const server = new TestServer({ keptVersions: 2 });
  const owner = new Owner(server);
  await owner.publishFirst();
  for (const tag of ['a', 'b', 'c', 'd']) {
    await owner.addTag(tag);
    await owner.edit((editor) => editor.replaceKeys('root', [owner.newRootKey()]));
  }
  const statusOf = async (name: string) => (await server.get(name, owner.gun)).status;
  for (let version = 1; version <= 5; version++) expect(await statusOf(`${version}.root.json`)).toBe(200);
  expect([await statusOf('1.targets.json'), await statusOf('5.targets.json')]).toEqual([404, 200]);
});

test('duplicates count towards the threshold', async () => {
  const { simulator, visitor } = await published();
  const keys = [simulator.owner.make(), simulator.owner.make()];
  await simulator.edit((editor) => editor.replaceKeys('targets', keys, 2));
  const [one] = simulator.signersOf('targets');
  if (one === undefined) throw new Error('no key');
  forge(simulator, 'targets', versioned(9), [one, one, one]);
  await visitor.isRefused('threshold-not-met');
  const root = payloadOf(simulator.file('root'));
  await failure(
    () => readRoot(put(['roles', 'targets', 'keyids'], [one.key.id, one.key.id])(root)),
    'metadata-malformed',
  );
});

test('threshold 0 accepted', async () => {
  const { simulator } = await published();
  for (const threshold of [0, -1]) {
    for (const role of ['root', 'targets', 'snapshot', 'timestamp']) {
      const payload = put(['roles', role, 'threshold'], threshold)(payloadOf(simulator.file('root')));
      await failure(() => readRoot(payload), 'threshold-invalid');
    }
    const delegating = put(['delegations', 'roles', '0', 'threshold'], threshold)(payloadOf(simulator.file('targets')));
    await failure(() => readTargets('targets', delegating), 'threshold-invalid');
  }
});

test('rejected metadata stays in the cache', async () => {
  for (const role of ALL) {
    const { simulator, visitor } = await published();
    const before = await visitor.cache.contents(GUN);
    expect([...before.keys()].sort()).toEqual([...ALL].sort());
    forge(simulator, role, [put(['extra'], 1), versioned(role === 'root' ? 2 : 9)], [signer()]);
    const guest = new Visitor(simulator);
    if (role === ALICE) {
      // Passed over: the rest is new and verified, its own file is the one that was verified before.
      await visitor.update();
      expect((await visitor.cache.contents(GUN)).get(ALICE)).toBe(before.get(ALICE) as string);
      await guest.update();
      expect((await guest.cache.contents(GUN)).has(ALICE)).toBe(false);
      continue;
    }
    await visitor.isRefused(role === 'root' ? 'root-rotation-invalid' : 'threshold-not-met');
    await guest.isRefused(role === 'root' ? 'root-untrusted' : 'threshold-not-met');
    expect(await guest.cache.contents(GUN)).toEqual(new Map());
  }
});

test('root version jumps', async () => {
  const { simulator, visitor } = await published();
  await simulator.rotateRoot();
  await simulator.rotateRoot();
  simulator.lies.set('2.root', simulator.file('root'));
  await visitor.isRefused('version-jump');
  const honest = simulator.state;
  simulator.forge('root', versioned(7));
  const file = new Map<RoleName, Buffer>([['root', simulator.file('root')]]);
  simulator.serve(honest);
  const error = await failure(simulator.publish(GUN, file), 'publish-rejected');
  expect((error.cause as { code?: string }).code).toBe('version-jump');
});

test('delegated roles checked less than top-level ones', async () => {
  const thief = [signer()];
  for (const [role, tag] of [
    ['targets', 'latest'],
    [ALICE, 'a1'],
  ] as const) {
    const attacks: [Parameters<Simulator['forge']>[1], Signer[] | undefined, ErrorCode][] = [
      [[], thief, 'threshold-not-met'],
      [[], [], 'signatures-missing'],
      [expiring(NOW - DAY), undefined, 'metadata-expired'],
      [put(['_type'], 'Root'), undefined, 'metadata-type-wrong'],
      [versioned(0), undefined, 'metadata-malformed'],
      [put(['targets', tag, 'hashes'], tree({})), undefined, 'checksum-missing'],
    ];
    for (const [changes, signers, code] of attacks) {
      const { simulator } = await published();
      const known = simulator.file(role);
      forge(simulator, role, changes, signers);
      const set = new TrustedSet(trustCachedRoot(GUN, simulator.file('root')), NOW);
      set.updateTimestamp(simulator.file('timestamp'));
      set.updateSnapshot(simulator.file('snapshot'));
      if (role === ALICE) set.updateTargets('targets', simulator.file('targets'));
      const before = [...set.targets.keys()];
      await failure(() => set.updateTargets(role, simulator.file(role), known), code);
      expect([...set.targets.keys()]).toEqual(before);
    }
  }
});

test('delegated role looked up under the wrong delegator, or a cached role not re-verified against the current delegator', async () => {
  const { simulator, visitor } = await published();
  const bobs = simulator.owner.make();
  await simulator.edit((editor) => {
    editor.addDelegation(BOB, [bobs], ['b']);
    editor.addTarget(BOB, 'b1', target(2));
  });
  await visitor.update();
  // Bob's key does not speak for alice, nor may his file delegate below her.
  const bob = { key: bobs, private: simulator.owner.private(bobs) };
  const honest = simulator.state;
  forge(simulator, ALICE, versioned(2), [bob]);
  expect((await new Visitor(simulator).update()).set.targets.has(ALICE)).toBe(false);
  simulator.serve(honest);
  const below = { keyids: [bobs.id], name: 'targets/alice/x', paths: [''], threshold: 1 };
  const key = { keytype: bobs.type, keyval: { private: null, public: bobs.bytes.toString('base64') } };
  forge(simulator, BOB, put(['delegations'], tree({ keys: { [bobs.id]: key }, roles: [below] })), [bob]);
  await new Visitor(simulator).isRefused('metadata-malformed');
  simulator.serve(honest);
  // Her key is taken away; the file in the cache, unchanged and listed as before, counts for nothing.
  const cached = await visitor.cache.read(GUN, ALICE);
  await simulator.edit((editor) => {
    const ids = editor.delegationsOf('targets').find(({ name }) => name === ALICE)?.keyIds ?? [];
    editor.addDelegation(ALICE, [simulator.owner.make()], []);
    editor.removeDelegationKeys(ALICE, ids);
  });
  const guest = new Visitor(simulator);
  await guest.cache.write(GUN, ALICE, cached ?? Buffer.of());
  const { set, unusable } = await guest.update();
  expect(cached).toEqual(simulator.file(ALICE));
  expect([set.targets.has(ALICE), unusable.get(ALICE)?.why]).toEqual([false, 'unsigned']);
});

test('panic before the signature check', async () => {
  const { simulator } = await published();
  const shapes = [null, true, 0, '', 'x', [], {}, [null], { keyids: null }, { length: {} }, { a: { b: [] } }];
  for (const role of ALL) {
    const payload = payloadOf(simulator.file(role));
    for (const path of pathsIn(payload)) {
      for (const shape of shapes) {
        try {
          reader(role)(put(path, tree(shape))(payload));
        } catch (error) {
          expect(error).toMatchObject({ name: 'SignetError' });
        }
      }
    }
  }
});

test('endless data', async () => {
  const { simulator } = await published();
  for (const role of ALL) {
    simulator.lies.set(role, 'endless');
    await new Visitor(simulator).isRefused('response-too-large');
    simulator.lies.clear();
  }
  await failure(() => parseJson('['.repeat(1_000_000)), 'json-too-deep');
  const entries = Array(513).fill('{}').join();
  await failure(
    () => parseEnvelope('root', Buffer.from(`{"signed":{},"signatures":[${entries}]}`)),
    'metadata-malformed',
  );
  const server = new TestServer();
  await new Owner(server).publishFirst();
  const body = new Uint8Array(LIMITS.upload + 1);
  const headers = { 'Content-Type': 'multipart/form-data; boundary=b' };
  const { status } = await server.send('POST', `/v2/${GUN}/_trust/tuf/`, { body, headers });
  expect(status).toBeGreaterThanOrEqual(400);
});

test('verify one thing, run another', async () => {
  const { simulator } = await published();
  const asked = parseReference(`${GUN}:latest`);
  // Whoever moves the tag in the registry moves nothing: what may run has no tag any more.
  expect(await decide(asked, new Visitor(simulator).evidence())).toMatchObject({
    verdict: 'tag-signed',
    use: { ...asked, tag: undefined, digest: parseDigest(digestOfTarget(1)) },
  });
  const other = parseReference(`${GUN}:latest@${digestOfTarget(2)}`);
  expect(await decide(other, new Visitor(simulator).evidence())).toMatchObject({
    verdict: 'refused',
    error: { code: 'digest-disagrees' },
  });
});

test('slow regular expression on a name', () => {
  const long = 100_000;
  const hostile = [
    'a',
    '-',
    '_',
    '.',
    '__',
    'a-',
    'a.',
    'a/',
    '/',
    ':',
    '@',
    'A',
    '0',
    '[',
    '[:',
    'a:',
    ' ',
    '\n',
  ].flatMap((piece) => [
    piece.repeat(long),
    `${piece.repeat(long)}!`,
    `a.b/${piece.repeat(long)}`,
    `targets/${piece.repeat(long)}!`,
    `x:${piece.repeat(long)}:`,
  ]);
  const parsers: ((text: string) => unknown)[] = [
    parseReference,
    parseGun,
    parseRole,
    parseDigest,
    parseTime,
    parseScope,
    isRepositoryPath,
  ];
  // A pattern that is not linear would not come to an end before the test's time does.
  for (const text of hostile) {
    for (const parse of parsers) {
      try {
        parse(text);
      } catch (error) {
        expect(error).toMatchObject({ name: 'SignetError' });
      }
    }
  }
});

/** The mistakes that other parts could make, and the tests that show that they do not. */
test('signer without authentication', async () => {
  // Neither side of a remote signer starts unless both know each other, or that is waived by name.
  const environment = { SIGNET_SIGNER: 'signer:7899', SIGNET_SIGNER_CA: 'ca.crt' };
  await failure(() => readSettings({ environment, folder: '/' }), 'settings-conflict');
  await failure(signerCommand(['--data', join(temporaryFolder(), 'data')]), 'client-authentication-missing');
});

test('secrets: PIN on the command line', async () => {
  const commands = await declaredCommands();
  const flags = commands.flatMap(({ path, flags }) =>
    flags.filter(({ type, takes }) => type !== 'switch' && takes !== 'file').map(({ name }) => `${path} --${name}`),
  );
  const secret = flags.filter((flag) => /--.*(?:pass|pin|secret|pwd)/i.test(flag));
  // Docker's own, which warns of it; a file that has a secret may be named.
  expect(secret).toEqual(['login --password']);
});

const ELSEWHERE: readonly [mistake: string, file: string, proof: string][] = [
  ['verify one thing, run another', 'lesson/attack-steps.ts', 'with trust, step 12 still runs the signed digest'],
  [
    'TLS certificate fails to load, falls back to plain HTTP',
    'serve/start.test.ts',
    'where the certificate cannot be used: it never falls back to another, nor to plain HTTP',
  ],
  [
    'uploads unbounded; malformed multipart crashes the handler',
    'notary/http/multipart.test.ts',
    'a cut form is refused wherever it is cut',
  ],
  [
    'uploads unbounded; malformed multipart crashes the handler',
    'notary/http/multipart.test.ts',
    'limits the number and the size of parts',
  ],
  [
    'credentials sent on redirect or to a look-alike host',
    'remote/http/http.suite.ts',
    'to another port, host or scheme leave the credentials behind',
  ],
  [
    'credentials sent on redirect or to a look-alike host',
    'remote/auth/authorized.test.ts',
    'does not get the login, and the password is wiped all the same',
  ],
  [
    'token names its own verification key',
    'accounts/tokens/access-tokens.test.ts',
    'a token does not name the key that verifies it',
  ],
];

for (const [mistake, file, proof] of ELSEWHERE) {
  test(`${mistake}: ${file}`, () => {
    expect(readFileSync(new URL(`../${file}`, import.meta.url), 'utf8')).toContain(proof);
  });
}

/** Every path into a JSON tree, that of the tree itself left out. */
function pathsIn(value: JsonValue, path: readonly string[] = []): string[][] {
  const members: [string, JsonValue][] =
    value instanceof Map ? [...value] : Array.isArray(value) ? value.map((item, at) => [String(at), item]) : [];
  return members.flatMap(([name, member]) => [[...path, name], ...pathsIn(member, [...path, name])]);
}
