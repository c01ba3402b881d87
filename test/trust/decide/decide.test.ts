import { beforeEach, describe, expect, test } from 'bun:test';
import { type Digest, digestOf, parseDigest } from '../../../src/core/names/digest.ts';
import { parseImagePattern } from '../../../src/core/names/image-pattern.ts';
import { atDigest, formatReference, parseReference, type Reference } from '../../../src/core/names/reference.ts';
import { RELEASES } from '../../../src/core/names/role.ts';
import { decide, decideEveryTag } from '../../../src/trust/decide/decide.ts';
import { type AskedImage, type Decision, permitted } from '../../../src/trust/decide/decision.ts';
import { cachingEvidence, type Evidence } from '../../../src/trust/decide/evidence.ts';
import { DOCKERS_RULES, type ImageRules } from '../../../src/trust/decide/image-rules.ts';
import { failure } from '../../support/failure.ts';
import { digestOfTarget, GUN, Simulator, target } from '../../support/simulator.ts';
import { Visitor } from '../../support/visitor.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const SIGNED_ONLY: ImageRules = { digests: 'signed', exempt: [] };
const REASON = 'tools from a registry that no one signs';

let simulator: Simulator;
/** Which repositories were asked for. */
const asked: string[] = [];

beforeEach(async () => {
  asked.length = 0;
  simulator = await Simulator.start();
  await simulator.edit((editor) => {
    editor.addDelegation(RELEASES, [simulator.owner.make()], ['']);
    editor.addTarget('targets', 'latest', target(1));
    editor.addTarget(RELEASES, 'latest', target(2));
    editor.addTarget('targets', 'old', target(3));
  });
});

function evidence(rules: ImageRules = DOCKERS_RULES): Evidence {
  const visitor = new Visitor(simulator);
  return {
    ...visitor.evidence(rules),
    collectionOf: (reference) => {
      asked.push(formatReference(reference));
      return visitor.update();
    },
  };
}

const ask = (text: string, rules?: ImageRules) => decide(parseReference(text), evidence(rules));
const idOf = (text: string): Digest => digestOf(Buffer.from(text));

function codeOf(decision: Decision): readonly [string, string | undefined] {
  return [decision.verdict, 'error' in decision ? decision.error.code : undefined];
}

