import { beforeEach, describe, expect, test } from 'bun:test';
import { type Digest, digestOf } from '../../../src/core/names/digest.ts';
import type { RegistryIndex } from '../../../src/registry/index/registry-index.ts';
import { type ParsedManifest, parseManifest } from '../../../src/registry/manifest.ts';
import { newUploadId, parseRepositoryName } from '../../../src/registry/names.ts';
import {
  APP,
  codeOf,
  content,
  DOCKER_LIST,
  type ImageOptions,
  image,
  imageIndex,
  OCI_MANIFEST,
  OTHER,
} from '../fixture.ts';

const [CONFIG, LAYER, LAYER_2] = [content(1, 10), content(2, 20), content(3, 30)];
const ALL = { after: undefined, limit: 100 };
const NEVER = Number.MAX_SAFE_INTEGER;

/** What every index must do. `open` gives an empty one. */
export function registryIndexSuite(name: string, open: () => Promise<RegistryIndex>): void {
  describe(name, () => {
    let index: RegistryIndex;
    beforeEach(async () => {
      index = await open();
    });

    /** Gives a repository the blob, seen at `now`. */
    async function give(bytes: Uint8Array, repository = APP, now = 100): Promise<Digest> {
      const digest = digestOf(bytes);
      const key = await index.blobs.announce(digest, bytes.length, now);
      await index.blobs.link(repository, key, now, undefined);
      return digest;
    }

    /** Stores a manifest of CONFIG and LAYER. */
    async function put(
      tag: string | undefined,
      options: ImageOptions = {},
      now = 100,
      layer = LAYER,
    ): Promise<ParsedManifest> {
      await give(CONFIG);
      await give(layer);
      const manifest = manifestOf(image(CONFIG, [layer], options));
      expect(await index.manifests.put(APP, manifest, tag, now)).toEqual([]);
      return manifest;
    }

    describe('uploads', () => {
      test('belong to one repository until they are removed', async () => {
        const upload = newUploadId();
        await index.uploads.add(upload, APP, 100);
        expect(await index.uploads.has(upload, APP)).toBe(true);
        expect(await index.uploads.has(upload, OTHER)).toBe(false);
        expect(await index.uploads.has(newUploadId(), APP)).toBe(false);
        await index.uploads.remove(upload);
        expect(await index.uploads.has(upload, APP)).toBe(false);
      });

      test('are closed by the blob that they become', async () => {
        const [upload, other] = [newUploadId(), newUploadId()];
        for (const each of [upload, other]) await index.uploads.add(each, APP, 100);
        const key = await index.blobs.announce(digestOf(LAYER), LAYER.length, 100);
        await index.blobs.link(APP, key, 100, upload);
        expect(await index.uploads.has(upload, APP)).toBe(false);
        expect(await index.uploads.has(other, APP)).toBe(true);
      });

      test('are listed by age, in pages', async () => {
        const old = [newUploadId(), newUploadId(), newUploadId()].sort();
        for (const upload of old) await index.uploads.add(upload, APP, 99);
        await index.uploads.add(newUploadId(), APP, 100);
        expect(await index.uploads.startedBefore(100, '', 2)).toEqual(old.slice(0, 2));
        expect(await index.uploads.startedBefore(100, old[1] ?? '', 2)).toEqual(old.slice(2));
        expect(await index.uploads.startedBefore(99, '', 2)).toEqual([]);
      });
    });

    describe('blobs', () => {
      test('are there only for repositories that they are linked to', async () => {
        const digest = digestOf(LAYER);
        const key = await index.blobs.announce(digest, 20, 100);
        expect(await index.blobs.get(APP, digest)).toBeUndefined();
        await index.blobs.link(APP, key, 101, undefined);
        expect(await index.blobs.get(APP, digest)).toEqual({ size: 20, seen: 101 });
        expect(await index.blobs.get(OTHER, digest)).toBeUndefined();
      });

      test('keep their key as long as they stay', async () => {
        const key = await index.blobs.announce(digestOf(LAYER), 20, 100);
        expect(await index.blobs.announce(digestOf(LAYER), 20, 200)).toBe(key);
        expect(await index.blobs.announce(digestOf(CONFIG), 10, 200)).not.toBe(key);
      });

      test('cannot be linked once they were removed, not even if they came back', async () => {
        const key = await index.blobs.announce(digestOf(LAYER), 20, 100);
        expect(await index.garbage.forgetBlob(digestOf(LAYER), NEVER)).toBe(true);
        expect(await codeOf(index.blobs.link(APP, key, 100, undefined))).toBe('blob-collected');
        const again = await index.blobs.announce(digestOf(LAYER), 20, 100);
        expect(again).not.toBe(key);
        expect(await codeOf(index.blobs.link(APP, key, 100, undefined))).toBe('blob-collected');
        await index.blobs.link(APP, again, 100, undefined);
      });

      test('can be mounted from a repository that has them', async () => {
        const digest = await give(LAYER);
        expect(await index.blobs.mount(OTHER, APP, digestOf(CONFIG), 200)).toBe(false);
        expect(await index.blobs.mount(OTHER, parseRepositoryName('nobody'), digest, 200)).toBe(false);
        expect(await index.blobs.get(OTHER, digest)).toBeUndefined();
        expect(await index.blobs.mount(OTHER, APP, digest, 200)).toBe(true);
        expect(await index.blobs.get(OTHER, digest)).toEqual({ size: 20, seen: 200 });
        expect(await index.blobs.get(APP, digest)).toEqual({ size: 20, seen: 100 });
      });

      test('are seen when pushed, mounted or touched, never earlier than before', async () => {
        const digest = await give(LAYER, APP, 100);
        expect(await index.blobs.touch(APP, digest, 300)).toBe(true);
        await give(LAYER, APP, 200);
        expect(await index.blobs.touch(APP, digest, 250)).toBe(true);
        expect(await index.blobs.get(APP, digest)).toEqual({ size: 20, seen: 300 });
        expect(await index.blobs.touch(OTHER, digest, 400)).toBe(false);
        expect(await index.blobs.touch(APP, digestOf(CONFIG), 400)).toBe(false);
      });

      test('are unlinked from one repository', async () => {
        const digest = await give(LAYER);
        await give(LAYER, OTHER);
        expect(await index.blobs.unlink(APP, digest)).toBe(true);
        expect(await index.blobs.unlink(APP, digest)).toBe(false);
        expect(await index.blobs.get(APP, digest)).toBeUndefined();
        expect(await index.blobs.get(OTHER, digest)).toBeDefined();
      });
    });

    describe('manifests', () => {
      test('are found by digest and by tag, byte for byte', async () => {
        const manifest = await put('v1');
        const stored = { digest: manifest.digest, mediaType: OCI_MANIFEST, bytes: manifest.bytes, seen: 100 };
        expect(await index.manifests.byDigest(APP, manifest.digest)).toEqual(stored);
        expect(await index.manifests.byTag(APP, 'v1')).toEqual(stored);
        expect(await index.manifests.byTag(APP, 'v2')).toBeUndefined();
        expect(await index.manifests.byTag(OTHER, 'v1')).toBeUndefined();
        expect(await index.manifests.byDigest(OTHER, manifest.digest)).toBeUndefined();
      });

      test('are refused, with what is missing, and leave no trace', async () => {
        await give(CONFIG);
        await give(LAYER, OTHER);
        const manifest = manifestOf(image(CONFIG, [LAYER, LAYER_2, LAYER]));
        const missing = await index.manifests.put(APP, manifest, 'v1', 100);
        expect(new Set(missing)).toEqual(new Set([digestOf(LAYER), digestOf(LAYER_2)]));
        expect(missing.length).toBe(2);
        expect(await index.manifests.byDigest(APP, manifest.digest)).toBeUndefined();
        expect(await index.manifests.byTag(APP, 'v1')).toBeUndefined();
        const elsewhere = parseRepositoryName('not/known');
        expect((await index.manifests.put(elsewhere, manifest, 'v1', 100)).length).toBe(3);
        expect(await index.manifests.tags(elsewhere, ALL)).toBeUndefined();
      });

      test('an index needs its manifests as manifests of the same repository', async () => {
        const child = await put('v1');
        const list = imageIndex([child.bytes]);
        expect(await index.manifests.put(APP, manifestOf(list), 'all', 100)).toEqual([]);
        expect(await index.manifests.put(OTHER, manifestOf(list), 'all', 100)).toEqual([child.digest]);
        const ofBlob = imageIndex([CONFIG], DOCKER_LIST);
        expect(await index.manifests.put(APP, manifestOf(ofBlob), 'all', 100)).toEqual([digestOf(CONFIG)]);
      });

      test('a subject may be missing', async () => {
        await put('v1', { subject: digestOf(LAYER_2) });
      });

      test('a tag moves to the manifest pushed last', async () => {
        const first = await put('v1');
        const second = await put('v1', { annotations: { a: 'b' } });
        expect((await index.manifests.byTag(APP, 'v1'))?.digest).toBe(second.digest);
        expect((await index.manifests.byDigest(APP, first.digest))?.digest).toBe(first.digest);
        expect(await index.manifests.tags(APP, ALL)).toEqual(['v1']);
      });

      test('pushed again are the same, seen later', async () => {
        const manifest = await put('v1', {}, 100);
        await put('v2', {}, 300);
        await put('v3', {}, 200);
        expect((await index.manifests.byDigest(APP, manifest.digest))?.seen).toBe(300);
        expect(await index.manifests.tags(APP, ALL)).toEqual(['v1', 'v2', 'v3']);
      });

      test('are seen when touched', async () => {
        const { digest } = await put('v1');
        expect(await index.manifests.touch(APP, digest, 200)).toBe(true);
        expect(await index.manifests.touch(OTHER, digest, 200)).toBe(false);
        expect((await index.manifests.byTag(APP, 'v1'))?.seen).toBe(200);
      });

      test('take their tags with them', async () => {
        const { digest } = await put('v1');
        await put('v2');
        const other = await put('other', { annotations: { a: 'b' } });
        expect(await index.manifests.remove(APP, digest)).toBe(true);
        expect(await index.manifests.remove(APP, digest)).toBe(false);
        expect(await index.manifests.tags(APP, ALL)).toEqual(['other']);
        expect(await index.manifests.byTag(APP, 'v1')).toBeUndefined();
        expect(await index.manifests.byDigest(APP, other.digest)).toBeDefined();
      });

      test('stay when a tag goes', async () => {
        const { digest } = await put('v1');
        expect(await index.manifests.removeTag(OTHER, 'v1')).toBe(false);
        expect(await index.manifests.removeTag(APP, 'v1')).toBe(true);
        expect(await index.manifests.removeTag(APP, 'v1')).toBe(false);
        expect(await index.manifests.byDigest(APP, digest)).toBeDefined();
        expect(await index.manifests.tags(APP, ALL)).toEqual([]);
      });
    });

    describe('referrers', () => {
      const subject = digestOf(LAYER_2);
      const cut = { artifactType: undefined, after: undefined, maxBytes: 1_000_000 };

      test('are those of one subject in one repository, ordered by digest', async () => {
        const sbom = await put(undefined, {
          subject,
          artifactType: 'application/sbom',
          annotations: { made: 'today' },
        });
        const plain = await put('sig', { subject });
        await put(undefined, { subject: digestOf(CONFIG) });
        const [first, second] = [sbom, plain].sort((a, b) => (a.digest < b.digest ? -1 : 1));
        const found = await index.manifests.referrers(APP, subject, cut);
        expect(found).toEqual({ descriptors: [first?.descriptor ?? '', second?.descriptor ?? ''], next: undefined });
        expect((await index.manifests.referrers(OTHER, subject, cut)).descriptors).toEqual([]);
      });

      test('can be chosen by type of artifact', async () => {
        const sbom = await put(undefined, { subject, artifactType: 'application/sbom' });
        await put(undefined, { subject });
        const found = await index.manifests.referrers(APP, subject, { ...cut, artifactType: 'application/sbom' });
        expect(found.descriptors).toEqual([sbom.descriptor]);
      });

      test('come in pages of limited size, at least one in each', async () => {
        const all = [];
        for (let made = 0; made < 3; made++)
          all.push(await put(undefined, { subject, annotations: { made: `${made}` } }));
        const digests = all.map(({ digest }) => digest).sort();
        let after: Digest | undefined;
        for (const digest of digests) {
          const { descriptors, next } = await index.manifests.referrers(APP, subject, { ...cut, after, maxBytes: 1 });
          expect(descriptors).toEqual([expect.stringContaining(digest)]);
          expect(next).toBe(digest === digests[2] ? undefined : digest);
          after = next;
        }
      });

      test('go with their manifest', async () => {
        const { digest } = await put(undefined, { subject });
        await index.manifests.remove(APP, digest);
        expect((await index.manifests.referrers(APP, subject, cut)).descriptors).toEqual([]);
      });
    });

    describe('lists', () => {
      test('tags in the order of their bytes, in pages', async () => {
        for (const tag of ['b', 'a', 'B', '_', 'a.1', '10', '9']) await put(tag);
        const sorted = ['10', '9', 'B', '_', 'a', 'a.1', 'b'];
        expect(await index.manifests.tags(APP, ALL)).toEqual(sorted);
        expect(await index.manifests.tags(APP, { after: undefined, limit: 3 })).toEqual(sorted.slice(0, 3));
        expect(await index.manifests.tags(APP, { after: 'B', limit: 3 })).toEqual(sorted.slice(3, 6));
        expect(await index.manifests.tags(APP, { after: 'Z', limit: 1 })).toEqual(['_']);
        expect(await index.manifests.tags(APP, { after: 'b', limit: 3 })).toEqual([]);
        expect(await index.manifests.tags(OTHER, ALL)).toBeUndefined();
      });

      test('repositories with a manifest, in pages', async () => {
        await put('v1');
        await give(LAYER, OTHER);
        expect(await index.manifests.repositories(ALL)).toEqual([APP]);
        await give(CONFIG, OTHER);
        await index.manifests.put(OTHER, manifestOf(image(CONFIG, [LAYER])), undefined, 100);
        expect(await index.manifests.repositories(ALL)).toEqual([APP, OTHER]);
        expect(await index.manifests.repositories({ after: APP, limit: 1 })).toEqual([OTHER]);
        expect(await index.manifests.repositories({ after: undefined, limit: 1 })).toEqual([APP]);
      });
    });

    describe('garbage', () => {
      test('a blob that a manifest names stays linked, whatever its age', async () => {
        await put('v1');
        const loose = await give(LAYER_2);
        expect(await index.garbage.unlinkLooseBlobs(NEVER, 10)).toBe(1);
        expect(await index.blobs.get(APP, loose)).toBeUndefined();
        expect(await index.blobs.get(APP, digestOf(LAYER))).toBeDefined();
        expect(await index.blobs.get(APP, digestOf(CONFIG))).toBeDefined();
      });

      test('a manifest of another repository does not keep a link', async () => {
        await put('v1');
        await give(LAYER, OTHER);
        expect(await index.garbage.unlinkLooseBlobs(NEVER, 10)).toBe(1);
        expect(await index.blobs.get(OTHER, digestOf(LAYER))).toBeUndefined();
        expect(await index.blobs.get(APP, digestOf(LAYER))).toBeDefined();
      });

      test('what was seen at the given time or later stays linked', async () => {
        const digest = await give(LAYER, APP, 100);
        expect(await index.garbage.unlinkLooseBlobs(100, 10)).toBe(0);
        await index.blobs.touch(APP, digest, 200);
        expect(await index.garbage.unlinkLooseBlobs(200, 10)).toBe(0);
        expect(await index.garbage.unlinkLooseBlobs(201, 10)).toBe(1);
      });

      test('links are removed in batches', async () => {
        for (const bytes of [CONFIG, LAYER, LAYER_2]) await give(bytes);
        expect(await index.garbage.unlinkLooseBlobs(NEVER, 2)).toBe(2);
        expect(await index.garbage.unlinkLooseBlobs(NEVER, 2)).toBe(1);
        expect(await index.garbage.unlinkLooseBlobs(NEVER, 2)).toBe(0);
      });

      test('a foreign layer that was pushed nevertheless stays linked', async () => {
        await give(CONFIG);
        await give(LAYER);
        const foreign = { mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar', urls: ['https://a/b'] };
        const document = JSON.parse(image(CONFIG, [LAYER]).toString());
        Object.assign(document.layers[0], foreign);
        const manifest = manifestOf(Buffer.from(JSON.stringify(document)));
        expect(await index.manifests.put(APP, manifest, 'v1', 100)).toEqual([]);
        expect(await index.garbage.unlinkLooseBlobs(NEVER, 10)).toBe(0);
      });

      test('blobs without a link and an announcement since are loose, in pages', async () => {
        const linked = await give(LAYER_2);
        for (const bytes of [CONFIG, LAYER]) await index.blobs.announce(digestOf(bytes), bytes.length, 100);
        const loose = [digestOf(CONFIG), digestOf(LAYER)].sort();
        expect(await index.garbage.looseBlobs(101, '', 10)).toEqual(loose);
        expect(await index.garbage.looseBlobs(100, '', 10)).toEqual([]);
        expect(await index.garbage.looseBlobs(101, '', 1)).toEqual(loose.slice(0, 1));
        expect(await index.garbage.looseBlobs(101, loose[0] ?? '', 10)).toEqual(loose.slice(1));
        expect(await index.garbage.looseBlobs(101, '', 10)).not.toContain(linked);
      });

      test('a blob is forgotten only if it is not linked and not announced since', async () => {
        const digest = await give(LAYER);
        const forget = (unseenSince: number) => index.garbage.forgetBlob(digest, unseenSince);
        expect(await forget(NEVER)).toBe(false);
        await index.blobs.unlink(APP, digest);
        expect(await forget(100)).toBe(false);
        await index.blobs.announce(digest, 20, 200);
        expect(await forget(200)).toBe(false);
        expect(await index.blobs.any()).toBe(true);
        expect(await index.garbage.unannounced([digest])).toEqual([]);
        expect(await forget(201)).toBe(true);
        expect(await index.garbage.unannounced([digest])).toEqual([digest]);
        expect(await index.blobs.any()).toBe(false);
      });

      test('what the index does not know is as good as forgotten', async () => {
        expect(await index.garbage.forgetBlob(digestOf(LAYER), 0)).toBe(true);
      });

      test('of a blob that is forgotten and linked at once, one or the other happens', async () => {
        const digest = digestOf(LAYER);
        const outcomes = new Set<string>();
        for (let round = 0; round < 30; round++) {
          const key = await index.blobs.announce(digest, 20, 100);
          const link = index.blobs
            .link(APP, key, 100, undefined)
            .then(() => true)
            .catch(() => false);
          const forget = index.garbage.forgetBlob(digest, NEVER);
          const [isLinked, isForgotten] =
            round % 2 === 0 ? await Promise.all([link, forget]) : (await Promise.all([forget, link])).reverse();
          expect(isLinked).toBe(!isForgotten);
          expect((await index.blobs.get(APP, digest)) !== undefined).toBe(isLinked === true);
          outcomes.add(String(isLinked));
          await index.blobs.unlink(APP, digest);
          await index.garbage.forgetBlob(digest, NEVER);
        }
        expect(outcomes.size).toBeGreaterThan(0);
      });

      test('of a manifest that is put while its blobs are taken away, all is there or nothing', async () => {
        const manifest = manifestOf(image(CONFIG, [LAYER]));
        for (let round = 0; round < 20; round++) {
          await give(CONFIG);
          await give(LAYER);
          const put = index.manifests.put(APP, manifest, 'v1', 100);
          const taken = index.garbage.unlinkLooseBlobs(NEVER, 10);
          const [missing] = await Promise.all([put, taken]);
          const links = await Promise.all([CONFIG, LAYER].map((bytes) => index.blobs.get(APP, digestOf(bytes))));
          if (missing.length === 0) expect(links).not.toContain(undefined);
          expect((await index.manifests.byTag(APP, 'v1')) !== undefined).toBe(missing.length === 0);
          await index.manifests.remove(APP, manifest.digest);
        }
      });

      test('many who push the same at once all succeed', async () => {
        const manifest = manifestOf(image(CONFIG, [LAYER]));
        const push = async () => {
          await give(CONFIG);
          await give(LAYER);
          await index.blobs.mount(OTHER, APP, digestOf(LAYER), 100);
          return index.manifests.put(APP, manifest, 'v1', 100);
        };
        const results = await Promise.all(Array.from({ length: 8 }, push));
        expect(results.flat()).toEqual([]);
        expect(await index.manifests.tags(APP, ALL)).toEqual(['v1']);
        expect(await index.blobs.get(OTHER, digestOf(LAYER))).toBeDefined();
      });

      test('manifests are loose without tag, index and subject', async () => {
        const tagged = await put('v1');
        const child = await put(undefined, { annotations: { is: 'child' } });
        await index.manifests.put(APP, manifestOf(imageIndex([child.bytes])), 'all', 100);
        await put(undefined, { subject: tagged.digest });
        const orphan = await put(undefined, { subject: digestOf(LAYER_2) });
        const plain = await put(undefined, { annotations: { is: 'plain' } });
        const loose = await index.garbage.looseManifests(101, 0, 10);
        expect(loose.map(({ repository, digest }) => [repository, digest])).toEqual([
          [APP, orphan.digest],
          [APP, plain.digest],
        ]);
        expect(await index.garbage.looseManifests(100, 0, 10)).toEqual([]);
        expect(await index.garbage.looseManifests(101, 0, 1)).toEqual(loose.slice(0, 1));
        expect(await index.garbage.looseManifests(101, loose[0]?.key ?? 0, 10)).toEqual(loose.slice(1));
      });

      test('a manifest is removed only if it is still loose and unseen', async () => {
        const manifest = await put(undefined);
        const [loose] = await index.garbage.looseManifests(NEVER, 0, 1);
        const key = loose?.key ?? 0;
        expect(await index.garbage.removeLooseManifest(key, 100)).toBe(false);
        await index.manifests.put(APP, manifest, 'v1', 100);
        expect(await index.garbage.removeLooseManifest(key, NEVER)).toBe(false);
        await index.manifests.removeTag(APP, 'v1');
        expect(await index.garbage.removeLooseManifest(key, NEVER)).toBe(true);
        expect(await index.garbage.removeLooseManifest(key, NEVER)).toBe(false);
        expect(await index.manifests.byDigest(APP, manifest.digest)).toBeUndefined();
        expect(await index.garbage.unlinkLooseBlobs(NEVER, 10)).toBe(2);
      });

      test('repositories with nothing left are forgotten', async () => {
        const { digest } = await put('v1');
        await give(LAYER_2, OTHER);
        await index.manifests.remove(APP, digest);
        await index.garbage.removeEmptyRepositories();
        expect(await index.manifests.tags(APP, ALL)).toEqual([]);
        await index.garbage.unlinkLooseBlobs(NEVER, 10);
        await index.garbage.removeEmptyRepositories();
        expect(await index.manifests.tags(APP, ALL)).toBeUndefined();
        expect(await index.manifests.tags(OTHER, ALL)).toBeUndefined();
      });
    });
  });
}

function manifestOf(bytes: Buffer): ParsedManifest {
  return parseManifest(bytes, undefined, digestOf(bytes));
}
