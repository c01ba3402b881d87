import { beforeEach, describe, expect, test } from 'bun:test';
import { Drafts, emptyTargets } from '../../../src/core/edit/drafts.ts';
import { parseEnvelope } from '../../../src/core/metadata/envelope.ts';
import { readTargets } from '../../../src/core/metadata/targets.ts';
import { parseDelegation, RELEASES, type TargetsRole } from '../../../src/core/names/role.ts';
import { failure } from '../../support/failure.ts';
import { payloadOf } from '../../support/forgery.ts';
import { digestOfTarget, Simulator, target } from '../../support/simulator.ts';
import { Visitor } from '../../support/visitor.ts';

const ALICE = parseDelegation('targets/alice');
const SUB = parseDelegation('targets/alice/sub');
const BOB = parseDelegation('targets/bob');

describe('drafts', () => {
  let simulator: Simulator;
  const publishedDrafts = async (why?: 'expired' | 'unsigned') => {
    const { set } = await simulator.trusted();
    if (why === undefined) return new Drafts(set.targets, new Map());
    const file = simulator.file(ALICE);
    const unusable = { payload: readTargets(ALICE, payloadOf(file)), envelope: parseEnvelope(ALICE, file), why };
    const trusted = new Map([...set.targets].filter(([role]) => role !== ALICE));
    return new Drafts(trusted, new Map<TargetsRole, typeof unusable>([[ALICE, unusable]]));
  };
  beforeEach(async () => {
    simulator = await Simulator.start();
    const key = simulator.owner.make();
    await simulator.edit((editor) => {
      editor.addDelegation(ALICE, [key], ['a', 'b/']);
      editor.addDelegation(SUB, [key], ['b/c']);
      editor.addTarget(ALICE, 'a1', target(1));
      editor.addTarget(SUB, 'b/c1', target(2));
    });
  });

  test('follow no version that only an unsigned file claims, where few would be left', async () => {
    const { set } = await simulator.trusted();
    const file = simulator.file(ALICE);
    const claiming = (version: number, why: 'expired' | 'unsigned') => {
      const payload = { ...readTargets(ALICE, payloadOf(file)), version };
      return new Drafts(
        new Map([...set.targets].filter(([role]) => role !== ALICE)),
        new Map([[ALICE as TargetsRole, { payload, envelope: parseEnvelope(ALICE, file), why }]]),
      );
    };
    for (const use of [(drafts: Drafts) => void drafts.open(ALICE), (drafts: Drafts) => drafts.renew(ALICE)]) {
      const error = await failure(async () => use(claiming(2 ** 31 - 2, 'unsigned')), 'version-jump');
      expect(error.message).toBe(`a file of ${ALICE} that no one signed claims to be version 2147483646`);
      use(claiming(999_999, 'unsigned'));
      use(claiming(2 ** 31 - 2, 'expired'));
    }
    await failure(async () => claiming(1, 'unsigned').continueAfter(ALICE, 2 ** 31 - 2), 'version-jump');
  });

  test('are what is published until something changes', async () => {
    const drafts = await publishedDrafts();
    expect([drafts.isDirty, drafts.all().map(([role]) => role)]).toEqual([false, ['targets', ALICE, SUB]]);
    expect([...drafts.open(ALICE).payload.targets.keys()]).toEqual(['a1']);
    expect(drafts.isDirty).toBe(false);
    drafts.change(ALICE, drafts.open(ALICE).payload);
    expect(drafts.dirty().map(([role]) => role)).toEqual([ALICE]);
    await failure(() => drafts.open(BOB), 'role-unknown');
  });

  test('narrow paths by every role above', async () => {
    const drafts = await publishedDrafts();
    expect([drafts.pathsOf('targets'), drafts.pathsOf(ALICE), drafts.pathsOf(SUB)]).toEqual([
      [''],
      ['a', 'b/'],
      ['b/c'],
    ]);
    const targets = drafts.open('targets').payload;
    const delegations = targets.delegations.map((delegation) => ({ ...delegation, paths: ['a'] }));
    drafts.change('targets', { ...targets, delegations });
    expect(drafts.pathsOf(SUB)).toEqual([]);
  });

  test('go on from an expired file, and from an unsigned one take the version alone', async () => {
    const expired = (await publishedDrafts('expired')).open(ALICE);
    expect([expired.payload.version, [...expired.payload.targets.keys()]]).toEqual([1, ['a1']]);
    const drafts = await publishedDrafts('unsigned');
    expect(drafts.open(ALICE).payload).toEqual(emptyTargets(1));
    expect(drafts.dirty()).toEqual([]);
  });

  test('renew an unsigned file as it is only where that is asked for', async () => {
    const drafts = await publishedDrafts('unsigned');
    drafts.renew(ALICE);
    expect(drafts.dirty().map(([role, { payload }]) => [role, [...payload.targets.keys()]])).toEqual([[ALICE, ['a1']]]);
  });

  test('removed with all below, their successors go on with the versions', async () => {
    const drafts = await publishedDrafts();
    drafts.remove(ALICE);
    expect(drafts.all().map(([role]) => role)).toEqual(['targets']);
    expect(drafts.open(ALICE).payload).toEqual(emptyTargets(1));
  });

  test('of forgotten roles have no version before they are told one', async () => {
    const drafts = await publishedDrafts();
    const { snapshot } = (await simulator.trusted()).set;
    const listed = { ...snapshot.payload, meta: new Map(snapshot.payload.meta) };
    const targets = drafts.open('targets').payload;
    const [delegation] = targets.delegations;
    if (delegation === undefined) throw new Error('no delegation');
    drafts.change('targets', { ...targets, delegations: [...targets.delegations, { ...delegation, name: BOB }] });
    drafts.change(BOB, drafts.open(BOB).payload);
    expect(drafts.forgotten(listed)).toEqual([]);
    const info = listed.meta.get(ALICE);
    if (info === undefined) throw new Error('not listed');
    listed.meta.set(BOB, info);
    expect(drafts.forgotten(listed)).toEqual([BOB]);
    expect(drafts.forgotten(undefined)).toEqual([]);
    drafts.continueAfter(BOB, 7);
    expect([drafts.open(BOB).payload.version, drafts.forgotten(listed)]).toEqual([7, []]);
  });
});

describe.each(['server', 'owner'] as const)('with the snapshot key of the %s', (snapshotKeyBy) => {
  test('a delegation that was removed is added again together with its first file, at once', async () => {
    const simulator = await Simulator.start();
    await simulator.remove();
    const owner = new Visitor(simulator);
    const snapshotBy = snapshotKeyBy === 'owner' ? 'client' : 'server';
    await owner.repository().initialize(() => undefined, { snapshotBy });
    const { publicKey } = await owner.keys.create('releases');
    const release = (byte: number) =>
      owner.repository().publish((editor) => {
        editor.addDelegation(RELEASES, [publicKey], ['']);
        editor.addTarget(RELEASES, 'v1', target(byte));
      });
    await release(1);
    await release(2);
    await owner.repository().publish((editor) => editor.removeDelegation(RELEASES));
    simulator.requests.length = 0;
    expect(await release(3)).toEqual({ kind: 'published' });
    expect(simulator.requests.filter((request) => request.startsWith('publish'))).toHaveLength(1);
    expect(readTargets(RELEASES, payloadOf(simulator.file(RELEASES))).version).toBe(3);
    expect(await new Visitor(simulator).resolve('v1')).toBe(digestOfTarget(3));
  });
});
