import { beforeEach, describe, expect, test } from 'bun:test';
import { Editor } from '../../src/core/edit/editor.ts';
import { type ErrorCode, SignetError } from '../../src/core/errors/index.ts';
import type { JsonValue } from '../../src/core/json/parse.ts';
import type { PublicKey } from '../../src/core/keys/public-key.ts';
import { LIMITS } from '../../src/core/limits.ts';
import { isBaseRole, parseDelegation, RELEASES, type RoleName } from '../../src/core/names/role.ts';
import { DAY, YEAR } from '../../src/core/time.ts';
import { DOCKER_ROLES, findTarget, listTargets, lookupError } from '../../src/core/verify/lookup.ts';
import { resolveAllTags } from '../../src/trust/decide/resolve.ts';
import { inspectCollection } from '../../src/trust/report/inspect.ts';
import { failure } from '../support/failure.ts';
import { payloadOf, put, type Signer, sealed, tree } from '../support/forgery.ts';
import { NO_FIRST_USE, pinnedTo } from '../support/pins.ts';
import {
  digestOfTarget,
  expiring,
  missing,
  NOW,
  Simulator,
  type State,
  target,
  versioned,
} from '../support/simulator.ts';
import { TestKeys } from '../support/test-keys.ts';
import { Visitor } from '../support/visitor.ts';

// Each attack is one on a client that asks what the tag `latest` stands for. A client that was here before keeps what it
// knew, to the byte; one that was not learns nothing (`isRefused`).

const BOB = parseDelegation('targets/bob');
const HONEST = 2;
const EVIL = 66;
const EVIL_TARGET = tree({ hashes: { sha256: Buffer.alloc(32, EVIL).toString('base64') }, length: 528 });
const sellEvil = put(['targets', 'latest'], EVIL_TARGET);
const LATEST_VERSION = 2 ** 31 - 1;

let simulator: Simulator;
let visitor: Visitor;
let honest: State;
let old: State;

beforeEach(async () => {
  simulator = await Simulator.start();
  await simulator.edit((editor) => {
    editor.addDelegation(RELEASES, [simulator.owner.make()], ['']);
    editor.addTarget(RELEASES, 'latest', target(1));
    editor.addDelegation(BOB, [simulator.owner.make()], ['bob-']);
    editor.addTarget(BOB, 'bob-1', target(1));
  });
  old = simulator.state;
  await simulator.edit((editor) => {
    editor.addTarget(RELEASES, 'latest', target(HONEST));
    editor.addTarget('targets', 'other', target(HONEST));
    editor.addTarget(BOB, 'bob-1', target(HONEST));
  });
  honest = simulator.state;
  visitor = new Visitor(simulator);
  expect(await visitor.resolve()).toBe(digestOfTarget(HONEST));
});

const thief = new TestKeys();
const stolen = (key: PublicKey): Signer => ({ key, private: thief.private(key) });
const files = (...roles: RoleName[]) => new Map([...old].filter(([role]) => roles.includes(role)));

/** The client that was here before refuses, and so does one that was not; both go on when the server is honest again. */
async function refusedByAll(code: ErrorCode, codeForNew: ErrorCode = code): Promise<void> {
  const stranger = new Visitor(simulator);
  await visitor.isRefused(code);
  await stranger.isRefused(codeForNew);
  expect(await stranger.cache.contents(simulator.gun)).toEqual(new Map());
  simulator.lies.clear();
  simulator.isOffline = false;
  simulator.serve(honest);
  expect(await visitor.resolve()).toBe(digestOfTarget(HONEST));
  expect(await stranger.resolve()).toBe(digestOfTarget(HONEST));
}

/** Only the client that was here before can know; it refuses and keeps what it had. */
async function refusedByVisitor(code: ErrorCode): Promise<void> {
  await visitor.isRefused(code);
  simulator.lies.clear();
  simulator.serve(honest);
  expect(await visitor.resolve()).toBe(digestOfTarget(HONEST));
}

