import { beforeEach, describe, expect, test } from 'bun:test';
import { parseDigest } from '../../../src/core/names/digest.ts';
import { atDigest, parseReference } from '../../../src/core/names/reference.ts';
import { SECOND } from '../../../src/core/time.ts';
import { decide, decideEveryTag } from '../../../src/trust/decide/decide.ts';
import { permitted } from '../../../src/trust/decide/decision.ts';
import type { Evidence } from '../../../src/trust/decide/evidence.ts';
import { type FrozenList, formatFrozen, parseFrozen } from '../../../src/trust/decide/frozen.ts';
import type { ImageRules } from '../../../src/trust/decide/image-rules.ts';
import { failure } from '../../support/failure.ts';
import { digestOfTarget, GUN, NOW, Simulator } from '../../support/simulator.ts';
import { Visitor } from '../../support/visitor.ts';

const FROZEN = parseDigest(digestOfTarget(7));
const OTHER = parseDigest(digestOfTarget(8));
const LIST: FrozenList = {
  path: '/etc/frozen.json',
  until: NOW + 10 * SECOND,
  images: new Map([
    [GUN as string, { tags: new Map([['1.0', FROZEN]]), evidence: parseDigest(digestOfTarget(9)), read: NOW }],
  ]),
};

let simulator: Simulator;
let asked: number;

beforeEach(async () => {
  simulator = await Simulator.start();
  asked = 0;
});

function evidence(digests: ImageRules['digests'] = 'docker', now = NOW): Evidence {
  const visitor = new Visitor(simulator);
  const collectionOf = () => {
    asked++;
    return visitor.update();
  };
  return { ...visitor.evidence({ digests, exempt: [], frozen: LIST }), collectionOf, now: () => now };
}

const ask = (text: string, ...how: Parameters<typeof evidence>) => decide(parseReference(text), evidence(...how));

describe('a frozen list', () => {
  test('gives its tags the digests that it has, and asks no server', async () => {
    const reference = parseReference(`${GUN}:1.0`);
    expect(await ask(`${GUN}:1.0`)).toEqual({
      verdict: 'tag-frozen',
      asked: reference,
      use: atDigest(reference, FROZEN),
      tag: { tag: '1.0', digest: FROZEN },
      list: LIST,
    });
    expect(asked).toBe(0);
  });

  test('refuses its tags after its end, signed or not', async () => {
    expect(permitted(await ask(`${GUN}:1.0`, 'docker', LIST.until)).verdict).toBe('tag-frozen');
    const decision = await ask(`${GUN}:1.0`, 'docker', LIST.until + 1);
    const error = await failure(() => permitted(decision), 'frozen-expired');
    expect(error.message).toBe(`${GUN}:1.0 was frozen until 2026-11-23T12:00:10Z`);
    expect(asked).toBe(0);
  });

  test('refuses another digest beside its tag', async () => {
    const decision = await ask(`${GUN}:1.0@${OTHER}`);
    const error = await failure(() => permitted(decision), 'digest-disagrees');
    expect(error.message).toBe(`1.0 is frozen as ${FROZEN}, not as ${OTHER}`);
    expect(permitted(await ask(`${GUN}:1.0@${FROZEN}`)).verdict).toBe('tag-frozen');
  });

  test('says nothing of other tags, or of other names that look alike: their signatures decide', async () => {
    expect(permitted(await ask(`${GUN}:latest`)).verdict).toBe('tag-signed');
    expect((await ask(`${GUN}:1.00`)).verdict).toBe('refused');
    await ask(`${GUN}/x:1.0`);
    expect(asked).toBe(3);
  });

  test('makes a digest signed, if digests must be', async () => {
    expect((await ask(`${GUN}@${FROZEN}`, 'signed')).verdict).toBe('digest-frozen');
    expect((await ask(`${GUN}@${FROZEN}`, 'signed', LIST.until + 1)).verdict).toBe('refused');
    expect((await ask(`${GUN}@${OTHER}`, 'signed')).verdict).toBe('unsigned-digest-refused');
    expect((await ask(`${GUN}@${FROZEN}`)).verdict).toBe('unsigned-digest-allowed');
    const id = { id: FROZEN, names: [{ ...parseReference(GUN), digest: FROZEN }] };
    expect((await decide(id, evidence('signed'))).verdict).toBe('digest-frozen');
  });

  test('is all that there is of a repository, for who wants every tag', async () => {
    const every = await decideEveryTag(parseReference(GUN), evidence());
    expect(every.verdict === 'tags-signed' && every.images.map(({ tag }) => tag.tag)).toEqual(['1.0']);
    expect(asked).toBe(0);
    await failure(decideEveryTag(parseReference(GUN), evidence('docker', LIST.until + 1)), 'frozen-expired');
  });
});

