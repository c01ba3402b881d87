import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { Permissions } from '../../src/accounts/permissions.ts';
import { type ErrorCode, isSignetError } from '../../src/core/errors/index.ts';
import type { JsonValue } from '../../src/core/json/parse.ts';
import { rootCertificateOf } from '../../src/core/keys/certificate.ts';
import { makePublicKey } from '../../src/core/keys/public-key.ts';
import { parseEnvelope, writeEnvelope } from '../../src/core/metadata/envelope.ts';
import { fileInfoJson, fileInfoOf } from '../../src/core/metadata/file-info.ts';
import { parseGun } from '../../src/core/names/gun.ts';
import { matchesImage, parseImagePattern } from '../../src/core/names/image-pattern.ts';
import { parseReference } from '../../src/core/names/reference.ts';
import { parseDelegation, RELEASES, type RoleName } from '../../src/core/names/role.ts';
import { parseScope } from '../../src/core/scope.ts';
import { DAY } from '../../src/core/time.ts';
import { applyPinning, type Pinning } from '../../src/core/verify/pinning.ts';
import { trustCachedRoot } from '../../src/core/verify/root-trust.ts';
import { verifyThreshold } from '../../src/core/verify/verify.ts';
import { GunPrefixes } from '../../src/notary/http/gun-prefixes.ts';
import { parsePinning } from '../../src/trust/settings/pinning-settings.ts';
import { world } from '../accounts/world.ts';
import { content, gateWith, startRegistry } from '../registry/fixture.ts';
import { Authority } from '../support/authority.ts';
import { failure } from '../support/failure.ts';
import { payloadOf, put, type Signer, sealed, signaturesOver, tree } from '../support/forgery.ts';
import { NO_FIRST_USE, pinnedTo } from '../support/pins.ts';
import { digestOfTarget, GUN, NOW, Simulator, target, versioned } from '../support/simulator.ts';
import { TestKeys } from '../support/test-keys.ts';
import { Visitor } from '../support/visitor.ts';

// Each class of mistake that verifiers, registries and policy engines made in 2026 is a test, here or in a file of the part
// that could make it.

const ALICE = parseDelegation('targets/alice');
const SUB = parseDelegation('targets/alice/sub');
const ALL: readonly RoleName[] = ['root', 'timestamp', 'snapshot', 'targets', RELEASES, ALICE];

const thief = new TestKeys();

function stranger(): Signer {
  const key = thief.make();
  return { key, private: thief.private(key) };
}

/** A collection as docker's users make it, and somebody who has it in his cache. */
async function published(): Promise<{ simulator: Simulator; visitor: Visitor }> {
  const simulator = await Simulator.start();
  await simulator.edit((editor) => {
    editor.addDelegation(RELEASES, [simulator.owner.make()], ['']);
    editor.addTarget(RELEASES, 'latest', target(2));
    editor.addDelegation(ALICE, [simulator.owner.make()], ['a']);
    editor.addTarget(ALICE, 'a1', target(1));
  });
  const visitor = new Visitor(simulator);
  expect(await visitor.resolve()).toBe(digestOfTarget(2));
  return { simulator, visitor };
}

/** Puts a file in the place of a role's, be it what it may, listed as whoever has the keys of snapshot and timestamp can. */
function place(simulator: Simulator, role: RoleName, bytes: Buffer): void {
  const [snapshot, timestamp] = [simulator.signersOf('snapshot'), simulator.signersOf('timestamp')];
  simulator.replace(role, bytes);
  const list = (name: RoleName, by: RoleName, signers: readonly Signer[]) => {
    const info = new Map(fileInfoJson(fileInfoOf(simulator.file(name))));
    simulator.forge(by, [put(['meta', name], info), versioned(9)], signers);
  };
  if (role !== 'snapshot' && role !== 'timestamp') list(role, 'snapshot', snapshot);
  if (role !== 'timestamp') list('snapshot', 'timestamp', timestamp);
}

/** Whoever was here before, and whoever was not, gets no answer. */
async function refusedByAll(simulator: Simulator, visitor: Visitor, tag = 'latest'): Promise<void> {
  for (const who of [visitor, new Visitor(simulator)]) {
    expect(await answerOf(who, tag)).toBe('refused');
  }
}

/** The digest that a tag is resolved to, or that it is refused for a reason of the catalogue. */
async function answerOf(who: Visitor, tag = 'latest'): Promise<string> {
  try {
    return await who.resolve(tag);
  } catch (error) {
    if (isSignetError(error)) return 'refused';
    throw error;
  }
}