describe('arbitrary software', () => {
  const forger = stolen(thief.make());

  for (const role of ['targets', RELEASES] as const) {
    test(`signed by a stranger as ${role}, listed by thieves of the online keys`, async () => {
      simulator.forge(role, sellEvil, [forger]);
      simulator.relist();
      if (role === 'targets') return refusedByAll('threshold-not-met');
      // What a delegation says that nobody vouches for is never used, and what it replaced is not, either.
      for (const who of [visitor, new Visitor(simulator)]) {
        await failure(who.resolve(), 'role-unusable');
        expect(who.warnings).toEqual([
          'Error getting targets/releases: valid signatures did not meet threshold for targets/releases',
        ]);
      }
    });
  }

  for (const role of ['snapshot', 'timestamp'] as const) {
    test(`under a ${role} signed by a stranger`, async () => {
      simulator.forge('targets', sellEvil);
      simulator.relist();
      simulator.forge(role, [], [forger]);
      if (role === 'snapshot') simulator.restamp();
      await refusedByAll('threshold-not-met');
    });
  }

  test('under a root made by a stranger', async () => {
    const certificate = thief.makeRoot(simulator.gun, NOW);
    const own = stolen(certificate);
    const [oldRoot] = simulator.signersOf('root');
    simulator.forge(
      'root',
      [
        versioned(2),
        put(['roles', 'root', 'keyids'], [certificate.id]),
        put(['keys', certificate.id], keyTree(certificate)),
      ],
      [own],
    );
    simulator.relist();
    await visitor.isRefused('root-rotation-invalid');
    expect(oldRoot).toBeDefined();
    // Who trusts on first use trusts the stranger; who was told the key beforehand does not.
    const pinned = new Visitor(simulator);
    pinned.pinning = pinnedTo(simulator.gun, oldRoot?.key.id as never);
    await pinned.isRefused('root-pin-mismatch');
    expect(await pinned.cache.contents(simulator.gun)).toEqual(new Map());
    const careful = new Visitor(simulator);
    careful.pinning = NO_FIRST_USE;
    await careful.isRefused('root-unpinned');
  });

  test('in a file that was exchanged after signing', async () => {
    for (const role of ['targets', 'snapshot'] as const) {
      simulator.lies.set(role, Buffer.from(simulator.file(role).toString().replace('"version":3', '"version":4')));
      await new Visitor(simulator).isRefused('checksum-mismatch');
      simulator.lies.clear();
    }
    const text = simulator.file('timestamp').toString().replace('"version":3', '"version":4');
    simulator.replace('timestamp', Buffer.from(text));
    await refusedByAll('threshold-not-met');
  });
});

describe('rollback', () => {
  test('of everything, by replaying what was signed before', async () => {
    simulator.serve(old);
    const error = await visitor.isRefused('version-rollback');
    expect(error.detail).toEqual({ role: 'timestamp', found: 2, known: 3 });
    await refusedByVisitor('version-rollback');
  });

  test('of the snapshot, by a thief of the timestamp key', async () => {
    simulator.serve(new Map([...honest, ...files('snapshot', 'targets', RELEASES, BOB)]));
    simulator.restamp();
    const error = await visitor.isRefused('version-rollback');
    expect(error.detail).toEqual({ role: 'snapshot', found: 2, known: 3 });
    await refusedByVisitor('version-rollback');
  });

  for (const role of ['targets', RELEASES, BOB] as const) {
    test(`of ${role}, by a thief of the snapshot and timestamp keys`, async () => {
      simulator.serve(new Map([...honest, ...files(role)]));
      simulator.relist();
      const error = await visitor.isRefused('version-rollback');
      expect(error.detail.role).toBe(role);
      await refusedByVisitor('version-rollback');
    });
  }

  test('of the root', async () => {
    const before = simulator.state;
    await simulator.rotateRoot();
    honest = simulator.state;
    expect(await visitor.resolve()).toBe(digestOfTarget(HONEST));
    simulator.serve(before);
    await refusedByVisitor('version-rollback');
    // The same with a newer timestamp, made with the stolen key.
    simulator.serve(new Map([...honest, ['root', before.get('root') ?? Buffer.of()]]));
    simulator.relist();
    await refusedByVisitor('version-rollback');
  });

  test('goes unnoticed by no one whose cache is only older', async () => {
    simulator.serve(old);
    const stranger = new Visitor(simulator);
    expect(await stranger.resolve()).toBe(digestOfTarget(1));
    simulator.serve(honest);
    expect(await stranger.resolve()).toBe(digestOfTarget(HONEST));
    simulator.serve(old);
    await stranger.isRefused('version-rollback');
  });
});

