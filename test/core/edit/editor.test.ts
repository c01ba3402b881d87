import { beforeEach, describe, expect, test } from 'bun:test';
import { Editor } from '../../../src/core/edit/editor.ts';
import { parseJson } from '../../../src/core/json/parse.ts';
import { generatePrivateKey } from '../../../src/core/keys/private-key.ts';
import type { PublicKey } from '../../../src/core/keys/public-key.ts';
import { parseEnvelope } from '../../../src/core/metadata/envelope.ts';
import { fileInfoOf } from '../../../src/core/metadata/file-info.ts';
import { readRoot } from '../../../src/core/metadata/root.ts';
import { readSnapshot } from '../../../src/core/metadata/snapshot.ts';
import { readTargets, type Target, type Targets } from '../../../src/core/metadata/targets.ts';
import {
  BASE_ROLES,
  parseDelegation,
  RELEASES,
  type RoleName,
  type TargetsRole,
} from '../../../src/core/names/role.ts';
import { DAY, YEAR } from '../../../src/core/time.ts';
import { validSigners } from '../../../src/core/verify/verify.ts';
import { failure } from '../../support/failure.ts';
import { payloadOf } from '../../support/forgery.ts';
import { expiring, GUN, NOW, Simulator, target, versioned } from '../../support/simulator.ts';

const ALICE = parseDelegation('targets/alice');
const SUB = parseDelegation('targets/alice/sub');
const BOB = parseDelegation('targets/bob');

let simulator: Simulator;
let alice: PublicKey;
beforeEach(async () => {
  simulator = await Simulator.start();
  alice = simulator.owner.make();
});

type Edit = (editor: Editor) => void;

async function editor(): Promise<Editor> {
  const { set, unusable } = await simulator.trusted();
  return Editor.of(set, unusable);
}

/** The files that an edit of the published collection leads to; nothing is published. */
async function files(edit: Edit): Promise<ReadonlyMap<RoleName, Buffer>> {
  const own = await editor();
  edit(own);
  return own.sign(simulator.owner, simulator.now);
}

async function targetsAfter(edit: Edit, role: TargetsRole = 'targets'): Promise<Targets> {
  const file = (await files(edit)).get(role);
  if (file === undefined) throw new Error(`${role} was not signed`);
  return readTargets(role, payloadOf(file));
}

const roles = async (edit: Edit) => [...(await files(edit)).keys()];
const current = (role: TargetsRole) => readTargets(role, payloadOf(simulator.file(role)));

describe('a new collection (protocol C.12)', () => {
  const create = (snapshot: PublicKey) =>
    Editor.create({
      root: [simulator.owner.makeRoot(GUN, NOW)],
      targets: alice,
      snapshot,
      timestamp: simulator.online.make(),
    });

  test('has root and targets 1, with threshold 1 everywhere', async () => {
    const own = create(simulator.online.make());
    expect(own.isDirty).toBe(true);
    const made = await own.sign(simulator.owner, NOW);
    expect([...made.keys()]).toEqual(['root', 'targets']);
    const root = readRoot(payloadOf(made.get('root') ?? Buffer.of()));
    expect([root.version, root.expires.at]).toEqual([1, NOW + 3650 * DAY]);
    expect(BASE_ROLES.map((role) => root.roles.get(role)?.threshold)).toEqual([1, 1, 1, 1]);
    const targets = readTargets('targets', payloadOf(made.get('targets') ?? Buffer.of()));
    expect([targets.version, targets.targets.size, targets.expires.at]).toEqual([1, 0, NOW + 1095 * DAY]);
  });

  test('has a snapshot of the client where the client holds its key', async () => {
    const made = await create(simulator.owner.make()).sign(simulator.owner, NOW);
    expect([...made.keys()]).toEqual(['root', 'targets', 'snapshot']);
    const { meta, version } = readSnapshot(payloadOf(made.get('snapshot') ?? Buffer.of()));
    expect(version).toBe(1);
    expect([...meta]).toEqual([
      ['root', fileInfoOf(made.get('root') ?? Buffer.of())],
      ['targets', fileInfoOf(made.get('targets') ?? Buffer.of())],
    ]);
  });

  test('can delegate at once', async () => {
    const own = create(simulator.online.make());
    own.addDelegation(ALICE, [simulator.owner.make()], ['']);
    own.addTarget(ALICE, 'v1', target(1));
    expect([...(await own.sign(simulator.owner, NOW)).keys()]).toEqual(['root', 'targets', ALICE]);
  });
});

