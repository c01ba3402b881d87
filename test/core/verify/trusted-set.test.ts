import { beforeEach, describe, expect, test } from 'bun:test';
import { parseGun } from '../../../src/core/names/gun.ts';
import { parseDelegation, RELEASES, type RoleName, type TargetsRole } from '../../../src/core/names/role.ts';
import { DAY, parseTime, YEAR } from '../../../src/core/time.ts';
import { trustCachedRoot } from '../../../src/core/verify/root-trust.ts';
import { TrustedSet } from '../../../src/core/verify/trusted-set.ts';
import { failure } from '../../support/failure.ts';
import { payloadOf, put, withSignatures } from '../../support/forgery.ts';
import { expiring, GUN, NOW, Simulator, target, versioned } from '../../support/simulator.ts';
import { vector } from '../keys/support.ts';

const ALICE = parseDelegation('targets/alice');
const SUB = parseDelegation('targets/alice/sub');

let simulator: Simulator;
beforeEach(async () => {
  simulator = await Simulator.start();
  await simulator.edit((editor) => {
    editor.addDelegation(ALICE, [simulator.owner.make()], ['a', 'b']);
    editor.addTarget(ALICE, 'a1', target(2));
    editor.addDelegation(SUB, [simulator.owner.make()], ['a1', 'a2', 'bc']);
    editor.addTarget(SUB, 'a2', target(3));
  });
});

const root = () => trustCachedRoot(GUN, simulator.file('root'));
const start = (now = NOW) => new TrustedSet(root(), now);

/** A set that trusts everything up to, and not including, `end`. */
function loaded(end?: RoleName, now = NOW): TrustedSet {
  const set = start(now);
  for (const role of ['timestamp', 'snapshot', 'targets', ALICE, SUB] as const) {
    if (role === end) break;
    offer(set, role);
  }
  return set;
}

function offer(set: TrustedSet, role: RoleName, bytes = simulator.file(role), known?: Uint8Array): void {
  if (role === 'timestamp') set.updateTimestamp(bytes, known);
  else if (role === 'snapshot') set.updateSnapshot(bytes, known);
  else set.updateTargets(role as TargetsRole, bytes, known);
}

/** What the set holds, to show that a refused file left it alone. */
function contents(set: TrustedSet): unknown {
  const get = (read: () => unknown) => {
    try {
      return read();
    } catch {
      return undefined;
    }
  };
  return [get(() => set.timestamp), get(() => set.snapshot), [...set.targets]];
}

describe("Notary's collection (protocol H.9)", () => {
  const gun = parseGun('docker.io/acme/app');
  const then = parseTime('2026-11-23T17:45:36Z');
  const file = (role: string) => vector(`acme-app/${role}.json`);

  test('is trusted, but for the delegation whose last key is gone', async () => {
    const set = new TrustedSet(trustCachedRoot(gun, file('root')), then);
    set.updateTimestamp(file('timestamp'));
    set.updateSnapshot(file('snapshot'));
    set.updateTargets('targets', file('targets'));
    expect([...set.targets.keys()]).toEqual(['targets']);
    expect([...(set.targets.get('targets')?.payload.targets.keys() ?? [])]).toEqual(['latest', 'v2']);
    expect(set.delegationsOf('targets').map(({ name, keyIds }) => [name as string, keyIds.length])).toEqual([
      ['targets/releases', 0],
    ]);
    await failure(() => set.updateTargets(RELEASES, file('targets/releases')), 'threshold-not-met');
    // Its entry lingers in the snapshot, but nobody delegates to it any more (protocol G-16).
    await failure(() => set.updateTargets(parseDelegation('targets/jeff'), file('targets/jeff')), 'role-unknown');
  });

  test('is not trusted once its timestamp has expired', () => {
    const set = new TrustedSet(trustCachedRoot(gun, file('root')), then + 15 * DAY);
    return failure(() => set.updateTimestamp(file('timestamp')), 'metadata-expired');
  });
});