describe('a file that was listed', () => {
  const SUB = parseDelegation('targets/bob/sub');
  const leaving = (role: RoleName) => put(['meta', role], undefined);
  const bobsKey = () => simulator.signersOf(BOB).map(({ key }) => key);
  /** Somebody who has seen `targets/bob/sub` as well. */
  beforeEach(async () => {
    await simulator.edit((editor) => {
      editor.addDelegation(SUB, [simulator.owner.make()], ['bob-']);
      editor.addTarget(SUB, 'bob-sub', target(1));
    });
    honest = simulator.state;
    await visitor.update();
  });

  for (const role of [RELEASES, BOB, SUB] as const) {
    test(`does not leave the snapshot: ${role}`, async () => {
      simulator.relist(leaving(role));
      const error = await visitor.isRefused('role-withheld');
      expect(error.detail).toEqual({ role });
      await refusedByVisitor('role-withheld');
    });

    test(`does not leave it with the next change of its delegator: ${role}`, async () => {
      simulator.forge('targets', [put(['targets', 'more'], EVIL_TARGET), versioned(9)]);
      simulator.forge(BOB, versioned(9));
      simulator.relist(leaving(role));
      await refusedByVisitor('role-withheld');
    });

    test(`leaves no snapshot that the server takes: ${role}`, async () => {
      simulator.relist(leaving(role));
      const parts = new Map<RoleName, Buffer>([['snapshot', simulator.file('snapshot')]]);
      simulator.serve(honest);
      const error = await failure(simulator.publish(simulator.gun, parts), 'publish-rejected');
      expect(error.cause).toMatchObject({ code: 'role-withheld', detail: { name: 'ErrBadSnapshot' } });
    });
  }

  test('leaves with a publish that removes its delegation, as notary’s client makes it, and with no other', async () => {
    const owned = await Simulator.start({ snapshotKeyBy: 'owner' });
    for (const role of [BOB, SUB]) {
      await owned.edit((editor) => {
        editor.addDelegation(role, [owned.owner.make()], ['bob-']);
        editor.addTarget(role, 'bob-1', target(1));
      });
    }
    const publish = async (change: (editor: Editor) => void, ...dropped: RoleName[]) => {
      const editor = Editor.of((await owned.trusted()).set);
      change(editor);
      const files = await editor.sign(owned.owner, NOW);
      const listed = payloadOf(files.get('snapshot') ?? Buffer.of());
      const left = dropped.reduce<JsonValue>((value, role) => leaving(role)(value), listed);
      await owned.publish(owned.gun, new Map([...files, ['snapshot', sealed(left, owned.signersOf('snapshot'))]]));
    };
    const [key] = owned.signersOf(BOB).map((signer) => signer.key);
    const refused: [(editor: Editor) => void, ...RoleName[]][] = [
      [(editor) => editor.addTarget('targets', 'x', target(1)), BOB],
      [(editor) => editor.addTarget('targets', 'x', target(1)), SUB],
      [
        (editor) => {
          editor.removeDelegation(BOB);
          editor.addDelegation(BOB, key === undefined ? [] : [key], ['bob-']);
        },
        BOB,
        SUB,
      ],
    ];
    for (const [change, ...dropped] of refused) {
      const error = await failure(publish(change, ...dropped), 'publish-rejected');
      expect(error.cause).toMatchObject({ code: 'role-withheld' });
    }
    await publish((editor) => editor.removeDelegation(BOB), BOB, SUB);
    expect([...owned.state.keys()].sort()).toEqual(['root', 'snapshot', 'targets', 'timestamp']);
  });

  for (const role of ['root', 'targets'] as const) {
    test(`is ${role} in every snapshot`, async () => {
      simulator.relist(leaving(role));
      await refusedByAll('metadata-malformed');
    });
  }

  test('is remembered by a snapshot that has expired since', async () => {
    simulator.relist(expiring(NOW + DAY));
    await visitor.update();
    simulator.now = NOW + 2 * DAY;
    simulator.relist(leaving(RELEASES), expiring(NOW + YEAR));
    await visitor.isRefused('role-withheld');
  });

  test('is remembered where its own file cannot be used, or is not here any more', async () => {
    const replaced = simulator.owner.make();
    await simulator.edit((editor) => {
      editor.addDelegation(RELEASES, [replaced], []);
      editor.removeDelegationKeys(RELEASES, [...simulator.signersOf(RELEASES).map(({ key }) => key.id)]);
    });
    simulator.relist(leaving(RELEASES));
    await visitor.isRefused('role-withheld');
    await visitor.cache.write(simulator.gun, RELEASES, Buffer.from('damaged'));
    await visitor.isRefused('role-withheld');
    await visitor.cache.remove(simulator.gun, RELEASES);
    await visitor.isRefused('role-withheld');
  });

  for (const [what, bytes] of [
    ['is lost', undefined],
    ['is damaged', Buffer.from('{"signed":')],
    ['is a stranger’s', Buffer.from('{"signed":{},"signatures":[]}')],
  ] as const) {
    test(`is remembered by its own file where the snapshot ${what}`, async () => {
      const { cache } = visitor;
      if (bytes === undefined) await cache.remove(simulator.gun, 'snapshot');
      else await cache.write(simulator.gun, 'snapshot', bytes);
      simulator.relist(leaving(RELEASES));
      await visitor.isRefused('role-withheld');
      for (const role of [RELEASES, BOB, SUB] as const) await cache.remove(simulator.gun, role);
      // Who remembers nothing can know nothing.
      expect(await visitor.resolve()).toBe(digestOfTarget(1));
    });
  }

  test('is remembered by its own file where the key of the snapshot was replaced', async () => {
    await simulator.edit((editor) => editor.replaceKeys('snapshot', [simulator.online.make()]));
    simulator.relist(leaving(RELEASES));
    await visitor.isRefused('role-withheld');
  });

  test('is not forgotten while its delegator cannot be used', async () => {
    for (const signers of [[], [stolen(thief.make())]]) {
      simulator.forge(BOB, [], signers);
      simulator.relist(leaving(SUB));
      const error = await visitor.isRefused('role-withheld');
      expect(error.detail).toEqual({ role: SUB });
    }
    simulator.relist();
    expect(await visitor.resolve()).toBe(digestOfTarget(HONEST));
    simulator.replace(BOB, honest.get(BOB) ?? Buffer.of());
    simulator.relist(leaving(SUB));
    await visitor.isRefused('role-withheld');
  });

  test('is missed where its delegation was removed and made again unseen, until there is a file again', async () => {
    const keys = bobsKey();
    await simulator.edit((editor) => editor.removeDelegation(BOB));
    simulator.relist(leaving(BOB), leaving(SUB));
    await simulator.edit((editor) => editor.addDelegation(BOB, keys, ['bob-']));
    await visitor.isRefused('role-withheld');
    await simulator.edit((editor) => {
      editor.addTarget(BOB, 'bob-1', target(HONEST));
      editor.continueAfter(BOB, 3);
    });
    expect(await visitor.resolve()).toBe(digestOfTarget(HONEST));
    expect((await visitor.update()).set.targets.has(BOB)).toBe(true);
  });

  test('by a thief of the snapshot key alone is forgotten once the key is replaced', async () => {
    const carol = parseDelegation('targets/carol');
    await simulator.edit((editor) => editor.addDelegation(carol, [simulator.owner.make()], ['carol-']));
    const before = simulator.state;
    simulator.replace(carol, sealed(payloadOf(simulator.file(RELEASES)), [stolen(thief.make())]));
    simulator.relist();
    expect(await visitor.resolve()).toBe(digestOfTarget(HONEST));
    simulator.serve(before);
    await simulator.edit((editor) => {
      editor.replaceKeys('snapshot', [simulator.online.make()]);
      editor.replaceKeys('timestamp', [simulator.online.make()]);
    });
    expect(await visitor.resolve()).toBe(digestOfTarget(HONEST));
  });

  test('leaves with its delegation, and so does all below it', async () => {
    await simulator.edit((editor) => editor.removeDelegation(BOB));
    simulator.relist(leaving(BOB), leaving(SUB));
    expect(await visitor.resolve()).toBe(digestOfTarget(HONEST));
    await visitor.isRefused('target-not-found', 'bob-1');
  });

  test('leaves for good: its delegation, made again with the same key, begins without a file', async () => {
    const keys = bobsKey();
    await simulator.edit((editor) => editor.removeDelegation(BOB));
    simulator.relist(leaving(BOB), leaving(SUB));
    await visitor.update();
    await simulator.edit((editor) => editor.addDelegation(BOB, keys, ['bob-']));
    expect(await visitor.resolve()).toBe(digestOfTarget(HONEST));
    expect((await visitor.update()).set.targets.has(BOB)).toBe(false);
  });

  test('stays listed where only Signet publishes, though its delegation goes and comes again', async () => {
    const keys = bobsKey();
    await simulator.edit((editor) => editor.removeDelegation(BOB));
    await simulator.edit((editor) => editor.addDelegation(BOB, keys, ['bob-']));
    expect(await visitor.resolve()).toBe(digestOfTarget(HONEST));
  });
});

