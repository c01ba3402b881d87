import { beforeEach, describe, expect, test } from 'bun:test';
import { parseDigest } from '../../../src/core/names/digest.ts';
import { atDigest, formatReference, parseReference, type Reference } from '../../../src/core/names/reference.ts';
import { RELEASES, signerRole } from '../../../src/core/names/role.ts';
import { trustedImage } from '../../../src/trust/enforce/enforce.ts';
import { resolveAllTags, resolveTag, targetDigest } from '../../../src/trust/enforce/resolve.ts';
import { failure } from '../../support/failure.ts';
import { digestOfTarget, GUN, Simulator, target } from '../../support/simulator.ts';
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

  test('that nobody signed is none', async () => {
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

describe('an image', () => {
  const asked: Reference[] = [];
  const ask = (text: string) => {
    asked.length = 0;
    return trustedImage(parseReference(text), async (reference) => {
      asked.push(reference);
      return new Visitor(simulator).repository();
    });
  };

  test('is what its tag was signed as, and from there on only a digest', async () => {
    const image = await ask(`${GUN}:latest`);
    const digest = parseDigest(digestOfTarget(2));
    expect(image?.pinned).toEqual(atDigest(parseReference(GUN), digest));
    expect(formatReference(image?.pinned ?? parseReference('x'))).toBe(`${GUN}@${digest}`);
    expect(image?.asked.tag).toBe('latest');
    expect(image?.tag.digest).toBe(digest);
  });

  test('is asked for as latest where nothing is said', async () => {
    expect((await ask(GUN))?.tag.tag).toBe('latest');
  });

  test('by digest alone names its content itself, and nobody is asked', async () => {
    expect(await ask(`${GUN}@${digestOfTarget(9)}`)).toBeUndefined();
    expect(asked).toEqual([]);
  });

  test('by tag and digest must be what was signed (protocol G-36)', async () => {
    expect((await ask(`${GUN}:latest@${digestOfTarget(2)}`))?.pinned.digest as string).toBe(digestOfTarget(2));
    const error = await failure(ask(`${GUN}:latest@${digestOfTarget(9)}`), 'digest-disagrees');
    expect(error.detail).toEqual({ tag: 'latest', signed: digestOfTarget(2), asked: digestOfTarget(9) });
    await failure(ask(`${GUN}:none@${digestOfTarget(2)}`), 'target-not-found');
  });

  test('of a repository without trust data, or of a server that is down, is none', async () => {
    simulator.isOffline = true;
    await failure(ask(GUN), 'network-unreachable');
    simulator.isOffline = false;
    await simulator.remove();
    await failure(ask(GUN), 'trust-data-missing');
  });
});