describe('nothing', () => {
  test('is dirty before it is changed', async () => {
    const own = await editor();
    expect(own.isDirty).toBe(false);
    expect([...(await own.sign(simulator.owner, NOW))]).toEqual([]);
  });

  const idle: [what: string, edit: Edit][] = [
    ['adding what is there', (own) => own.addTarget('targets', 'latest', target(1))],
    ['removing what is not there', (own) => own.removeTarget('targets', 'none')],
    ['removing a delegation that is not there', (own) => own.removeDelegation(ALICE)],
    ['purging keys that are not there', (own) => own.purgeDelegationKeys([alice.id])],
  ];
  for (const [what, edit] of idle) {
    test(`comes of ${what}`, async () => {
      const own = await editor();
      edit(own);
      expect(own.isDirty).toBe(false);
    });
  }
});

describe('targets (protocol C.10)', () => {
  test('are added, with a new version, a new expiry and nothing else changed', async () => {
    simulator.now = NOW + 10 * DAY;
    const { version, expires, targets } = await targetsAfter((own) => own.addTarget('targets', 'v1', target(2)));
    expect([version, expires.at]).toEqual([2, simulator.now + 1095 * DAY]);
    expect([...targets.keys()]).toEqual(['latest', 'v1']);
    expect(targets.get('v1')).toEqual(target(2));
  });

  test('are replaced, also by one that differs in custom data or a second hash', async () => {
    const { hashes } = target(1);
    const others: Target[] = [
      target(2),
      target(1, 529),
      { length: 528, hashes, custom: null },
      { length: 528, hashes, custom: 'x' },
      { length: 528, hashes: new Map([...hashes, ['sha512', Buffer.alloc(64)]]) },
    ];
    for (const other of others) {
      const { targets } = await targetsAfter((own) => own.addTarget('targets', 'latest', other));
      expect(targets.get('latest')).toEqual(other);
    }
  });

  test('are removed', async () => {
    expect((await targetsAfter((own) => own.removeTarget('targets', 'latest'))).targets.size).toBe(0);
  });

  test('have custom data in canonical form, so that Go verifies it too (protocol G-14)', async () => {
    const custom = parseJson('{"z":1,"a":{"y":[true,null],"b":"é"}}');
    const signed = await files((own) => own.addTarget('targets', 'c', { ...target(1), custom }));
    expect(signed.get('targets')?.toString()).toContain('"custom":{"a":{"b":"é","y":[true,null]},"z":1}');
  });

  test('that could not be read back are not signed', async () => {
    const none = { length: 1, hashes: new Map() };
    const short = { length: 1, hashes: new Map([['sha256', Buffer.alloc(31)]]) };
    const negative = { ...target(1), length: -1 };
    const fraction = { ...target(1), custom: parseJson('1.5', { numbers: 'any' }) };
    const control = { ...target(1), custom: 'a\nb' };
    const cases = [
      [none, 'checksum-missing'],
      [short, 'json-unexpected'],
      [negative, 'json-unexpected'],
      [fraction, 'json-number-unsafe'],
      [control, 'json-malformed'],
    ] as const;
    for (const [wrong, code] of cases)
      await failure(
        files((own) => own.addTarget('targets', 'x', wrong)),
        code,
      );
  });

  test('have names that can be signed', async () => {
    const own = await editor();
    for (const name of ['', 'a\nb', 'a\u0000', 'a\u001f']) {
      await failure(() => own.addTarget('targets', name, target(1)), 'metadata-malformed');
    }
    // Go's JSON has DEL in strings, and notary publishes such names.
    own.addTarget('targets', '\u007f', target(1));
  });

  test('belong to a role that exists', async () => {
    const own = await editor();
    await failure(() => own.addTarget(ALICE, 'v1', target(1)), 'role-unknown');
    await failure(() => own.removeTarget(ALICE, 'v1'), 'role-unknown');
    expect(own.isDirty).toBe(false);
  });

  test('belong to a role whose paths admit them', async () => {
    const own = await editor();
    own.addDelegation(ALICE, [alice], ['v', 'w']);
    own.addDelegation(SUB, [simulator.owner.make()], ['v1']);
    own.addTarget(ALICE, 'v2', target(1));
    own.addTarget(SUB, 'v1', target(1));
    for (const [role, name] of [
      [ALICE, 'x'],
      [ALICE, ''],
      [SUB, 'v2'],
      [SUB, 'w'],
    ] as const) {
      const code = name === '' ? 'metadata-malformed' : 'change-invalid';
      await failure(() => own.addTarget(role, name, target(1)), code);
    }
  });
});