describe('a verdict cached by tag, not by the verified digest', () => {
  test('nothing is kept but files, which pass every check each time', async () => {
    const { simulator, visitor } = await published();
    // By the state of the trust data: the tag moves, and goes.
    await simulator.edit((editor) => editor.addTarget(RELEASES, 'latest', target(3)));
    expect(await visitor.resolve()).toBe(digestOfTarget(3));
    await simulator.edit((editor) => {
      for (const role of ['targets', RELEASES] as const) editor.removeTarget(role, 'latest');
    });
    await failure(visitor.resolve(), 'target-not-found');
    await simulator.edit((editor) => editor.addTarget(RELEASES, 'latest', target(4)));
    expect(await visitor.resolve()).toBe(digestOfTarget(4));
    // By configuration: a pin that is set later, while nothing else changes.
    const { pinning } = visitor;
    visitor.pinning = pinnedTo(GUN, stranger().key.id);
    await visitor.isRefused('root-pin-mismatch');
    visitor.pinning = pinning;
    // By the clock, also without a server.
    simulator.isOffline = true;
    expect(await visitor.resolve()).toBe(digestOfTarget(4));
    simulator.now = NOW + 15 * DAY;
    await visitor.isRefused('network-unreachable');
  });

  test.each(ALL)('a kept file that was changed is no verdict: %s', async (role) => {
    const { simulator, visitor } = await published();
    const kept = (await visitor.cache.read(GUN, role)) ?? Buffer.of();
    const changes = [
      kept.subarray(0, -1),
      Buffer.from(kept.toString().replace('"version":', '"version":1')),
      sealed(put(['expires'], '2099-01-01T00:00:00Z')(payloadOf(kept)), [stranger()]),
    ];
    for (const changed of changes) {
      await visitor.cache.write(GUN, role, changed);
      simulator.isOffline = true;
      expect(await answerOf(visitor)).toBe('refused');
      simulator.isOffline = false;
      // The server's own answer heals all but the root, which is the memory of whom to trust.
      if (role === 'root') await visitor.isRefused(changed === changes[0] ? 'json-malformed' : 'root-untrusted');
      else expect(await visitor.resolve()).toBe(digestOfTarget(2));
      await visitor.cache.write(GUN, role, kept);
    }
  });
});

test('a threshold counts signatures or entries, not authorities', async () => {
  const keys = new TestKeys();
  const authority = Authority.root('Anybody');
  const secret = keys.private(keys.make());
  const payload = tree({ a: 1 });
  // One key, bare and in certificates of several authorities, in several entries, some of them twice.
  const faces = [
    secret.publicKey,
    keys.makeRoot(GUN, NOW),
    ...[authority, Authority.root('Somebody')].map((one) => one.certify(secret, GUN)),
    ...['one', 'two'].map((name) => authority.certify(secret, name)),
  ].map((key, at) => (at === 1 ? authority.certify(secret, 'three') : key));
  const signatures = signaturesOver(
    payload,
    [...faces, ...faces].map((key) => ({ key, private: secret })),
  );
  const envelope = parseEnvelope('targets', writeEnvelope(payload, signatures));
  const signers = (threshold: number) => ({
    keys: new Map(faces.map((key) => [key.id, key])),
    keyIds: faces.map(({ id }) => id),
    threshold,
  });
  verifyThreshold(envelope, signers(1));
  const error = await failure(() => verifyThreshold(envelope, signers(2)), 'threshold-not-met');
  expect(error.detail).toMatchObject({ valid: 1, threshold: 2 });
});

test('the key comes from the bundle instead of the caller', async () => {
  const own = stranger();
  const keyJson = { keytype: own.key.type, keyval: { private: null, public: own.key.bytes.toString('base64') } };
  for (const role of ALL) {
    const { simulator, visitor } = await published();
    // The file brings the key that signed it: beside the signature, in its payload, and as a delegation of its own.
    const named = [
      put(['keys', own.key.id], tree(keyJson)),
      put(['key'], tree(keyJson)),
      ...(role === 'targets' || role === RELEASES || role === ALICE
        ? [put(['delegations'], tree({ keys: { [own.key.id]: keyJson }, roles: [] }))]
        : []),
      versioned(role === 'root' ? 2 : 9),
    ];
    const payload = named.reduce<JsonValue>((value, change) => change(value), payloadOf(simulator.file(role)));
    const file = sealed(payload, [own]).toString();
    const bundle = file.replace('"keyid":', `"key":${JSON.stringify(keyJson)},"cert":"x","keyid":`);
    place(simulator, role, Buffer.from(bundle));
    await refusedByAll(simulator, visitor, role === ALICE ? 'a1' : 'latest');
  }
});