describe('the order', () => {
  test('is root, timestamp, snapshot, targets, delegations', () => {
    const set = loaded();
    expect([...set.targets.keys()]).toEqual(['targets', ALICE, SUB]);
    expect(set.timestamp.payload.version).toBe(2);
    expect(set.snapshot.payload.meta.size).toBe(4);
  });

  test('cannot be left', async () => {
    await failure(() => offer(start(), 'snapshot'), 'role-order');
    await failure(() => offer(loaded('snapshot'), 'targets'), 'role-order');
    await failure(() => start().promised('targets'), 'role-order');
    await failure(() => offer(loaded('targets'), ALICE), 'role-unknown');
    await failure(() => offer(loaded(ALICE), SUB), 'role-unknown');
    const error = await failure(() => start().timestamp, 'role-order');
    expect(error.message).toBe('timestamp must be loaded first');
  });

  test('has no place for roles that were never published', async () => {
    await simulator.edit((editor) => editor.addDelegation(RELEASES, [simulator.owner.make()], ['']));
    const set = loaded();
    expect(set.promised(RELEASES)).toBeUndefined();
    await failure(() => set.updateTargets(RELEASES, simulator.file('targets')), 'role-unknown');
  });
});

for (const role of ['timestamp', 'snapshot', 'targets', ALICE, SUB] as const) {
  describe(`${role}: every role is checked alike`, () => {
    /** Lists what was forged, so that only the check in question can find it. */
    const relist = () => {
      if (role === 'timestamp') return;
      if (role === 'snapshot') simulator.restamp();
      else simulator.relist();
    };

    test('the right file is trusted', () => {
      const set = loaded(role);
      offer(set, role);
      expect(contents(set)).not.toEqual(contents(loaded(role)));
    });

    const forgeries: [what: string, forge: () => void, code: Parameters<typeof failure>[1]][] = [
      ['without a signature', () => simulator.forge(role, [], []), 'signatures-missing'],
      ['signed by another role', () => simulator.forge(role, [], simulator.signersOf('root')), 'threshold-not-met'],
      [
        'signed over other content',
        () => {
          const { signatures } = loaded().timestamp.envelope;
          const changed = put(['extra'], 1)(payloadOf(simulator.file(role)));
          simulator.forge(role, () => changed, []);
          simulator.replace(role, withSignatures(role, simulator.file(role), signatures));
        },
        'threshold-not-met',
      ],
      ['of another type', () => simulator.forge(role, put(['_type'], 'Root')), 'metadata-type-wrong'],
      ['that has expired', () => simulator.forge(role, expiring(NOW - 1000)), 'metadata-expired'],
      ['of version 0', () => simulator.forge(role, versioned(0)), 'metadata-malformed'],
    ];
    for (const [what, forge, code] of forgeries) {
      test(`one ${what} is refused, and the set stays as it was`, async () => {
        forge();
        relist();
        const set = loaded(role);
        const before = contents(set);
        await failure(() => offer(set, role), code);
        expect(contents(set)).toEqual(before);
      });
    }

    test('one that expires this very moment is trusted', () => {
      simulator.forge(role, expiring(NOW));
      relist();
      offer(loaded(role), role);
    });

    test('one of a lower version than the known one is refused', async () => {
      const known = simulator.file(role);
      simulator.forge(role, versioned(5));
      const newer = simulator.file(role);
      simulator.forge(role, versioned(4));
      relist();
      const set = loaded(role);
      const before = contents(set);
      const error = await failure(() => offer(set, role, simulator.file(role), newer), 'version-rollback');
      expect(error.detail).toEqual({ role, found: 4, known: 5 });
      expect(contents(set)).toEqual(before);
      offer(set, role, simulator.file(role), known);
    });

    test('one of the same version is trusted (protocol G-18)', () => {
      const known = simulator.file(role);
      const { version } = JSON.parse(known.toString()).signed as { version: number };
      simulator.forge(role, [versioned(version), put(['extra'], 'x')]);
      if (role !== 'timestamp') relist();
      offer(loaded(role), role, simulator.file(role), known);
    });

    test('a known file that does not verify does not bind', async () => {
      const honest = simulator.file(role);
      const thief = simulator.signersOf('root');
      simulator.forge(role, versioned(2 ** 31 - 1), thief);
      const stolen = simulator.file(role);
      simulator.replace(role, honest);
      for (const known of [stolen, Buffer.from('no json'), Buffer.of()]) {
        offer(loaded(role), role, honest, known);
      }
    });

    test('a known file that has expired still binds', async () => {
      const honest = simulator.file(role);
      simulator.forge(role, [versioned(9), expiring(NOW - DAY)]);
      const known = simulator.file(role);
      simulator.replace(role, honest);
      await failure(() => offer(loaded(role), role, honest, known), 'version-rollback');
    });
  });
}