describe('many changes of one role', () => {
  test('copy what is published once, and never what was changed since', async () => {
    const { set } = await simulator.trusted();
    const published = set.targets.get('targets')?.payload.targets;
    const own = Editor.of(set);
    own.addTarget('targets', 'first', target(2));
    const edited = own.targetsOf('targets');
    for (let index = 0; index < 100; index++) own.addTarget('targets', `v${index}`, target(3));
    own.addTarget('targets', 'first', target(4));
    for (let index = 0; index < 99; index++) own.removeTarget('targets', `v${index}`);
    expect(own.targetsOf('targets')).toBe(edited);
    expect([...edited.keys()]).toEqual(['latest', 'first', 'v99']);
    expect(edited.get('first')).toEqual(target(4));
    expect([...(published?.keys() ?? [])]).toEqual(['latest']);
  });

  test('of two editors of one collection stay apart', async () => {
    const { set } = await simulator.trusted();
    const [one, two] = [Editor.of(set), Editor.of(set)];
    one.addTarget('targets', 'one', target(2));
    two.addTarget('targets', 'two', target(2));
    two.removeTarget('targets', 'latest');
    expect([...one.targetsOf('targets').keys()]).toEqual(['latest', 'one']);
    expect([...two.targetsOf('targets').keys()]).toEqual(['two']);
  });
});

