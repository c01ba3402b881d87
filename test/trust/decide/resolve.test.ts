import { beforeEach, describe, expect, test } from 'bun:test';
import { parseDigest } from '../../../src/core/names/digest.ts';
import { RELEASES, signerRole } from '../../../src/core/names/role.ts';
import { resolveAllTags, resolveTag, targetDigest } from '../../../src/trust/decide/resolve.ts';
import { failure } from '../../support/failure.ts';
import { digestOfTarget, Simulator, target } from '../../support/simulator.ts';
import { Visitor } from '../../support/visitor.ts';

const ALICE = signerRole('alice');
const SUB = signerRole('alice/sub');
const BELOW = signerRole('releases/nightly');

let simulator: Simulator;
beforeEach(async () => {
  simulator = await Simulator.start();
  await simulator.edit((editor) => {
    editor.addTarget('targets', 'old', target(1));
    for (const role of [RELEASES, ALICE]) editor.addDelegation(role, [simulator.owner.make()], ['']);
    editor.addTarget(RELEASES, 'latest', target(2));
    editor.addTarget(ALICE, 'latest', target(3));
    editor.addTarget(ALICE, 'draft', target(3));
    for (const role of [SUB, BELOW]) editor.addDelegation(role, [simulator.owner.make()], ['']);
    editor.addTarget(SUB, 'deep', target(4));
    editor.addTarget(BELOW, 'nightly', target(5));
    editor.addTarget(BELOW, 'old', target(5));
    editor.addTarget('targets', 'strange', { length: 1, hashes: new Map([['sha512', Buffer.alloc(64)]]) });
  });
});

const load = async () => (await new Visitor(simulator).update()).set;

describe('a tag (protocol D.3)', () => {
  test('is what releases says, else what targets says', async () => {
    const set = await load();
    expect(resolveTag(set, 'latest')).toEqual({
      tag: 'latest',
      digest: parseDigest(digestOfTarget(2)),
      length: 528,
      role: RELEASES,
    });
    await simulator.edit((editor) => editor.removeTarget(RELEASES, 'latest'));
    expect(resolveTag(await load(), 'latest')).toMatchObject({ digest: digestOfTarget(1), role: 'targets' });
  });

  test('is nothing that only another delegation says', async () => {
    const set = await load();
    for (const [tag, role] of [
      ['draft', ALICE],
      ['deep', SUB],
      ['nightly', BELOW],
      // What lies below releases goes before targets, and so hides what targets says.
      ['old', BELOW],
    ] as const) {
      const error = await failure(() => resolveTag(set, tag), 'target-role-untrusted');
      expect([error.message, error.detail.role]).toEqual([`No trust data for ${tag}`, role]);
    }
  });

  test('that no one signed is none', async () => {
    const error = await failure(async () => resolveTag(await load(), 'none'), 'target-not-found');
    expect(error.message).toBe('No valid trust data for none');
  });

  test('needs SHA-256', async () => {
    const error = await failure(async () => resolveTag(await load(), 'strange'), 'target-hash-missing');
    expect(error.message).toBe('no valid hash, expecting sha256');
    await failure(() => targetDigest({ length: 1, hashes: new Map() }), 'target-hash-missing');
  });
});

test('all tags are those that resolve one by one', async () => {
  const set = await load();
  const { tags, skipped } = resolveAllTags(set);
  expect(tags.map(({ tag }) => tag)).toEqual(['latest']);
  expect(skipped).toEqual(['strange']);
  for (const each of tags) expect(resolveTag(set, each.tag)).toEqual(each);
});