describe('a file that must not be used', () => {
  const ways: [what: string, forge: () => void, why: ErrorCode][] = [
    ['expired', () => simulator.forge(RELEASES, expiring(NOW - DAY)), 'metadata-expired'],
    ['is a stranger’s', () => simulator.forge(RELEASES, [], [stolen(thief.make())]), 'threshold-not-met'],
    ['lost its signatures', () => simulator.forge(RELEASES, [], []), 'signatures-missing'],
    [
      'lost its keys',
      () =>
        simulator.forge('targets', put(['delegations', 'roles', '0', 'keyids'], []), simulator.signersOf('targets')),
      'threshold-not-met',
    ],
  ];
  for (const [what, forge, why] of ways) {
    test(`leaves its tags to no one: releases ${what}`, async () => {
      forge();
      simulator.relist();
      const error = await failure(visitor.resolve(), 'role-unusable');
      expect(error.detail).toEqual({ role: RELEASES, why, tag: 'latest' });
      expect(error.next).toContain(`signet trust renew ${simulator.gun} targets/releases`);
      await failure(new Visitor(simulator).resolve(), 'role-unusable');
      // What it never spoke for others may answer, for those who know that. Who was never here knows nothing of it.
      expect(await visitor.resolve('other')).toBe(digestOfTarget(HONEST));
      await failure(new Visitor(simulator).resolve('other'), 'role-unusable');
      // All tags are more than what is known.
      const { set } = await visitor.update();
      expect(() => resolveAllTags(set)).toThrow(
        'No valid trust data for registry.example.com/acme/app: targets/releases',
      );
    });
  }

  test('has the word for the tags that it names now, too', async () => {
    simulator.forge(RELEASES, [put(['targets', 'other'], EVIL_TARGET), versioned(9)], [stolen(thief.make())]);
    simulator.relist();
    await failure(visitor.resolve('other'), 'role-unusable');
  });

  test('has it for all that its paths admit where what it said is damaged or forgotten', async () => {
    simulator.forge(RELEASES, [versioned(9)], [stolen(thief.make())]);
    simulator.relist();
    await visitor.cache.write(simulator.gun, RELEASES, Buffer.from('{"signed":'));
    await failure(visitor.resolve('other'), 'role-unusable');
    await visitor.cache.remove(simulator.gun, RELEASES);
    await failure(visitor.resolve('other'), 'role-unusable');
  });

  test('has it for what the roles below it said', async () => {
    const below = parseDelegation('targets/releases/old');
    await simulator.edit((editor) => {
      editor.addDelegation(below, [simulator.owner.make()], ['oth']);
      editor.addTarget(below, 'other', target(5));
    });
    await failure(visitor.resolve('other'), 'target-role-untrusted');
    simulator.forge(RELEASES, expiring(NOW - DAY));
    simulator.relist();
    await failure(visitor.resolve('other'), 'role-unusable');
  });

  test('has no word beyond its paths, and none against those who are asked before it', async () => {
    simulator.forge(BOB, [sellEvil, expiring(NOW - DAY)]);
    simulator.relist();
    for (const who of [visitor, new Visitor(simulator)]) {
      expect(await who.resolve()).toBe(digestOfTarget(HONEST));
      expect(await who.resolve('other')).toBe(digestOfTarget(HONEST));
      await who.isRefused('target-not-found', 'bob-1');
    }
    const { set } = await visitor.update();
    expect(
      resolveAllTags(set)
        .tags.map(({ tag }) => tag)
        .sort(),
    ).toEqual(['latest', 'other']);
    expect(() => findTarget(set, 'bob-1', [BOB, 'targets'])).not.toThrow();
    expect(lookupError(set, 'bob-1', ['targets'])).toMatchObject({ code: 'role-unusable' });
  });

  test('hides what it may have replaced from lists and reports', async () => {
    simulator.forge(RELEASES, expiring(NOW - DAY));
    simulator.relist();
    const { set } = await visitor.update();
    expect([...listTargets(set, DOCKER_ROLES).keys()]).toEqual(['other', 'bob-1']);
    expect(inspectCollection(set).tags.map(({ tag }) => tag)).toEqual(['other']);
    expect(listTargets(set).get('latest')?.role).toBe('targets');
  });
});