describe('delegations (protocol C.10)', () => {
  const withAlice = (more: Edit = () => {}) =>
    simulator.edit((own) => {
      own.addDelegation(ALICE, [alice], ['a']);
      more(own);
    });

  test('are made with keys and paths', async () => {
    const { delegations, delegationKeys } = await targetsAfter((own) => own.addDelegation(ALICE, [alice], ['a', 'b']));
    expect(delegations).toEqual([{ name: ALICE, keyIds: [alice.id], threshold: 1, paths: ['a', 'b'] }]);
    expect(delegationKeys).toEqual(new Map([[alice.id, alice]]));
  });

  test('are not published by themselves, only with what they say', async () => {
    expect(await roles((own) => own.addDelegation(ALICE, [alice], ['']))).toEqual(['targets']);
  });

  test('get more keys and paths, each once, and keep their threshold', async () => {
    await withAlice();
    const bob = simulator.owner.make();
    const { delegations } = await targetsAfter((own) => own.addDelegation(ALICE, [bob, alice], ['b', 'a', 'b'], 2));
    expect(delegations).toEqual([{ name: ALICE, keyIds: [alice.id, bob.id], threshold: 1, paths: ['a', 'b'] }]);
  });

  test('get paths without keys', async () => {
    await withAlice();
    const { delegations } = await targetsAfter((own) => own.addDelegation(ALICE, [], ['b']));
    expect(delegations[0]?.paths).toEqual(['a', 'b']);
  });

  test('keep their order when one of them changes', async () => {
    await withAlice((own) => own.addDelegation(BOB, [simulator.owner.make()], ['b']));
    const { delegations } = await targetsAfter((own) => own.addDelegation(ALICE, [], ['b']));
    expect(delegations.map(({ name }) => name)).toEqual([ALICE, BOB]);
  });

  test('need as many keys as their threshold, and a threshold', async () => {
    const own = await editor();
    for (const [keys, threshold] of [
      [[], 1],
      [[alice], 0],
      [[alice], -1],
      [[alice], 2],
    ] as const) {
      await failure(() => own.addDelegation(ALICE, keys, [''], threshold), 'threshold-invalid');
    }
    own.addDelegation(ALICE, [alice, simulator.owner.make()], [''], 2);
    expect(own.delegationsOf('targets')[0]?.threshold).toBe(2);
  });

  test('get no paths that their delegator may not give', async () => {
    await withAlice();
    const own = await editor();
    for (const path of ['', 'b', 'A']) {
      const error = await failure(() => own.addDelegation(SUB, [alice], ['a1', path]), 'role-invalid');
      expect(error.message).toBe('tuf: invalid role targets/alice/sub. invalid paths to add to role');
    }
    own.addDelegation(SUB, [alice], ['a', 'ab']);
  });

  test('need a delegator', async () => {
    const own = await editor();
    await failure(() => own.addDelegation(SUB, [alice], ['a']), 'role-unknown');
  });

  test('lose paths', async () => {
    await withAlice((own) => own.addDelegation(ALICE, [], ['b', 'c']));
    const after = async (edit: Edit) => (await targetsAfter(edit)).delegations[0]?.paths ?? [];
    expect(await after((own) => own.removeDelegationPaths(ALICE, ['b', 'x']))).toEqual(['a', 'c']);
    expect(await after((own) => own.clearDelegationPaths(ALICE))).toEqual([]);
  });

  test('lose keys, and stay without any (protocol C.10)', async () => {
    await withAlice();
    const { delegations, delegationKeys } = await targetsAfter((own) => own.removeDelegationKeys(ALICE, [alice.id]));
    expect(delegations).toEqual([{ name: ALICE, keyIds: [], threshold: 1, paths: ['a'] }]);
    expect(delegationKeys.size).toBe(0);
  });

  test('lose keys by the ID of the key inside of a certificate', async () => {
    const secret = simulator.owner.add(generatePrivateKey('ecdsa'));
    const certificate = simulator.owner.makeRoot(GUN, NOW);
    await simulator.edit((own) => own.addDelegation(ALICE, [certificate, secret.publicKey], ['']));
    const inside = simulator.owner.private(certificate).id;
    expect(inside).not.toBe(certificate.id);
    const { delegations, delegationKeys } = await targetsAfter((own) => own.removeDelegationKeys(ALICE, [inside]));
    expect(delegations[0]?.keyIds).toEqual([secret.id]);
    expect([...delegationKeys.keys()]).toEqual([secret.id]);
  });

  test('that do not exist lose nothing', async () => {
    const own = await editor();
    await failure(() => own.removeDelegationKeys(ALICE, [alice.id]), 'role-unknown');
    await failure(() => own.removeDelegationPaths(ALICE, ['']), 'role-unknown');
  });

  test('share keys, which stay listed while one of them uses them', async () => {
    await withAlice((own) => own.addDelegation(BOB, [alice], ['b']));
    const one = await targetsAfter((own) => own.removeDelegationKeys(ALICE, [alice.id]));
    expect([...one.delegationKeys.keys()]).toEqual([alice.id]);
    const both = await targetsAfter((own) => own.purgeDelegationKeys([alice.id]));
    expect(both.delegationKeys.size).toBe(0);
    expect(both.delegations.map(({ keyIds }) => keyIds)).toEqual([[], []]);
  });

  test('are purged of keys in the whole tree', async () => {
    const bob = simulator.owner.make();
    await withAlice((own) => own.addDelegation(SUB, [alice, bob], ['a']));
    const signed = await files((own) => own.purgeDelegationKeys([bob.id]));
    expect([...signed.keys()]).toEqual([ALICE]);
    expect(readTargets(ALICE, payloadOf(signed.get(ALICE) ?? Buffer.of())).delegations[0]?.keyIds).toEqual([alice.id]);
  });

  test('are not purged below a role that lost its own last key thereby', async () => {
    await withAlice((own) => own.addDelegation(SUB, [alice, simulator.owner.make()], ['a']));
    expect(await roles((own) => own.purgeDelegationKeys([alice.id]))).toEqual(['targets']);
  });

  test('are removed with all below them', async () => {
    await withAlice((own) => {
      own.addTarget(ALICE, 'a1', target(1));
      own.addDelegation(SUB, [simulator.owner.make()], ['a']);
      own.addTarget(SUB, 'a2', target(1));
    });
    const own = await editor();
    own.removeDelegation(ALICE);
    await failure(() => own.addTarget(SUB, 'a2', target(2)), 'role-unknown');
    await failure(() => own.removeTarget(ALICE, 'a1'), 'role-unknown');
    await failure(() => own.witness(ALICE), 'role-unknown');
    expect(own.delegationsOf(ALICE)).toEqual([]);
    const signed = await own.sign(simulator.owner, NOW);
    expect([...signed.keys()]).toEqual(['targets']);
    expect(readTargets('targets', payloadOf(signed.get('targets') ?? Buffer.of()))).toMatchObject({
      delegations: [],
      delegationKeys: new Map(),
    });
  });

  test('that are made again, at once or later, begin empty and go on with the versions', async () => {
    await withAlice((own) => own.addTarget(ALICE, 'a1', target(1)));
    await simulator.edit((own) => own.addTarget(ALICE, 'a2', target(1)));
    await simulator.edit((own) => {
      own.removeDelegation(ALICE);
      own.addDelegation(ALICE, [simulator.owner.make()], ['a']);
      own.addTarget(ALICE, 'a3', target(3));
    });
    expect([current(ALICE).version, [...current(ALICE).targets.keys()]]).toEqual([3, ['a3']]);
    await simulator.edit((own) => own.removeDelegation(ALICE));
    await simulator.edit((own) => own.addDelegation(ALICE, [simulator.owner.make()], ['a']));
    await simulator.edit((own) => own.addTarget(ALICE, 'a4', target(4)));
    expect([current(ALICE).version, [...current(ALICE).targets.keys()]]).toEqual([4, ['a4']]);
  });

  test('that are made again after an expired file begin empty too', async () => {
    await withAlice((own) => own.addTarget(ALICE, 'a1', target(1)));
    simulator.forge(ALICE, expiring(NOW - DAY));
    simulator.relist();
    const again = await targetsAfter((own) => {
      own.removeDelegation(ALICE);
      own.addDelegation(ALICE, [simulator.owner.make()], ['a']);
      own.addTarget(ALICE, 'a2', target(2));
    }, ALICE);
    expect([again.version, [...again.targets.keys()]]).toEqual([2, ['a2']]);
  });
});