describe('the file of a frozen list', () => {
  const image = { evidence: OTHER, read: '2026-11-23T12:00:00Z', tags: { '1.0': FROZEN } };
  const file = {
    format: 'signet-frozen-1',
    until: '2026-12-31T23:59:59Z',
    images: { 'docker.io/library/alpine': image },
  };

  test('is read as it was written', () => {
    expect(parseFrozen(formatFrozen(LIST), LIST.path, NOW)).toEqual(LIST);
  });

  test('may come from a machine whose clock is up to an hour ahead, and names a registry with its port', () => {
    const list = { ...file, images: { 'a.b:5000/c': { ...image, read: '2026-11-23T13:00:00Z' } } };
    const { images } = parseFrozen(Buffer.from(JSON.stringify(list)), '/a/frozen.json', NOW);
    expect(images.get('a.b:5000/c')?.tags).toEqual(new Map([['1.0', FROZEN]]));
  });

  test('has nothing that a reader of it could not see', () => {
    const [[gun, image] = ['', undefined]] = LIST.images;
    if (image === undefined) throw new Error('the list is empty');
    const tags = new Map([['v\u202e\u009b\u200b\u2028', FROZEN]]);
    const text = formatFrozen({ ...LIST, images: new Map([[gun, { ...image, tags }]]) }).toString();
    expect(text).toContain(String.raw`"v\u202e\u009b\u200b\u2028": "sha256:`);
    expect(text).toMatch(/^[\n -~]+$/);
  });

  test.each<[string, unknown]>([
    ['another format', { ...file, format: 'signet-frozen-2' }],
    ['no end', { ...file, until: undefined }],
    ['an unknown member', { ...file, forever: true }],
    ['a short name', { ...file, images: { alpine: image } }],
    ['a name with a tag', { ...file, images: { 'docker.io/library/alpine:3': image } }],
    ['another name for Docker Hub', { ...file, images: { 'index.docker.io/library/alpine': image } }],
    ['a port of Docker Hub', { ...file, images: { 'docker.io:443/library/alpine': image } }],
    ['Docker Hub in capitals', { ...file, images: { 'DOCKER.IO/library/alpine': image } }],
    ['a host in capitals', { ...file, images: { 'Registry.example:5000/a/b': image } }],
    ['what will be read', { ...file, images: { 'a.b/c': { ...image, read: '2026-11-23T13:00:01Z' } } }],
    ['a tag that is none', { ...file, images: { 'a.b/c': { ...image, tags: { 'a b': FROZEN } } } }],
    ['a digest that is none', { ...file, images: { 'a.b/c': { ...image, tags: { '1.0': 'sha256:abc' } } } }],
    ['a digest that is no text', { ...file, images: { 'a.b/c': { ...image, tags: { '1.0': 1 } } } }],
  ])('with %s is refused, with its path', async (_, value) => {
    const error = await failure(
      () => parseFrozen(Buffer.from(JSON.stringify(value)), '/a/frozen.json', NOW),
      'configuration-invalid',
    );
    expect(error.message).toStartWith('/a/frozen.json: ');
  });
});