describe('fast-forward', () => {
  for (const role of ['timestamp', 'snapshot', 'targets', RELEASES] as const) {
    test(`of ${role} locks out until the stolen key is replaced, and no longer`, async () => {
      simulator.forge(role, versioned(LATEST_VERSION));
      if (role === 'snapshot') simulator.restamp();
      else if (role !== 'timestamp') simulator.relist();
      // A thief of the key can do that much; the client that fell for it refuses what is honest.
      expect(await visitor.resolve()).toBe(digestOfTarget(HONEST));
      simulator.serve(honest);
      await visitor.isRefused('version-rollback');

      await simulator.edit((editor) => {
        const fresh = simulator.owner.make();
        if (isBaseRole(role)) editor.replaceKeys(role, [role === 'targets' ? fresh : simulator.online.make()]);
        else {
          const ids = editor.delegationsOf('targets').find(({ name }) => name === RELEASES)?.keyIds ?? [];
          editor.addDelegation(RELEASES, [fresh], []);
          editor.removeDelegationKeys(RELEASES, ids);
          editor.witness(RELEASES);
        }
      });
      expect(await visitor.resolve()).toBe(digestOfTarget(HONEST));
      expect(await new Visitor(simulator).resolve()).toBe(digestOfTarget(HONEST));
    });

    test(`of ${role} beyond all versions is no version`, async () => {
      simulator.forge(role, versioned(LATEST_VERSION + 1));
      if (role === 'snapshot') simulator.restamp();
      else if (role !== 'timestamp') simulator.relist();
      await refusedByAll('metadata-malformed');
    });
  }

  test('of the root is not possible, even with its key', async () => {
    const [key] = simulator.signersOf('root');
    for (const version of [3, 1000, LATEST_VERSION]) {
      simulator.forge('root', versioned(version), key === undefined ? [] : [key]);
      simulator.relist();
      // No file leads there, or one too many would have to.
      const code = version > LIMITS.rootChain ? 'version-jump' : 'trust-data-missing';
      await refusedByVisitor(code);
    }
  });

  test('of targets is not accepted by the server in one step', async () => {
    const { set } = await simulator.trusted();
    const version = set.targets.get('targets')?.payload.version ?? 0;
    simulator.forge('targets', versioned(version + LIMITS.versionStep + 1));
    const forged = new Map<RoleName, Buffer>([['targets', simulator.file('targets')]]);
    simulator.serve(honest);
    await expect(simulator.publish(simulator.gun, forged)).rejects.toMatchObject({ code: 'publish-rejected' });
    expect(simulator.state).toBe(honest);
  });
});