describe('a key that is taken away', () => {
  /** Lets alice sign a release, and gives the key of another who may. */
  async function releasedByAlice(): Promise<PublicKey> {
    await simulator.edit((own) => {
      own.addDelegation(RELEASES, [alice], ['']);
      own.addTarget(RELEASES, 'v1', target(1));
    });
    const second = simulator.owner.make();
    await simulator.edit((own) => own.addDelegation(RELEASES, [second], ['']));
    return second;
  }

  test('leaves files that no one vouches for, which are named', async () => {
    await releasedByAlice();
    const own = await editor();
    expect(own.brokenDelegations()).toEqual([]);
    own.removeDelegationKeys(RELEASES, [alice.id]);
    expect(own.brokenDelegations()).toEqual([RELEASES]);
  });

  test('is made up for in the same publish by signing again', async () => {
    const second = await releasedByAlice();
    await simulator.edit((own) => {
      own.removeDelegationKeys(RELEASES, [alice.id]);
      for (const broken of own.brokenDelegations()) own.witness(broken);
    });
    const { set, unusable } = await simulator.trusted();
    expect(unusable.size).toBe(0);
    expect([...(set.targets.get(RELEASES)?.payload.targets.keys() ?? [])]).toEqual(['v1']);
    const envelope = parseEnvelope(RELEASES, simulator.file(RELEASES));
    expect(envelope.signatures.map(({ keyId }) => keyId)).toEqual([second.id]);
  });

  test('leaves too few signatures where two are asked for', async () => {
    const [bob, carol] = [simulator.owner.make(), simulator.owner.make()];
    simulator.owner.forget(carol);
    await simulator.edit((own) => {
      own.addDelegation(RELEASES, [alice, bob, carol], [''], 2);
      own.addTarget(RELEASES, 'v1', target(1));
    });
    const own = await editor();
    expect(own.brokenDelegations()).toEqual([]);
    own.removeDelegationKeys(RELEASES, [alice.id]);
    expect(own.brokenDelegations()).toEqual([RELEASES]);
  });

  test('does no harm where another signature remains', async () => {
    const second = await releasedByAlice();
    await simulator.edit((own) => own.addTarget(RELEASES, 'v2', target(2)));
    const own = await editor();
    own.removeDelegationKeys(RELEASES, [alice.id]);
    expect(own.brokenDelegations()).toEqual([]);
    own.removeDelegationKeys(RELEASES, [second.id]);
    expect(own.brokenDelegations()).toEqual([RELEASES]);
  });
});

