import { beforeAll, describe, expect, test } from 'bun:test';
import { type DelegationName, parseDelegation, RELEASES, type TargetsRole } from '../../../src/core/names/role.ts';
import {
  admits,
  allDelegations,
  allTargets,
  DOCKER_ROLES,
  findTarget,
  listTargets,
} from '../../../src/core/verify/lookup.ts';
import type { TrustedSet } from '../../../src/core/verify/trusted-set.ts';
import { change, tree } from '../../support/forgery.ts';
import { Simulator, target } from '../../support/simulator.ts';

const role = (name: string): DelegationName => parseDelegation(`targets/${name}`);
const [A, B, AA, AB, BA, BB] = ['a', 'b', 'a/a', 'a/b', 'b/a', 'bb'].map(role) as [
  DelegationName,
  DelegationName,
  DelegationName,
  DelegationName,
  DelegationName,
  DelegationName,
];

/** What each role says, by tag; and what it may speak for. */
const TREE: readonly [role: TargetsRole, paths: readonly string[], tags: Readonly<Record<string, number>>][] = [
  ['targets', [''], { both: 1, top: 1, skip: 1 }],
  [RELEASES, [''], { both: 2, released: 2, shared: 2 }],
  [A, ['a', 'x-', 'both'], { a1: 3, both: 3 }],
  [B, [''], { a1: 4, b1: 4, deep: 4, shared: 4 }],
  [BB, [''], { bb1: 8 }],
  [AA, ['a1', 'x-'], { a1: 5, 'x-1': 5 }],
  [AB, ['x-'], { 'x-1': 6 }],
  [BA, [''], { deep: 7, below: 7, top: 7 }],
];

let set: TrustedSet;
let simulator: Simulator;
beforeAll(async () => {
  simulator = await Simulator.start({ edit: (editor) => editor.removeTarget('targets', 'latest') });
  await simulator.edit((editor) => {
    for (const [name, paths, tags] of TREE) {
      if (name !== 'targets') editor.addDelegation(name, [simulator.owner.make()], paths);
      for (const [tag, byte] of Object.entries(tags)) editor.addTarget(name, tag, target(byte));
    }
  });
  set = (await simulator.trusted()).set;
});

const found = (name: string, roles?: readonly TargetsRole[]) => {
  const hit = findTarget(set, name, roles);
  return hit === undefined ? undefined : [hit.role, hit.target.hashes.get('sha256')?.[0]];
};

describe('a name is looked up (protocol C.14)', () => {
  const lookups: [name: string, roles: readonly TargetsRole[] | undefined, hit: unknown][] = [
    ['top', undefined, ['targets', 1]],
    ['released', undefined, [RELEASES, 2]],
    ['both', undefined, ['targets', 1]],
    ['none', undefined, undefined],
    // Breadth first: a role goes before all that lie deeper.
    ['a1', undefined, [A, 3]],
    ['deep', undefined, [B, 4]],
    ['below', undefined, [BA, 7]],
    ['x-1', undefined, [AA, 5]],
    // From a role downwards only.
    ['both', [RELEASES], [RELEASES, 2]],
    ['top', [RELEASES], undefined],
    ['a1', [A], [A, 3]],
    ['a1', [AA], [AA, 5]],
    ['a1', [B], [B, 4]],
    ['x-1', [AB], [AB, 6]],
    ['below', [B], [BA, 7]],
    ['below', [A], undefined],
    // Role by role; those listed are not visited on behalf of others.
    ['both', [RELEASES, 'targets'], [RELEASES, 2]],
    ['top', [RELEASES, 'targets'], ['targets', 1]],
    ['a1', [RELEASES, 'targets'], [A, 3]],
    ['released', ['targets', RELEASES], [RELEASES, 2]],
    ['a1', [B, A], [B, 4]],
    ['a1', ['targets', A, B], [A, 3]],
    ['deep', ['targets', B], [B, 4]],
    ['top', [B, 'targets'], [BA, 7]],
    ['x-1', [AA, A], [AA, 5]],
    ['x-1', [AB, 'targets'], [AB, 6]],
    ['shared', [RELEASES, 'targets'], [RELEASES, 2]],
    ['shared', ['targets', RELEASES], [B, 4]],
    // A name that only begins like another is no role below it.
    ['bb1', [B], undefined],
    ['bb1', [BB], [BB, 8]],
    ['none', [RELEASES, 'targets'], undefined],
    // Roles that do not exist have nothing to say.
    ['top', [role('nobody')], undefined],
    ['top', [role('nobody'), 'targets'], ['targets', 1]],
    ['top', [], undefined],
  ];
  for (const [name, roles, hit] of lookups) {
    test(`${name} in ${roles?.join(', ') ?? 'everything'}`, () => expect(found(name, roles)).toEqual(hit as never));
  }

  test('docker asks releases before targets (protocol D.3)', () => {
    expect(DOCKER_ROLES).toEqual([RELEASES, 'targets']);
  });

  test('a list contains exactly what look-ups find', () => {
    const names = [...new Set(TREE.flatMap(([, , tags]) => Object.keys(tags))), 'none'];
    for (const roles of [undefined, DOCKER_ROLES, ['targets', RELEASES], [A], [B, A], [AA, 'targets']] as const) {
      const list = listTargets(set, roles);
      for (const name of names) expect(list.get(name)).toEqual(findTarget(set, name, roles) as never);
      expect([...list.keys()].every((name) => names.includes(name))).toBe(true);
    }
  });
});