describe('indefinite freeze', () => {
  test('ends with the timestamp, after fourteen days', async () => {
    simulator.now = NOW + 14 * DAY;
    expect(await visitor.resolve()).toBe(digestOfTarget(HONEST));
    simulator.now += 1;
    await visitor.isRefused('metadata-expired');
    await new Visitor(simulator).isRefused('metadata-expired');
  });

  for (const role of ['snapshot', 'targets'] as const) {
    test(`ends with ${role}, whatever timestamp a thief makes`, async () => {
      simulator.now = NOW + 4 * YEAR;
      if (role === 'targets') simulator.relist(expiring(simulator.now + YEAR));
      simulator.restamp(expiring(simulator.now + YEAR));
      const error = await visitor.isRefused('metadata-expired');
      expect(error.detail.role).toBe(role);
    });
  }

  test('ends with the root', async () => {
    simulator.now = NOW + 11 * YEAR;
    const later = expiring(simulator.now + YEAR);
    for (const role of ['targets', RELEASES, BOB] as const) simulator.forge(role, later);
    simulator.relist(later);
    simulator.restamp(later);
    const error = await visitor.isRefused('metadata-expired');
    expect(error.detail.role).toBe('root');
    await new Visitor(simulator).isRefused('root-untrusted');
  });
});

describe('endless data', () => {
  for (const role of ['root', 'timestamp', 'snapshot', 'targets', RELEASES] as const) {
    test(`as ${role} ends at a limit`, async () => {
      simulator.lies.set(role, 'endless');
      const stranger = new Visitor(simulator);
      await stranger.isRefused('response-too-large');
      expect(await stranger.cache.contents(simulator.gun)).toEqual(new Map());
    });
  }

  test('is bounded by what was promised, or by a constant', async () => {
    const asked = new Map<string, number>();
    const read = simulator.read.bind(simulator);
    simulator.read = (gun, file, limit) => {
      asked.set(file.role, limit);
      return read(gun, file, limit);
    };
    await new Visitor(simulator).resolve();
    expect(asked).toEqual(
      new Map<string, number>([
        ['timestamp', LIMITS.timestamp],
        ['root', LIMITS.metadata],
        ...(['snapshot', 'targets', RELEASES, BOB] as const).map(
          (role) => [role, simulator.file(role).length] as const,
        ),
      ]),
    );
  });

  test('of a promised length beyond all sense is not read', async () => {
    simulator.forge('snapshot', put(['meta', 'targets', 'length'], LIMITS.metadata + 1));
    simulator.restamp();
    simulator.lies.set('targets', Buffer.alloc(LIMITS.metadata + 1));
    await refusedByVisitor('response-too-large');
    simulator.forge('snapshot', put(['meta', 'targets', 'length'], 2 ** 52));
    simulator.restamp();
    simulator.requests.length = 0;
    await new Visitor(simulator).isRefused('too-large');
    expect(simulator.requests.some((name) => name.startsWith('targets'))).toBe(false);
  });

  test('in many files, each of a bearable size, is not read', async () => {
    await simulator.edit((editor) => {
      for (let at = 0; at < 9; at++) {
        const role = parseDelegation(`targets/d${at}`);
        editor.addDelegation(role, [simulator.owner.make()], ['']);
        editor.addTarget(role, `d${at}`, target(1));
      }
    });
    const lengths = Array.from({ length: 9 }, (_, at) => put(['meta', `targets/d${at}`, 'length'], LIMITS.metadata));
    simulator.forge('snapshot', lengths);
    simulator.restamp();
    simulator.requests.length = 0;
    await visitor.isRefused('too-large');
    expect(simulator.requests.some((name) => name.startsWith('targets/d'))).toBe(false);
  });

  test('that is a byte too much is not read', async () => {
    simulator.lies.set('targets', Buffer.concat([simulator.file('targets'), Buffer.from(' ')]));
    await new Visitor(simulator).isRefused('response-too-large');
  });

  test('in a chain of roots is refused before it is fetched', async () => {
    const [key] = simulator.signersOf('root');
    simulator.forge('root', versioned(LIMITS.rootChain + 2), key === undefined ? [] : [key]);
    simulator.relist();
    simulator.requests.length = 0;
    await visitor.isRefused('version-jump');
    expect(simulator.requests.filter((name) => /^\d+\.root$/.test(name))).toEqual([]);
  });

  test('in delegations is refused', async () => {
    const key = simulator.owner.make();
    await simulator.edit((editor) => {
      for (let at = 0; at < LIMITS.delegations; at++) {
        editor.addDelegation(parseDelegation(`targets/d${at}`), [key], []);
      }
    });
    await visitor.isRefused('too-large');
  }, 60_000);
});