describe('files that cannot be trusted as they stand', () => {
  beforeEach(() =>
    simulator.edit((own) => {
      own.addDelegation(ALICE, [alice], ['']);
      own.addTarget(ALICE, 'a1', target(1));
    }),
  );

  test('are signed again with all they say where they have only expired', async () => {
    simulator.forge(ALICE, expiring(NOW - DAY));
    simulator.relist();
    const after = await targetsAfter((own) => own.addTarget(ALICE, 'a2', target(2)), ALICE);
    expect([after.version, [...after.targets.keys()]]).toEqual([2, ['a1', 'a2']]);
    expect(after.expires.at).toBe(NOW + 1095 * DAY);
  });

  test('lose all they say if no one vouches for it, unless someone does now', async () => {
    simulator.forge(ALICE, versioned(7), simulator.signersOf('root'));
    simulator.relist();
    const changed = await targetsAfter((own) => own.addTarget(ALICE, 'a2', target(2)), ALICE);
    expect([changed.version, [...changed.targets.keys()]]).toEqual([8, ['a2']]);
    const witnessed = await targetsAfter((own) => own.witness(ALICE), ALICE);
    expect([witnessed.version, [...witnessed.targets.keys()]]).toEqual([8, ['a1']]);
  });
});

describe('witnessing', () => {
  test('signs again what is there', async () => {
    simulator.now = NOW + YEAR;
    await simulator.refresh();
    const after = await targetsAfter((own) => own.witness('targets'));
    expect([after.version, after.expires.at, [...after.targets]]).toEqual([
      2,
      simulator.now + 1095 * DAY,
      [...current('targets').targets],
    ]);
  });

  test('needs a role', async () => {
    const own = await editor();
    await failure(() => own.witness(ALICE), 'role-unknown');
  });
});

