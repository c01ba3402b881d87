import { beforeEach, describe, expect, test } from 'bun:test';
import { parseKeyId } from '../../../src/core/names/key-id.ts';
import { AuditFolder } from '../../../src/store/audit-folder.ts';
import { Changelist } from '../../../src/store/changelist.ts';
import { planReset, resetRepository } from '../../../src/trust/changes/reset.ts';
import { publishStaged } from '../../../src/trust/changes/staged.ts';
import { failure } from '../../support/failure.ts';
import { pinnedTo } from '../../support/pins.ts';
import { digestOfTarget, GUN, missing, Simulator, target } from '../../support/simulator.ts';
import { temporaryFolder } from '../../support/temp.ts';
import { Visitor } from '../../support/visitor.ts';

let simulator: Simulator;
let founder: Visitor;
beforeEach(async () => {
  simulator = await Simulator.start();
  await simulator.remove();
  founder = new Visitor(simulator);
});

describe('a new root is one that its founder would trust as a visitor', () => {
  test('if nothing is pinned, whatever first use is set to', async () => {
    for (const tofu of ['on', 'off', 'ask', 'off-in-ci'] as const) {
      await simulator.remove();
      const visitor = new Visitor(simulator);
      visitor.pinning = { certs: new Map(), ca: new Map(), tofu };
      await visitor.repository().initialize(() => undefined);
      expect(simulator.state.has('root')).toBe(true);
    }
  });

  test('where its key is pinned', async () => {
    founder.pinning = pinnedTo(GUN, (await founder.keys.create('root')).id);
    await founder.repository().initialize((editor) => editor.addTarget('targets', 'v1', target(2)));
    expect(await founder.resolve('v1')).toBe(digestOfTarget(2));
  });

  test('and not where another key is pinned: nothing is published, prepared or trusted', async () => {
    founder.pinning = pinnedTo(GUN, parseKeyId('ab'.repeat(32)));
    await failure(
      founder.repository().initialize(() => undefined),
      'root-pin-mismatch',
    );
    await failure(founder.repository().prepare({}), 'root-pin-mismatch');
    expect(simulator.state.size).toBe(0);
    expect(await founder.cache.contents(GUN)).toEqual(new Map());
  });

  test('also when it replaces one that is lost: the old collection stays', async () => {
    const owner = new Visitor(simulator);
    const { id } = await owner.keys.create('root');
    await owner.repository().initialize(() => undefined);
    founder.pinning = pinnedTo(GUN, id);
    const before = simulator.state;
    const plan = await planReset(founder.repository());
    const audit = new AuditFolder(temporaryFolder());
    const told = { by: 'somebody', reason: 'lost' };
    await failure(resetRepository(founder.repository(), plan, audit, told), 'root-pin-mismatch');
    expect(simulator.state).toBe(before);
  });
});

describe('a collection that was only prepared', () => {
  beforeEach(() => founder.repository().prepare({ snapshotBy: 'client' }));

  test('is none, and no damaged one', async () => {
    expect(await founder.repository().current()).toBeUndefined();
    expect((await failure(founder.repository().present(), 'trust-data-missing')).next).toBe(
      `Publish it: signet trust publish ${GUN}`,
    );
  });

  test('is published with what is staged, under the root that was prepared', async () => {
    const changelist = new Changelist(temporaryFolder(), GUN);
    await changelist.append({ kind: 'add-target', role: 'targets', name: 'v1', target: target(3) });
    const root = await founder.cache.read(GUN, 'root');
    expect(await publishStaged(founder.repository(), changelist)).toEqual({ kind: 'published' });
    expect(simulator.file('root')).toEqual(root ?? Buffer.of());
    expect(await changelist.count()).toBe(0);
    expect(await new Visitor(simulator).resolve('v1')).toBe(digestOfTarget(3));
  });

  test('gives way to none that someone else has published in between', async () => {
    await new Visitor(simulator).repository().initialize(() => undefined);
    const before = simulator.state;
    await failure(publishStaged(founder.repository(), new Changelist(temporaryFolder(), GUN)), 'root-rotation-invalid');
    expect(simulator.state).toBe(before);
  });

  test('cannot be told from a damaged one where the server has a root', async () => {
    await new Visitor(simulator).repository().initialize(() => undefined);
    simulator.lies.set('timestamp', missing('timestamp'));
    await failure(founder.repository().current(), 'trust-data-missing');
  });
});