describe('extraneous software', () => {
  test('is not released by a signer whose paths do not admit the tag', async () => {
    simulator.forge(BOB, [sellEvil, put(['targets', 'bob-1'], EVIL_TARGET)]);
    simulator.relist();
    expect(await visitor.resolve()).toBe(digestOfTarget(HONEST));
    await visitor.isRefused('target-role-untrusted', 'bob-1');
    await visitor.isRefused('target-not-found', 'bob-2');
  });

  test('is not released by a signer who is neither targets nor releases', async () => {
    await simulator.edit((editor) => editor.addTarget(BOB, 'bob-evil', target(EVIL)));
    await visitor.update();
    await visitor.isRefused('target-role-untrusted', 'bob-evil');
  });
});

describe('mix and match', () => {
  for (const role of ['snapshot', 'targets', RELEASES] as const) {
    test(`of a new collection with old ${role}`, async () => {
      const [before, now] = [old.get(role) ?? Buffer.of(), simulator.file(role)];
      simulator.lies.set(role, before);
      const stranger = new Visitor(simulator);
      await stranger.isRefused(before.length === now.length ? 'checksum-mismatch' : 'length-mismatch');
      expect(await stranger.cache.contents(simulator.gun)).toEqual(new Map());
    });
  }

  test('of a new root with an old snapshot', async () => {
    await simulator.rotateRoot();
    simulator.serve(new Map([...honest, ['root', simulator.file('root')]]));
    await new Visitor(simulator).isRefused('root-outdated');
  });

  test('of an old root with a new snapshot', async () => {
    const before = simulator.file('root');
    await simulator.rotateRoot();
    honest = simulator.state;
    simulator.lies.set('root', before);
    await refusedByAll('root-outdated');
  });
});

describe('wrong software', () => {
  test('another repository is no answer, however rightly it is signed', async () => {
    const other = await Simulator.start();
    other.forge('root', put(['extra'], 'x'));
    other.relist();
    simulator.serve(new Map([...other.state].map(([role, bytes]) => [role, bytes])));
    // It has another root: a client that was here before does not follow, and one that pins does not begin.
    const error = await visitor.isRefused('root-rotation-invalid');
    expect(error.message).toBe(
      'could not rotate trust to a new trusted root: failed to validate data with current trusted certificates',
    );
    expect(error.next).toEndWith(`signet trust delete ${simulator.gun}`);
    const pinned = new Visitor(simulator);
    pinned.pinning = pinnedTo(simulator.gun, thief.makeRoot(simulator.gun, NOW).id);
    await pinned.isRefused('root-pin-mismatch');
  });

  test('another tag is no answer', async () => {
    await visitor.isRefused('target-not-found', 'latest2');
    await visitor.isRefused('target-not-found', 'lates');
    expect(await visitor.resolve('other')).toBe(digestOfTarget(HONEST));
  });

  test('a target without SHA-256 is no answer', async () => {
    const sha512 = { hashes: { sha512: Buffer.alloc(64, EVIL).toString('base64') }, length: 528 };
    simulator.forge(RELEASES, put(['targets', 'latest'], tree(sha512)));
    simulator.relist();
    await failure(visitor.resolve(), 'target-hash-missing');
  });
});