describe('paths', () => {
  test('are prefixes that decide which role may sign a name (protocol G-26)', () => {
    expect(admits(set, A, 'a')).toBe(true);
    expect(admits(set, A, 'abc')).toBe(true);
    expect(admits(set, A, 'b')).toBe(false);
    expect(admits(set, A, '')).toBe(false);
    expect(admits(set, 'targets', '')).toBe(true);
    expect(admits(set, AA, 'a')).toBe(false);
    expect(admits(set, role('nobody'), 'a')).toBe(false);
  });

  test('silence a role for all other names, and all roles below it', async () => {
    const liar = await Simulator.start({ edit: (editor) => editor.removeTarget('targets', 'latest') });
    await liar.edit((editor) => {
      editor.addDelegation(A, [liar.owner.make()], ['a']);
      editor.addTarget(A, 'a1', target(1));
      editor.addDelegation(AA, [liar.owner.make()], ['a1']);
      editor.addTarget(AA, 'a1x', target(1));
      editor.addDelegation(B, [liar.owner.make()], []);
    });
    const file = tree({ hashes: { sha256: Buffer.alloc(32, 9).toString('base64') }, length: 1 });
    liar.forge(
      AA,
      change(['targets'], () => new Map(['a1', 'a2', 'b1', 'latest'].map((name) => [name, file]))),
    );
    liar.forge(
      A,
      change(['delegations', 'roles', '0', 'paths'], () => ['', 'a1', 'latest']),
    );
    liar.forge(
      A,
      change(['targets'], () => new Map(['a1', 'latest', 'b1'].map((name) => [name, file]))),
    );
    liar.relist();
    const { set: lies } = await liar.trusted();
    for (const name of ['latest', 'b1', 'a2']) {
      expect(findTarget(lies, name, DOCKER_ROLES)).toBeUndefined();
      expect(findTarget(lies, name, [AA])).toBeUndefined();
      expect(listTargets(lies).has(name)).toBe(false);
      expect(allTargets(lies, name)).toEqual([]);
    }
    expect(findTarget(lies, 'a1', [AA])?.role).toBe(AA);
    expect([...listTargets(lies).keys()]).toEqual(['a1']);
    expect(allTargets(lies).map(({ role: by, name }) => [by as string, name])).toEqual([
      ['targets/a', 'a1'],
      ['targets/a/a', 'a1'],
    ]);
  });
});

describe('the whole tree', () => {
  test('is told in its order, with the signatures of each file', () => {
    const all = allTargets(set, 'a1');
    expect(all.map((one) => [one.role, one.target.hashes.get('sha256')?.[0]])).toEqual([
      [A, 3],
      [B, 4],
      [AA, 5],
    ]);
    expect(all.map(({ signatures }) => signatures.length)).toEqual([1, 1, 1]);
    expect(allTargets(set)).toHaveLength(TREE.reduce((sum, [, , tags]) => sum + Object.keys(tags).length, 0));
    expect(allTargets(set, 'none')).toEqual([]);
  });

  test('has every delegation once, delegators first', () => {
    expect(allDelegations(set).map(({ name }) => name)).toEqual([RELEASES, A, B, BB, AA, AB, BA]);
  });
});