describe('a tag', () => {
  test('is what it was signed as, and from there on only a digest', async () => {
    const decision = await ask(`${GUN}:latest`);
    const digest = parseDigest(digestOfTarget(2));
    expect(decision).toEqual({
      verdict: 'tag-signed',
      asked: { ...parseReference(GUN), tag: 'latest' },
      use: atDigest(parseReference(GUN), digest),
      tag: { tag: 'latest', digest, length: 528, role: RELEASES },
    });
  });

  test('is latest if there is none', async () => {
    expect(await ask(GUN)).toMatchObject({ verdict: 'tag-signed', asked: { tag: 'latest' } });
  });

  test('with a digest must be signed as that digest (protocol G-36)', async () => {
    expect(await ask(`${GUN}:latest@${digestOfTarget(2)}`)).toMatchObject({ verdict: 'tag-signed' });
    const decision = await ask(`${GUN}:latest@${digestOfTarget(9)}`);
    expect(codeOf(decision)).toEqual(['refused', 'digest-disagrees']);
    expect(codeOf(await ask(`${GUN}:none@${digestOfTarget(2)}`))).toEqual(['refused', 'target-not-found']);
  });

  test('of a repository without trust data, or of a server that is down, is refused', async () => {
    simulator.isOffline = true;
    expect(codeOf(await ask(GUN))).toEqual(['refused', 'network-unreachable']);
    simulator.isOffline = false;
    await simulator.remove();
    expect(codeOf(await ask(GUN))).toEqual(['refused', 'trust-data-missing']);
  });

  test('of data that was verified while it was in force, and has expired since, is refused', async () => {
    const visitor = new Visitor(simulator);
    const collection = await visitor.update();
    let now = simulator.now;
    const kept: Evidence = { ...visitor.evidence(), collectionOf: async () => collection, now: () => now };
    expect(await decide(parseReference(GUN), kept)).toMatchObject({ verdict: 'tag-signed' });
    const expiry = collection.set.timestamp.payload.expires.at;
    now = expiry;
    expect(await decide(parseReference(GUN), kept)).toMatchObject({ verdict: 'tag-signed' });
    now = expiry + 1;
    const refused = await decide(parseReference(GUN), kept);
    expect(refused).toMatchObject({
      verdict: 'refused',
      error: { code: 'metadata-expired', detail: { role: 'timestamp' } },
    });
    await failure(decideEveryTag(parseReference(GUN), kept), 'metadata-expired');
  });

  test.each(['root', 'snapshot', 'targets', RELEASES] as const)('is refused once %s has expired', async (role) => {
    const collection = await new Visitor(simulator).update();
    const { set } = collection;
    const payloads = {
      root: set.root.root,
      timestamp: set.timestamp.payload,
      snapshot: set.snapshot.payload,
      targets: set.targets.get('targets')?.payload,
      [RELEASES]: set.targets.get(RELEASES)?.payload,
    };
    const later = simulator.now + 30_000 * DAY_MS;
    // Everything but the one role is in force for ever.
    for (const [name, payload] of Object.entries(payloads)) {
      const at = name === role ? simulator.now : later;
      if (payload !== undefined) Object.assign(payload, { expires: { ...payload.expires, at } });
    }
    const kept: Evidence = {
      ...new Visitor(simulator).evidence(),
      collectionOf: async () => collection,
      now: () => simulator.now + 1,
    };
    expect(await decide(parseReference(GUN), kept)).toMatchObject({
      error: { code: 'metadata-expired', detail: { role } },
    });
  });

  test('is refused once the certificates of the root have expired, or pins no longer admit them', async () => {
    const visitor = new Visitor(simulator);
    const collection = await visitor.update();
    const pinning = { ...visitor.pinning, certs: new Map([[GUN, [idOf('another').slice(7) as never]]]) };
    const kept: Evidence = { ...visitor.evidence(), pinning, collectionOf: async () => collection };
    expect(codeOf(await decide(parseReference(GUN), kept))).toEqual(['refused', 'root-pin-mismatch']);
  });
});

describe('a digest alone', () => {
  test('names its content itself by docker’s rule, and no one is asked', async () => {
    const decision = await ask(`${GUN}@${digestOfTarget(9)}`);
    expect(decision).toMatchObject({ verdict: 'unsigned-digest-allowed', use: { digest: digestOfTarget(9) } });
    expect(asked).toEqual([]);
  });

  test('must be what a tag is signed as, if the rules say so', async () => {
    expect(await ask(`${GUN}@${digestOfTarget(2)}`, SIGNED_ONLY)).toMatchObject({
      verdict: 'digest-signed',
      use: { tag: undefined, digest: digestOfTarget(2) },
      tag: { tag: 'latest', role: RELEASES },
    });
    expect(await ask(`${GUN}@${digestOfTarget(3)}`, SIGNED_ONLY)).toMatchObject({ tag: { tag: 'old' } });
  });

  test.each([
    ['that no one signed', 9],
    ['that targets has under a tag which releases has as another', 1],
  ])('%s is refused, if the rules say so', async (_, number) => {
    expect(codeOf(await ask(`${GUN}@${digestOfTarget(number)}`, SIGNED_ONLY))).toEqual([
      'unsigned-digest-refused',
      'digest-unsigned',
    ]);
  });

  test('is refused for every other reason that a tag is', async () => {
    simulator.isOffline = true;
    expect(codeOf(await ask(`${GUN}@${digestOfTarget(2)}`, SIGNED_ONLY))).toEqual(['refused', 'network-unreachable']);
  });
});