test('what does not parse counts as verified', async () => {
  for (const role of ALL) {
    const { simulator, visitor } = await published();
    const honest = simulator.state;
    const file = simulator.file(role);
    const junk = [
      Buffer.of(),
      Buffer.from('null'),
      Buffer.from('{}'),
      Buffer.from([0xff, 0xfe]),
      file.subarray(0, file.length >> 1),
      Buffer.concat([file, file]),
      Buffer.from(file.toString().replace('"signed"', '"Signed"')),
      Buffer.from(file.toString().replace(/"sig":"[^"]*"/g, '"sig":"?"')),
      Buffer.from(file.toString().replace(/"keyid":"[^"]*"/g, '"keyid":7')),
    ];
    for (const bytes of junk) {
      place(simulator, role, bytes);
      await refusedByAll(simulator, visitor, role === ALICE ? 'a1' : 'latest');
      simulator.serve(honest);
    }
    expect(await new Visitor(simulator).resolve()).toBe(digestOfTarget(2));
  }
  // A key, a digest and a threshold that nobody can read are none, and not ones that hold.
  const { simulator } = await published();
  const unread = makePublicKey('ecdsa', Buffer.from('no key'));
  const signature = { keyId: unread.id, method: 'ecdsa', bytes: Buffer.alloc(64) };
  const envelope = parseEnvelope('targets', writeEnvelope(tree({}), [signature]));
  const signers = { keys: new Map([[unread.id, unread]]), keyIds: [unread.id], threshold: 1 };
  await failure(() => verifyThreshold(envelope, signers), 'threshold-not-met');
  const odd: [path: string[], value: unknown, code: ErrorCode][] = [
    [['targets', 'latest', 'hashes'], { sha257: 'AAAA' }, 'checksum-missing'],
    [['targets', 'latest', 'hashes', 'sha256'], 'AAAA', 'json-unexpected'],
    [['delegations', 'roles', '0', 'threshold'], null, 'json-unexpected'],
    [['expires'], 'never', 'time-invalid'],
  ];
  for (const [path, value, code] of odd) {
    const { simulator: other } = await published();
    other.forge('targets', put(path, tree(value)));
    other.relist();
    await new Visitor(other).isRefused(code);
  }
  await failure(
    () =>
      applyPinning(
        pinnedTo(GUN),
        GUN,
        [rootCertificateOf(simulator.signersOf('root')[0]?.key ?? unread) as never],
        NOW,
      ),
    'root-pin-mismatch',
  );
});

test('verification is switched on by an optional field; stripped signatures pass', async () => {
  const stripped = [
    (text: string) => text.replace(/"signatures":\[.*\]/, '"signatures":[]'),
    (text: string) => text.replace(/"signatures":\[.*\]/, '"signatures":null'),
    (text: string) => text.replace(/,"signatures":\[.*\]/, ''),
    (text: string) => text.replace(/"signatures":\[.*\]/, '"signatures":[null]'),
  ];
  for (const role of ALL) {
    for (const strip of stripped) {
      const { simulator, visitor } = await published();
      const bytes = Buffer.from(strip(simulator.file(role).toString()));
      expect(bytes.equals(simulator.file(role))).toBe(false);
      place(simulator, role, bytes);
      await refusedByAll(simulator, visitor, role === ALICE ? 'a1' : 'latest');
    }
  }
  // What says that a role needs signatures cannot be left out, either.
  const optional: [role: 'root' | 'targets', path: string[]][] = [
    ['root', ['roles', 'targets']],
    ['root', ['roles', 'targets', 'threshold']],
    ['root', ['roles', 'snapshot']],
    ['targets', ['delegations', 'roles', '0', 'threshold']],
    ['targets', ['delegations', 'roles', '0', 'keyids']],
    ['targets', ['expires']],
    ['root', ['expires']],
  ];
  for (const [role, path] of optional) {
    const { simulator, visitor } = await published();
    const changes = [put(path, undefined), versioned(role === 'root' ? 2 : 9)];
    const payload = changes.reduce<JsonValue>((value, change) => change(value), payloadOf(simulator.file(role)));
    place(simulator, role, sealed(payload, simulator.signersOf(role)));
    await refusedByAll(simulator, visitor);
  }
  // A pin with a mistyped member is an error, and no lack of a pin.
  for (const spelling of ['cert', 'Certs', 'disabletofu', 'TOFU'])
    await failure(() => parsePinning(tree({ [spelling]: {} }), '/signet.json'), 'json-unexpected');
});

test('a digest header is believed, the body not hashed', async () => {
  const { send } = await registryWith('repository:team/app:pull,push,delete');
  const [bytes, other] = [content(1, 100), content(2, 100)];
  const digest = sha256(bytes);
  const begun = await send('POST', '/v2/team/app/blobs/uploads/');
  const upload = begun.headers.get('location') ?? '';
  const lie = { 'Docker-Content-Digest': digest, 'Content-Type': 'application/octet-stream' };
  expect((await send('PUT', `${new URL(upload, 'https://x').pathname}?digest=${digest}`, other, lie)).status).toBe(400);
  expect((await send('POST', `/v2/team/app/blobs/uploads/?digest=${digest}`, other, lie)).status).toBe(400);
  expect((await send('HEAD', `/v2/team/app/blobs/${digest}`)).status).toBe(404);
  const manifest = Buffer.from('{"schemaVersion":2}');
  expect((await send('PUT', `/v2/team/app/manifests/${digest}`, manifest, lie)).status).toBe(400);
  expect((await send('GET', `/v2/team/app/manifests/${digest}`)).status).toBe(404);
});

test('DELETE with the push scope; `latest` overwritten with create-only rights', async () => {
  const { send, setScope } = await registryWith('repository:team/app:pull,push');
  const bytes = content(3, 100);
  const digest = sha256(bytes);
  expect((await send('POST', `/v2/team/app/blobs/uploads/?digest=${digest}`, bytes)).status).toBe(201);
  for (const path of [`blobs/${digest}`, 'manifests/latest', 'manifests/v1', `manifests/${digest}`]) {
    expect([path, (await send('DELETE', `/v2/team/app/${path}`)).status]).toEqual([path, 401]);
  }
  expect((await send('HEAD', `/v2/team/app/blobs/${digest}`)).status).toBe(200);
  // No tag is special, and there are no rights to create that are not rights to overwrite: push is both, pull neither.
  for (const scope of ['repository:team/app:pull', 'repository:team/app:delete', 'repository:team/app:push']) {
    setScope(scope);
    for (const tag of ['latest', 'v1', 'LATEST']) {
      const { status } = await send('PUT', `/v2/team/app/manifests/${tag}`, '{}');
      expect([scope, tag, status]).toEqual([scope, tag, 401]);
    }
  }
});

test('a deleted blob is readable through a cache', async () => {
  const { send, setScope } = await registryWith(
    'repository:team/app:pull,push,delete',
    'repository:team/other:pull,push',
  );
  const bytes = content(4, 100);
  const digest = sha256(bytes);
  const path = `/v2/team/app/blobs/${digest}`;
  for (const repository of ['app', 'other'])
    await send('POST', `/v2/team/${repository}/blobs/uploads/?digest=${digest}`, bytes);
  expect((await send('GET', path)).status).toBe(200);
  expect((await send('DELETE', path)).status).toBe(202);
  // Neither whole, nor in part, nor as what the client has anyway, though the bytes are still here for another repository.
  for (const headers of [{}, { Range: 'bytes=0-9' }, { 'If-None-Match': `"${digest}"` }] as const) {
    for (const method of ['GET', 'HEAD']) {
      expect([headers, method, (await send(method, path, undefined, headers)).status]).toEqual([headers, method, 404]);
    }
  }
  // And who may not read `other` cannot have it mounted from there.
  setScope('repository:team/app:pull,push');
  const mounted = await send('POST', `/v2/team/app/blobs/uploads/?mount=${digest}&from=team/other`);
  expect(mounted.status).not.toBe(201);
  expect((await send('HEAD', path)).status).toBe(404);
});

test('an unanchored pattern matches a look-alike host', async () => {
  const lookalikes = [
    'registry.example.com.evil.example/team/app',
    'registry.example.comevil/team/app',
    'evil-registry.example.com/team/app',
    'evil.example/registry.example.com/team/app',
    'registry.example.com:444/team/app',
    'registryxexample.com/team/app',
  ];
  // What a server serves and gives to whom.
  const prefixes = new GunPrefixes(['registry.example.com/team/']);
  expect(prefixes.admit('registry.example.com/team/app')).toBe(true);
  for (const gun of [...lookalikes, 'registry.example.com/team2/app', 'registry.example.com/team'])
    expect([gun, prefixes.admit(gun)]).toEqual([gun, false]);
  for (const prefix of ['registry.example.com', 'registry.example.com/team'])
    await failure(() => new GunPrefixes([prefix]), 'gun-prefix-invalid');
  const { store } = world();
  const permissions = new Permissions(store, {
    ownHosts: ['localhost:5000'],
    publicPull: ['registry.example.com/team/*', 'library/*'],
  });
  const pulls = (name: string) => permissions.allowedActions(undefined, parseScope(`repository:${name}:pull`));
  expect(await pulls('registry.example.com/team/app')).toEqual(['pull']);
  for (const name of [...lookalikes, 'registry.example.com/team2/app', 'library2/x', 'evil/library/x'])
    expect([name, await pulls(name)]).toEqual([name, []]);
  // Which images need no signature.
  const exempt = parseImagePattern('registry.example.com/team/*');
  expect(matchesImage(exempt, parseReference('registry.example.com/team/app'))).toBe(true);
  for (const name of [...lookalikes, 'registry.example.com/team2/app', 'registry.example.com/team'])
    expect([name, matchesImage(exempt, parseReference(name))]).toEqual([name, false]);
  // Which pins apply to whom; how the beginning of a host is refused as a pattern, `trust/settings/pinning-settings.test.ts` shows.
  const keys = new TestKeys();
  const found = rootCertificateOf(keys.makeRoot(GUN, NOW));
  if (found === undefined) throw new Error('no certificate');
  const pinning: Pinning = { ...NO_FIRST_USE, certs: new Map([['registry.example.com/*', []]]) };
  await failure(() => applyPinning(pinning, GUN, [found], NOW), 'root-pin-mismatch');
  for (const gun of lookalikes) expect(applyPinning(pinning, parseGun(gun), [found], NOW)).toEqual([found]);
});

test('a public authority is compromised', async () => {
  // It issues a certificate for the repository to a thief: who pinned a private authority, or one key, is not deceived.
  const [publicOne, privateOne] = [Authority.root('Known Everywhere'), Authority.root('Acme')];
  const [stolen, own, sibling] = [
    publicOne.rootKey(thief, GUN),
    privateOne.rootKey(thief, GUN),
    privateOne.rootKey(thief, GUN),
  ].map((key) => rootCertificateOf(key));
  if (stolen === undefined || own === undefined || sibling === undefined) throw new Error('no certificate');
  const byAuthority = { ...pinnedTo(GUN), certs: new Map(), ca: new Map([[GUN, [privateOne.certificate]]]) };
  expect(applyPinning(byAuthority, GUN, [stolen, own], NOW)).toEqual([own]);
  await failure(() => applyPinning(byAuthority, GUN, [stolen], NOW), 'root-pin-mismatch');
  const byKey = pinnedTo(GUN, own.keyId);
  expect(applyPinning(byKey, GUN, [stolen, own, sibling], NOW)).toEqual([own]);
  for (const other of [stolen, sibling])
    await failure(() => applyPinning(byKey, GUN, [other], NOW), 'root-pin-mismatch');
});

describe('an intermediate step of a chain is trusted', () => {
  test('of roots: each is signed by the one before', async () => {
    const { simulator, visitor } = await published();
    for (let turn = 0; turn < 3; turn++) await simulator.rotateRoot();
    const certificate = thief.makeRoot(GUN, NOW);
    const own = { key: certificate, private: thief.private(certificate) };
    const keyed = tree({
      keytype: certificate.type,
      keyval: { private: null, public: certificate.bytes.toString('base64') },
    });
    for (const step of [2, 3]) {
      const honest = simulator.byName(`${step}.root`) ?? Buffer.of();
      const forged = [
        put(['keys', certificate.id], keyed),
        put(['roles', 'root', 'keyids'], [certificate.id]),
      ].reduce<JsonValue>((value, change) => change(value), payloadOf(honest));
      simulator.lies.set(`${step}.root`, sealed(forged, [own]));
      await visitor.isRefused('root-rotation-invalid');
      // Rightly signed by the last root, and not by the step before it.
      simulator.lies.set(`${step}.root`, sealed(payloadOf(honest), simulator.signersOf('root')));
      await visitor.isRefused('root-rotation-invalid');
      simulator.lies.clear();
    }
    expect(await visitor.resolve()).toBe(digestOfTarget(2));
  });

  test('of delegations: what a role without valid signatures delegates counts for nothing', async () => {
    const { simulator } = await published();
    await simulator.edit((editor) => {
      editor.addDelegation(SUB, [simulator.owner.make()], ['a']);
      editor.addTarget(SUB, 'a2', target(5));
    });
    simulator.forge(ALICE, [], [stranger()]);
    simulator.relist();
    const { set, unusable } = await new Visitor(simulator).update();
    expect([set.targets.has(ALICE), set.targets.has(SUB)]).toEqual([false, false]);
    expect([...unusable.keys()]).toEqual([ALICE]);
  });

  test('of certificates: each is an authority that the one above signed', async () => {
    const acme = Authority.root('Acme');
    const between = acme.authority('Acme Signing');
    const self = Authority.root('Acme Signing');
    const notOne = acme.authority('Acme Server', { isAuthority: false });
    const late = acme.authority('Acme Past', { to: NOW - 1 });
    const pinning = { ...pinnedTo(GUN), certs: new Map(), ca: new Map([[GUN, [acme.certificate]]]) };
    const admits = (issuer: Authority) => {
      const certificate = rootCertificateOf(issuer.rootKey(thief, GUN, [issuer]));
      return certificate === undefined ? undefined : applyPinning(pinning, GUN, [certificate], NOW).length;
    };
    expect(admits(between)).toBe(1);
    for (const issuer of [self, late]) await failure(() => admits(issuer), 'root-pin-mismatch');
    expect(admits(notOne)).toBeUndefined();
  });

  test('of a root that is kept: it is signed by itself, and by the pinned keys', async () => {
    const { simulator, visitor } = await published();
    await visitor.cache.write(GUN, 'root', sealed(payloadOf(simulator.file('root')), [stranger()]));
    await visitor.isRefused('root-untrusted');
    await failure(
      () => trustCachedRoot(parseGun('registry.example.com/acme/other'), simulator.file('root')),
      'root-untrusted',
    );
  });
});

async function registryWith(...scopes: string[]) {
  const registry = await startRegistry();
  const setScope = (...granted: string[]) => {
    registry.gate = gateWith(...granted);
  };
  setScope(...scopes);
  return { send: registry.send, setScope };
}

function sha256(bytes: Uint8Array): string {
  return `sha256:${new Bun.CryptoHasher('sha256').update(bytes).digest('hex')}`;
}

/** What other parts could do wrong, and the tests that show that they do not. */
const ELSEWHERE: readonly [mistake: string, file: string, proof: string][] = [
  [
    'a verdict cached by tag, not by the verified digest',
    'store/token-file.host.test.ts',
    'forgets everything with a login or logout, by whichever tool',
  ],
  ['a verdict cached by tag, not by the verified digest', 'trust/chain.test.ts', 'the same as many requests'],
  [
    'a digest header is believed, the body not hashed',
    'remote/registry/registry.test.ts',
    'refuses a registry that says another digest than it sends',
  ],
  [
    'a digest header is believed, the body not hashed',
    'remote/registry/registry.test.ts',
    'refuses other content than was asked for',
  ],
  [
    'a digest header is believed, the body not hashed',
    'registry/http/manifests.test.ts',
    'can be pushed under its own digest only',
  ],
  [
    'the realm of a challenge gets the credentials',
    'remote/auth/authorized.test.ts',
    'does not get the login, and the password is wiped all the same',
  ],
  [
    'DELETE with the push scope; `latest` overwritten with create-only rights',
    'registry/access.test.ts',
    'what a request asks for',
  ],
  ['a deleted blob is readable through a cache', 'registry/http/blobs.test.ts', 'can be taken from its repository'],
  [
    'a policy checks the cleaned path, the call uses the raw one',
    'serve/attacks/paths.test.ts',
    'no spelling of a path leads to what is not mallory’s',
  ],
  [
    'a policy checks the cleaned path, the call uses the raw one',
    'registry/access.test.ts',
    'an encoded slash separates as a plain one, so that it leads nowhere else',
  ],
  [
    'an unanchored pattern matches a look-alike host',
    'trust/settings/pinning-settings.test.ts',
    'a pattern that look-alike hosts have too is refused',
  ],
  [
    'an unanchored pattern matches a look-alike host',
    'accounts/permissions.test.ts',
    'repository:localhost:5000.evil.com/alice/app:pull,push',
  ],
];

for (const [mistake, file, proof] of ELSEWHERE) {
  test(`${mistake}: ${file}`, () => {
    expect(readFileSync(new URL(`../${file}`, import.meta.url), 'utf8')).toContain(proof);
  });
}