describe('a malicious mirror', () => {
  const errors: [what: string, lie: SignetError, why?: string][] = [
    ['is out of order', new SignetError('server-error', 'unable to reach trust server at this time: 503.')],
    ['does not answer', new SignetError('network-timeout', 'no answer')],
    ['says that there is nothing', missing('timestamp'), 'no trust data'],
  ];
  for (const [what, lie, why = lie.message] of errors) {
    test(`that ${what} keeps no one from what is known, until it expires`, async () => {
      simulator.lies.set('timestamp', lie);
      expect(await visitor.resolve()).toBe(digestOfTarget(HONEST));
      // docker's line, and one that says what is wrong with the server.
      expect(visitor.warnings).toHaveLength(2);
      expect(visitor.warnings[1]).toContain(why);
      simulator.now = NOW + 15 * DAY;
      await visitor.isRefused('metadata-expired');
      await new Visitor(simulator).isRefused(lie.code);
    });
  }

  test('that wants a login is not believed', async () => {
    simulator.lies.set('timestamp', new SignetError('unauthorized', 'no'));
    await visitor.isRefused('unauthorized');
  });

  for (const garbage of ['', '{}', 'null', '<html>', '{"signed":{},"signatures":[]}', '\u0000\u0001']) {
    test(`that answers ${JSON.stringify(garbage)} is refused`, async () => {
      const code = ['', '<html>', '\u0000\u0001'].includes(garbage) ? 'json-malformed' : 'json-unexpected';
      for (const role of ['timestamp', 'root'] as const) {
        simulator.lies.set(role, Buffer.from(garbage));
        await new Visitor(simulator).isRefused(code);
        if (role === 'timestamp') await visitor.isRefused(code);
        simulator.lies.clear();
      }
    });
  }
});

describe('keys stolen below the threshold', () => {
  /** Replaces the keys of a role by three of which two must sign. */
  async function guard(role: 'root' | 'targets' | 'snapshot' | 'timestamp'): Promise<Signer[]> {
    const keys = role === 'snapshot' || role === 'timestamp' ? simulator.online : simulator.owner;
    const made = [1, 2, 3].map(() => (role === 'root' ? keys.makeRoot(simulator.gun, NOW) : keys.make()));
    await simulator.edit((editor) => editor.replaceKeys(role, made, 2));
    honest = simulator.state;
    expect(await visitor.resolve()).toBe(digestOfTarget(HONEST));
    return made.map((key) => ({ key, private: keys.private(key) }));
  }

  for (const role of ['targets', 'snapshot', 'timestamp'] as const) {
    test(`of ${role} sign nothing, however often`, async () => {
      const [one, two] = await guard(role);
      if (one === undefined || two === undefined) throw new Error('no keys');
      const change = role === 'targets' ? sellEvil : put(['extra'], 1);
      const seal = (signers: Signer[]) => {
        simulator.forge(role, [change, versioned(9)], signers);
        if (role === 'targets') simulator.relist();
        if (role === 'snapshot') simulator.restamp();
      };
      seal([one]);
      await refusedByAll('threshold-not-met');
      seal([one, one, one]);
      await refusedByAll('threshold-not-met');
      seal([one, two]);
      await visitor.update();
    });
  }

  test('of the root make no root', async () => {
    const [one, two] = await guard('root');
    if (one === undefined || two === undefined) throw new Error('no keys');
    simulator.forge('root', versioned(3), [one]);
    simulator.relist();
    await refusedByAll('root-rotation-invalid', 'root-untrusted');
    simulator.forge('root', versioned(3), [one, two]);
    simulator.relist();
    await visitor.update();
  });

  test('of a signer release nothing', async () => {
    const keys = [1, 2].map(() => simulator.owner.make());
    const quorum = parseDelegation('targets/quorum');
    await simulator.edit((editor) => {
      editor.addDelegation(quorum, keys, ['q'], 2);
      editor.addTarget(quorum, 'q1', target(HONEST));
    });
    const [first] = keys;
    if (first === undefined) throw new Error('no key');
    simulator.forge(quorum, put(['targets', 'q1'], EVIL_TARGET), [
      { key: first, private: simulator.owner.private(first) },
    ]);
    simulator.relist();
    const { set, unusable } = await visitor.update();
    expect(set.targets.has(quorum)).toBe(false);
    expect(unusable.get(quorum)?.why).toBe('unsigned');
  });
});

function keyTree(key: PublicKey) {
  return tree({ keytype: key.type, keyval: { private: null, public: key.bytes.toString('base64') } });
}