describe('an image ID', () => {
  const askId = (names: readonly string[], rules?: ImageRules) =>
    decide({ id: idOf('config'), names: names.map(parseReference) }, evidence(rules));

  test('names its content itself by docker’s rule', async () => {
    expect(await askId([])).toMatchObject({ verdict: 'unsigned-digest-allowed' });
  });

  test('is signed if a digest is that the engine knows it by', async () => {
    const names = [`other.example.com/x@${digestOfTarget(9)}`, `${GUN}@${digestOfTarget(2)}`];
    expect(await askId(names, SIGNED_ONLY)).toMatchObject({ verdict: 'digest-signed', tag: { tag: 'latest' } });
  });

  test('is not signed by a tag that the engine gave it', async () => {
    const decision = await askId([`${GUN}:latest@${digestOfTarget(9)}`], SIGNED_ONLY);
    expect(codeOf(decision)).toEqual(['unsigned-digest-refused', 'digest-unsigned']);
  });

  test('that the engine knows by no name, or only by others, is refused', async () => {
    for (const names of [[], [`${GUN}@${digestOfTarget(9)}`]]) {
      const decision = await askId(names, SIGNED_ONLY);
      expect(codeOf(decision)).toEqual(['unsigned-digest-refused', 'digest-unsigned']);
      expect('error' in decision && decision.error.next).toContain('Use a tag that is signed');
    }
  });

  test('is exempt if the repository is that it came from', async () => {
    const rules = exempting('registry.internal/tools/*', 'signed');
    expect(await askId([`registry.internal/tools/lint@${digestOfTarget(9)}`], rules)).toMatchObject({
      verdict: 'exempt',
      exemption: { reason: REASON },
    });
  });
});

function exempting(pattern: string, digests: ImageRules['digests'] = 'docker'): ImageRules {
  return { digests, exempt: [{ pattern: parseImagePattern(pattern), reason: REASON }] };
}

describe('an exempt image', () => {
  test.each([
    'registry.internal/tools/lint',
    'registry.internal/tools/lint:1',
    `registry.internal/tools/lint:1@${digestOfTarget(9)}`,
  ])('%s is used as it was asked for, and no one is asked', async (name) => {
    expect(await ask(name, exempting('registry.internal/tools/*'))).toMatchObject({
      verdict: 'exempt',
      use: { tag: name.includes(':1') ? '1' : 'latest' },
      exemption: { reason: REASON, pattern: { text: 'registry.internal/tools/*' } },
    });
    expect(asked).toEqual([]);
  });

  test.each(['registry.internal/tools', 'registry.internal.evil.example/tools/lint', 'registry.internal/toolsmith/x'])(
    '%s is not exempt by a pattern that looks like it',
    async (name) => {
      await ask(name, exempting('registry.internal/tools/*'));
      expect(asked).toEqual([formatReference({ ...parseReference(name), tag: 'latest' })]);
    },
  );

  test('is exempt with its digest too, if digests have to be signed', async () => {
    const name = `registry.internal/tools/lint@${digestOfTarget(9)}`;
    expect(await ask(name, exempting('registry.internal/*', 'signed'))).toMatchObject({ verdict: 'exempt' });
  });
});

test('a refusal throws its error where a permission is needed, and only a permission says what to use', async () => {
  const decision: Decision<AskedImage> = await ask(`${GUN}:none`);
  await failure(() => permitted(decision), 'target-not-found');
  expect('use' in decision).toBe(false);
});

test('all tags are decided as they are one by one', async () => {
  const every = await decideEveryTag(parseReference(GUN), evidence());
  if (every.verdict !== 'tags-signed') throw new Error(every.verdict);
  expect(every.images.map(({ asked: { tag } }) => tag).sort()).toEqual(['latest', 'old']);
  for (const image of every.images) expect(await decide(image.asked, evidence())).toEqual(image);
  const exempt = await decideEveryTag(parseReference(GUN), evidence(exempting(GUN)));
  expect(exempt.verdict).toBe('exempt');
});

test('the decisions of one command ask for a repository once', async () => {
  const once = cachingEvidence(evidence(SIGNED_ONLY));
  const images: readonly Reference[] = [`${GUN}:latest`, `${GUN}:old`, `${GUN}@${digestOfTarget(2)}`].map(
    parseReference,
  );
  const verdicts = await Promise.all(images.map(async (image) => (await decide(image, once)).verdict));
  expect(verdicts).toEqual(['tag-signed', 'tag-signed', 'digest-signed']);
  expect(asked).toEqual([`${GUN}:latest`]);
});
