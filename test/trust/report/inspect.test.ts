import { describe, expect, test } from 'bun:test';
import { RELEASES, signerRole } from '../../../src/core/names/role.ts';
import { inspectCollection } from '../../../src/trust/report/inspect.ts';
import { naturalCompare } from '../../../src/trust/report/natural-order.ts';
import { severalSigners, signTag } from '../../cli/commands/trust/several-signers.ts';
import { put, tree } from '../../support/forgery.ts';
import { random } from '../../support/random.ts';
import { digestOfTarget, Simulator, target } from '../../support/simulator.ts';

const hex = (byte: number) => digestOfTarget(byte).slice('sha256:'.length);

describe('a repository is described (protocol D.16)', () => {
  test('by released tags with their signers, and by keys', async () => {
    const simulator = await Simulator.start({ edit: (editor) => editor.removeTarget('targets', 'latest') });
    const [alice, bob] = [simulator.owner.make(), simulator.owner.make()];
    await simulator.edit((editor) => {
      for (const tag of ['v10', 'v9', 'v1']) editor.addTarget('targets', tag, target(1));
      editor.addDelegation(signerRole('alice'), [alice], ['']);
      editor.addDelegation(RELEASES, [alice, bob], ['']);
      editor.addDelegation(signerRole('bob'), [bob], ['']);
      editor.addTarget(signerRole('alice'), 'v9', target(1));
      editor.addTarget(signerRole('bob'), 'v9', target(2));
      editor.addTarget(RELEASES, 'both', target(3));
      editor.addTarget(signerRole('bob'), 'both', target(3));
      editor.addTarget(signerRole('alice'), 'both', target(3));
      editor.addTarget(signerRole('bob'), 'draft', target(4));
      editor.addTarget('targets', 'strange', { length: 1, hashes: new Map([['sha512', Buffer.alloc(64)]]) });
    });
    const { set } = await simulator.trusted();
    const described = inspectCollection(set);
    expect(described.tags).toEqual([
      { tag: 'both', digest: hex(3), signers: ['alice', 'bob'] },
      { tag: 'v1', digest: hex(1), signers: [] },
      { tag: 'v9', digest: hex(1), signers: ['alice'] },
      { tag: 'v10', digest: hex(1), signers: [] },
    ]);
    expect(described.signers).toEqual([
      { name: 'alice', keys: [alice.id] },
      { name: 'bob', keys: [bob.id] },
    ]);
    expect(described.rootKeys).toEqual(simulator.signersOf('root').map(({ key }) => key.id));
    expect(described.repositoryKeys).toEqual(simulator.signersOf('targets').map(({ key }) => key.id));
    expect(inspectCollection(set, 'v9').tags).toEqual([{ tag: 'v9', digest: hex(1), signers: ['alice'] }]);
    expect(inspectCollection(set, 'draft').tags).toEqual([]);
    expect(inspectCollection(set, 'none').tags).toEqual([]);
  });

  test('a release that two must sign has both names; of one that needs one, who signed last is not named', async () => {
    const people = await severalSigners();
    await signTag(people.alice, 'v1', 1);
    const waiting = await (await people.bob.session.repository()).proposal();
    if (waiting === undefined) throw new Error('nothing waits');
    await (await people.bob.session.repository()).approve(waiting);
    const tags = async () => inspectCollection((await people.admin.simulator.trusted()).set).tags;
    expect((await tags()).map(({ tag, signers }) => [tag, signers.toSorted()])).toEqual([['v1', ['alice', 'bob']]]);
    await (await people.admin.repository()).publish((editor) => editor.setDelegationThreshold(RELEASES, 1));
    expect((await tags()).map(({ signers }) => signers)).toEqual([['alice']]);
  });

  test('without what a role says beyond its paths', async () => {
    const simulator = await Simulator.start({ edit: (editor) => editor.removeTarget('targets', 'latest') });
    await simulator.edit((editor) => {
      editor.addDelegation(RELEASES, [simulator.owner.make()], ['v']);
      editor.addTarget(RELEASES, 'v1', target(1));
    });
    const evil = tree({ hashes: { sha256: Buffer.alloc(32, 66).toString('base64') }, length: 1 });
    simulator.forge(RELEASES, put(['targets', 'latest'], evil));
    simulator.relist();
    const { set } = await simulator.trusted();
    expect(inspectCollection(set).tags.map(({ tag }) => tag)).toEqual(['v1']);
    expect(inspectCollection(set, 'latest').tags).toEqual([]);
  });

  test('with names from prototypes like any others', async () => {
    const simulator = await Simulator.start({ edit: (editor) => editor.removeTarget('targets', 'latest') });
    await simulator.edit((editor) => {
      for (const tag of ['__proto__', 'constructor', '1']) editor.addTarget('targets', tag, target(1));
    });
    const { set } = await simulator.trusted();
    expect(inspectCollection(set).tags.map(({ tag }) => tag)).toEqual(['1', '__proto__', 'constructor']);
  });
});

describe('natural order', () => {
  test('counts', () => {
    const sorted = '1 01 2 002 10 - a a1 a1b a01 a2 a10 a-1 v1.2 v1.10 v9 v10 v10a v-1 ｡ 😀'.split(' ');
    expect(sorted.toReversed().sort(naturalCompare)).toEqual(sorted);
    expect(naturalCompare('', 'a')).toBeLessThan(0);
  });

  test('is an order (seed 5)', () => {
    const next = random(5);
    const pick = () => Array.from({ length: Math.floor(next() * 5) }, () => 'a0b19.-'[Math.floor(next() * 7)]).join('');
    for (let round = 0; round < 3000; round++) {
      const [a, b, c] = [pick(), pick(), pick()];
      expect(Math.sign(naturalCompare(a, b))).toBe(-Math.sign(naturalCompare(b, a)) + 0);
      expect(naturalCompare(a, b) === 0).toBe(a === b);
      if (naturalCompare(a, b) < 0 && naturalCompare(b, c) < 0) expect(naturalCompare(a, c)).toBeLessThan(0);
    }
  });

  test('takes numbers of any length', () => {
    const [a, b] = ['9'.repeat(1_000_000), `1${'0'.repeat(1_000_000)}`];
    expect(naturalCompare(a, b)).toBeLessThan(0);
    expect(naturalCompare(`v${b}`, `v${a}`)).toBeGreaterThan(0);
  });
});