describe('keys of base roles (protocol C.13)', () => {
  const rootAfter = async (edit: Edit) => readRoot(payloadOf((await files(edit)).get('root') ?? Buffer.of()));

  test('are replaced: targets signs again in the same publish, its old key goes', async () => {
    const old = simulator.signersOf('targets')[0]?.key;
    const signed = await files((own) => own.replaceKeys('targets', [alice]));
    expect([...signed.keys()]).toEqual(['root', 'targets']);
    const root = readRoot(payloadOf(signed.get('root') ?? Buffer.of()));
    expect(root.version).toBe(2);
    expect(root.roles.get('targets')).toEqual({ keyIds: [alice.id], threshold: 1 });
    expect(root.keys.has(old?.id ?? alice.id)).toBe(false);
    const file = parseEnvelope('targets', signed.get('targets') ?? Buffer.of());
    expect(validSigners(file, { keys: root.keys, keyIds: [alice.id] })).toEqual(new Set([alice.id]));
    await simulator.edit((own) => own.replaceKeys('targets', [alice]));
    expect((await simulator.trusted()).set.root.root.version).toBe(2);
  });

  test('of the root leave their certificates behind, and sign with the new ones (protocol A.13.2)', async () => {
    const [old] = simulator.signersOf('root');
    const fresh = simulator.owner.makeRoot(GUN, NOW);
    const signed = await files((own) => own.replaceKeys('root', [fresh]));
    expect([...signed.keys()]).toEqual(['root']);
    const file = signed.get('root') ?? Buffer.of();
    const root = readRoot(payloadOf(file));
    expect(root.roles.get('root')).toEqual({ keyIds: [fresh.id], threshold: 1 });
    expect([...root.keys.keys()]).toContain(old?.key.id ?? fresh.id);
    expect(parseEnvelope('root', file).signatures.map(({ keyId }) => keyId)).toEqual([fresh.id, old?.key.id as never]);
  });

  test('of the root are needed, old and new', async () => {
    const [old] = simulator.signersOf('root');
    const fresh = simulator.owner.makeRoot(GUN, NOW);
    simulator.owner.forget(fresh);
    await failure(
      files((own) => own.replaceKeys('root', [fresh])),
      'signing-key-missing',
    );
    const other = simulator.owner.makeRoot(GUN, NOW);
    if (old !== undefined) simulator.owner.forget(old.key);
    await failure(
      files((own) => own.replaceKeys('root', [other])),
      'signing-key-missing',
    );
  });

  test('of former roots stay over many rotations; those of other roles do not', async () => {
    const certificates = [simulator.signersOf('root')[0]?.key.id];
    for (let turn = 0; turn < 3; turn++) certificates.push((await simulator.rotateRoot()).id);
    const before = await rootAfter((own) => own.replaceKeys('targets', [alice]));
    expect(before.version).toBe(5);
    const listed = [...before.keys.keys()];
    for (const id of certificates) expect(listed).toContain(id as never);
    expect(listed).toHaveLength(4 + 3);
    const snapshotKey = simulator.signersOf('snapshot')[0]?.key;
    const after = await rootAfter((own) => own.replaceKeys('snapshot', [alice]));
    expect(after.keys.has(snapshotKey?.id ?? alice.id)).toBe(false);
    expect(after.keys.size).toBe(7);
  });

  test('several rotations at once are one version, signed by the keys that were published', async () => {
    const [old] = simulator.signersOf('root');
    const [lost, kept] = [simulator.owner.makeRoot(GUN, NOW), simulator.owner.makeRoot(GUN, NOW)];
    simulator.owner.forget(lost);
    await simulator.edit((own) => {
      own.replaceKeys('root', [lost]);
      own.replaceKeys('root', [kept]);
    });
    expect((await simulator.trusted()).set.root.root.version).toBe(2);
    const { signatures } = parseEnvelope('root', simulator.file('root'));
    expect(signatures.map(({ keyId }) => keyId)).toEqual([kept.id, old?.key.id as never]);
  });

  test('cannot be fewer than their threshold, nor be listed twice', async () => {
    for (const [keys, threshold] of [
      [[], 1],
      [[alice], 2],
      [[alice], 0],
    ] as const) {
      await failure(
        files((own) => own.replaceKeys('targets', keys, threshold)),
        'threshold-invalid',
      );
    }
    await failure(
      files((own) => own.replaceKeys('targets', [alice, alice])),
      'metadata-malformed',
    );
  });

  test('can be several, all of which sign', async () => {
    const bob = simulator.owner.make();
    await simulator.edit((own) => own.replaceKeys('targets', [alice, bob], 2));
    const { signatures } = parseEnvelope('targets', simulator.file('targets'));
    expect(signatures.map(({ keyId }) => keyId)).toEqual([alice.id, bob.id]);
    simulator.owner.forget(bob);
    await failure(
      files((own) => own.witness('targets')),
      'signing-key-missing',
    );
  });
});