describe('what a predecessor promised', () => {
  for (const role of ['snapshot', 'targets', ALICE] as const) {
    test(`is checked of ${role}, before anything else`, async () => {
      const honest = simulator.file(role);
      const set = loaded(role);
      const cases = [
        [Buffer.concat([honest, Buffer.from(' ')]), 'length-mismatch'],
        [honest.subarray(0, -1), 'length-mismatch'],
        [Buffer.alloc(honest.length, 0x20), 'checksum-mismatch'],
        [Buffer.of(), 'length-mismatch'],
      ] as const;
      for (const [bytes, code] of cases) await failure(() => offer(set, role, Buffer.from(bytes)), code);
      offer(set, role);
    });
  }

  test('of the root tells that it is another one', async () => {
    const before = root();
    await simulator.rotateRoot();
    const set = new TrustedSet(before, NOW);
    offer(set, 'timestamp');
    await failure(() => offer(set, 'snapshot'), 'root-outdated');
  });

  test('is no reason to mix files of two times', async () => {
    const old = simulator.state;
    await simulator.edit((editor) => editor.addTarget('targets', 'v2', target(4)));
    const set = loaded('snapshot');
    const oldSnapshot = old.get('snapshot') ?? Buffer.of();
    await failure(() => set.updateSnapshot(oldSnapshot), 'checksum-mismatch');
    offer(set, 'snapshot');
    const oldTargets = old.get('targets') ?? Buffer.of();
    await failure(() => set.updateTargets('targets', oldTargets), 'length-mismatch');
  });
});

describe('delegations', () => {
  test('have the paths that their delegators may give (protocol A.8)', () => {
    const set = loaded();
    expect(set.pathsOf('targets')).toEqual(['']);
    expect(set.pathsOf(ALICE)).toEqual(['a', 'b']);
    expect(set.pathsOf(SUB)).toEqual(['a1', 'a2', 'bc']);
    expect(set.pathsOf(RELEASES)).toEqual([]);
    simulator.forge(ALICE, put(['delegations', 'roles', '0', 'paths'], ['', 'c', 'a', 'bx']));
    simulator.relist();
    expect(loaded().pathsOf(SUB)).toEqual(['a', 'bx']);
  });

  test('are verified with the keys that the delegator lists now', async () => {
    const known = simulator.file(ALICE);
    const key = simulator.owner.make();
    await simulator.edit((editor) => {
      const old = editor.delegationsOf('targets')[0]?.keyIds ?? [];
      editor.addDelegation(ALICE, [key], []);
      editor.removeDelegationKeys(ALICE, old);
    });
    await failure(() => offer(loaded(ALICE), ALICE), 'threshold-not-met');
    simulator.forge(ALICE, versioned(1), [{ key, private: simulator.owner.private(key) }]);
    simulator.relist();
    offer(loaded(ALICE), ALICE, simulator.file(ALICE), known);
  });

  test('are what their delegator says last', async () => {
    const set = loaded();
    expect(set.pathsOf(SUB)).toEqual(['a1', 'a2', 'bc']);
    await simulator.edit((editor) => editor.removeDelegationPaths(ALICE, ['b']));
    for (const role of ['timestamp', 'snapshot', 'targets'] as const) offer(set, role);
    expect(set.pathsOf(ALICE)).toEqual(['a']);
    expect(set.pathsOf(SUB)).toEqual(['a1', 'a2']);
  });

  test('are those of a trusted role only', () => {
    expect(loaded('targets').delegationsOf('targets')).toEqual([]);
    expect(loaded().delegationsOf(SUB)).toEqual([]);
    expect(loaded().delegationsOf('targets')[0]?.keys.size).toBe(1);
  });
});

test('the moment of judgement is given, not taken from a clock', async () => {
  expect(loaded(undefined, NOW + 13 * DAY).timestamp.payload.version).toBe(2);
  await failure(() => offer(start(NOW + 15 * DAY), 'timestamp'), 'metadata-expired');
  simulator.forge('timestamp', expiring(NOW + 20 * YEAR));
  await failure(() => offer(loaded('snapshot', NOW + 4 * YEAR), 'snapshot'), 'metadata-expired');
});