describe('the snapshot', () => {
  test('is left to the server that has its key', async () => {
    expect(await roles((own) => own.witness('targets'))).toEqual(['targets']);
  });

  test('is made by the client that has its key, over all files', async () => {
    simulator = await Simulator.start({ snapshotKeyBy: 'owner' });
    await simulator.edit((own) => {
      own.addDelegation(ALICE, [simulator.owner.make()], ['']);
      own.addTarget(ALICE, 'a1', target(1));
    });
    const before = readSnapshot(payloadOf(simulator.file('snapshot')));
    expect([...before.meta.keys()].sort()).toEqual(['root', 'targets', ALICE]);
    const signed = await files((own) => own.addTarget(ALICE, 'a2', target(2)));
    expect([...signed.keys()]).toEqual([ALICE, 'snapshot']);
    const { meta, version, expires } = readSnapshot(payloadOf(signed.get('snapshot') ?? Buffer.of()));
    expect([version, expires.at]).toEqual([before.version + 1, NOW + 1095 * DAY]);
    expect(meta.get(ALICE)).toEqual(fileInfoOf(signed.get(ALICE) ?? Buffer.of()));
    expect(meta.get('targets')).toEqual(before.meta.get('targets') as never);
    const without = await files((own) => own.removeDelegation(ALICE));
    const kept = readSnapshot(payloadOf(without.get('snapshot') ?? Buffer.of())).meta;
    expect([...kept.keys()].sort()).toEqual(['root', 'targets', ALICE]);
    expect(kept.get(ALICE)).toEqual(before.meta.get(ALICE) as never);
  });

  test('goes over to the server with its key', async () => {
    simulator = await Simulator.start({ snapshotKeyBy: 'owner' });
    const key = await simulator.publicKey(GUN, 'snapshot');
    expect(await roles((own) => own.replaceKeys('snapshot', [key]))).toEqual(['root']);
    await simulator.edit((own) => own.replaceKeys('snapshot', [key]));
    expect((await simulator.trusted()).set.snapshot.payload.version).toBe(2);
  });

  test('is not made with fewer keys than it needs', async () => {
    simulator = await Simulator.start({ snapshotKeyBy: 'owner' });
    const [one, other] = [simulator.owner.make(), simulator.owner.make()];
    await simulator.edit((own) => own.replaceKeys('snapshot', [one, other], 2));
    simulator.owner.forget(other);
    await failure(
      files((own) => own.witness('targets')),
      'signing-key-missing',
    );
  });

  test('asks for one key after the other', async () => {
    simulator = await Simulator.start({ snapshotKeyBy: 'owner' });
    const two = [simulator.owner.make(), simulator.owner.make()];
    await simulator.edit((own) => own.replaceKeys('snapshot', two));
    const own = await editor();
    own.witness('targets');
    let [asking, most] = [0, 0];
    const slow: Parameters<Editor['sign']>[0] = {
      find: async (id) => {
        most = Math.max(most, ++asking);
        await Bun.sleep(1);
        asking--;
        return simulator.owner.find(id);
      },
    };
    await own.sign(slow, NOW);
    expect(most).toBe(1);
  });
});

test('files have exactly the form that Go writes (protocol A.1.2)', async () => {
  const signed = await files((own) => {
    own.addDelegation(ALICE, [alice], ['a<b>', '😀', '｡']);
    own.addTarget('targets', 'a<b>&c', target(2));
  });
  const text = signed.get('targets')?.toString() ?? '';
  expect(text).toStartWith('{"signed":{"_type":"Targets","delegations":{"keys":{"');
  expect(text).toContain('"paths":["a\\u003cb\\u003e","😀","｡"]');
  expect(text).toContain('"expires":"2029-11-22T12:00:00Z","targets":{"a\\u003cb\\u003e\\u0026c":{"hashes":');
  expect(text).toEndWith('}]}');
  expect(text).not.toMatch(/\s/);
});

test('without its keys nothing is signed', async () => {
  for (const { key } of simulator.signersOf('targets')) simulator.owner.forget(key);
  const error = await failure(
    files((own) => own.addTarget('targets', 'v1', target(1))),
    'signing-key-missing',
  );
  expect(error.message).toStartWith('signing keys not available: need 1 keys from 1 possible keys (');
});
