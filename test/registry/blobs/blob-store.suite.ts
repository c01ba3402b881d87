import { beforeEach, describe, expect, test } from 'bun:test';
import { type Digest, digestOf } from '../../../src/core/names/digest.ts';
import type { BlobStore } from '../../../src/registry/blobs/blob-store.ts';
import { newUploadId, type UploadId } from '../../../src/registry/names.ts';
import { codeOf, content } from '../fixture.ts';

const LIMIT = 100 * 1024 * 1024;
const ANYWHERE = { offset: undefined, limit: LIMIT };

/** A store, and further processes that use the same data. */
export interface StoreUnderTest {
  readonly store: BlobStore;
  connect(): Promise<BlobStore>;
}

/** What every blob store must do. `open` gives an empty store. */
export function blobStoreSuite(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(name, () => {
    let store: BlobStore;
    let connect: () => Promise<BlobStore>;
    beforeEach(async () => {
      const opened = await open();
      store = opened.store;
      connect = () => opened.connect();
    });

    test('an upload becomes a blob under the digest of its bytes', async () => {
      const bytes = content(1, 300_000);
      const upload = await store.startUpload();
      expect(await store.uploadSize(upload)).toBe(0);
      expect(await store.append(upload, chunks(bytes, 1000), ANYWHERE)).toBe(300_000);
      const announced: number[] = [];
      const size = await store.commit(upload, digestOf(bytes), async (announcedSize) => {
        announced.push(announcedSize);
        expect(await store.read(digestOf(bytes))).toBeUndefined();
      });
      expect(size).toBe(300_000);
      expect(announced).toEqual([300_000]);
      expect(await bytesOf(store, digestOf(bytes))).toEqual(bytes);
      expect(await codeOf(store.uploadSize(upload))).toBe('blob-upload-unknown');
    });

    test('an empty upload becomes the empty blob', async () => {
      const upload = await store.startUpload();
      const digest = digestOf(Buffer.alloc(0));
      await commit(store, upload, digest);
      expect(await bytesOf(store, digest)).toEqual(Buffer.alloc(0));
    });

    test('SHA-512 names a blob too', async () => {
      const bytes = content(2, 5000);
      const upload = await store.startUpload();
      await store.append(upload, chunks(bytes, 700), ANYWHERE);
      const digest = digestOf(bytes, 'sha512');
      await commit(store, upload, digest);
      expect(await bytesOf(store, digest)).toEqual(bytes);
      expect(await store.read(digestOf(bytes))).toBeUndefined();
    });

    test('several appends follow one another, and chunks of every size add up', async () => {
      const bytes = content(3, 3_000_000);
      const upload = await store.startUpload();
      expect(await store.append(upload, chunks(bytes.subarray(0, 10), 1), { offset: 0, limit: LIMIT })).toBe(10);
      expect(await store.append(upload, chunks(bytes.subarray(10, 2_500_000), 1_300_000), ANYWHERE)).toBe(2_500_000);
      const rest = bytes.subarray(2_500_000);
      expect(await store.append(upload, chunks(rest, 100), { offset: 2_500_000, limit: LIMIT })).toBe(3_000_000);
      await commit(store, upload, digestOf(bytes));
      expect(await bytesOf(store, digestOf(bytes))).toEqual(bytes);
    });

    test('refuses to append anywhere but at the end', async () => {
      const upload = await store.startUpload();
      await store.append(upload, chunks(content(4, 100), 50), ANYWHERE);
      for (const offset of [0, 99, 101]) {
        const refused = store.append(upload, chunks(content(4, 100), 50), { offset, limit: LIMIT });
        expect(await codeOf(refused)).toBe('blob-upload-range-invalid');
      }
      expect(await store.uploadSize(upload)).toBe(100);
    });

    test('refuses to grow beyond the limit, and keeps what came before', async () => {
      const bytes = content(5, 100);
      const upload = await store.startUpload();
      const refused = store.append(upload, chunks(bytes, 30), { offset: undefined, limit: 89 });
      expect(await codeOf(refused)).toBe('blob-too-large');
      expect(await store.uploadSize(upload)).toBe(60);
      await store.append(upload, chunks(bytes.subarray(60), 40), { offset: 60, limit: 100 });
      await commit(store, upload, digestOf(bytes));
      expect(await bytesOf(store, digestOf(bytes))).toEqual(bytes);
    });

    test('an upload whose body breaks off goes on where it stopped', async () => {
      const bytes = content(6, 4_000_000);
      const upload = await store.startUpload();
      await expect(store.append(upload, breakingOff(bytes.subarray(0, 1_700_000)), ANYWHERE)).rejects.toThrow('gone');
      expect(await store.uploadSize(upload)).toBe(1_700_000);
      await store.append(upload, chunks(bytes.subarray(1_700_000), 9000), { offset: 1_700_000, limit: LIMIT });
      await commit(store, upload, digestOf(bytes));
      expect(await bytesOf(store, digestOf(bytes))).toEqual(bytes);
    });

    test('another process continues an upload, and finishes what the first began', async () => {
      const bytes = content(7, 200_000);
      const upload = await store.startUpload();
      await store.append(upload, chunks(bytes.subarray(0, 50_000), 9000), ANYWHERE);
      const second = await connect();
      await second.append(upload, chunks(bytes.subarray(50_000, 120_000), 9000), ANYWHERE);
      await store.append(upload, chunks(bytes.subarray(120_000), 9000), ANYWHERE);
      await commit(second, upload, digestOf(bytes));
      expect(await bytesOf(store, digestOf(bytes))).toEqual(bytes);
    });

    test('content with another digest is refused and forgotten', async () => {
      const upload = await store.startUpload();
      await store.append(upload, chunks(content(8, 100), 50), ANYWHERE);
      let announced = false;
      const claimed = digestOf(content(9, 100));
      const refused = store.commit(upload, claimed, async () => {
        announced = true;
      });
      expect(await codeOf(refused)).toBe('blob-digest-mismatch');
      expect(announced).toBe(false);
      expect(await store.read(claimed)).toBeUndefined();
      expect(await codeOf(store.uploadSize(upload))).toBe('blob-upload-unknown');
    });

    test('a failing announcement leaves the upload as it was', async () => {
      const bytes = content(10, 100);
      const upload = await store.startUpload();
      await store.append(upload, chunks(bytes, 50), ANYWHERE);
      const failing = store.commit(upload, digestOf(bytes), () => Promise.reject(new Error('no room in the index')));
      await expect(failing).rejects.toThrow('no room in the index');
      expect(await store.read(digestOf(bytes))).toBeUndefined();
      await commit(store, upload, digestOf(bytes));
      expect(await bytesOf(store, digestOf(bytes))).toEqual(bytes);
    });

    test('one writer at a time', async () => {
      const bytes = content(11, 100);
      const upload = await store.startUpload();
      const pipe = new TransformStream<Uint8Array, Uint8Array>();
      const writer = pipe.writable.getWriter();
      const first = store.append(upload, pipe.readable, ANYWHERE);
      await writer.write(bytes.subarray(0, 50));
      expect(await codeOf(store.append(upload, chunks(bytes, 10), ANYWHERE))).toBe('blob-upload-busy');
      expect(await codeOf(commit(store, upload, digestOf(bytes)))).toBe('blob-upload-busy');
      expect(await codeOf(store.cancel(upload))).toBe('blob-upload-busy');
      await writer.write(bytes.subarray(50));
      await writer.close();
      expect(await first).toBe(100);
      await commit(store, upload, digestOf(bytes));
      expect(await bytesOf(store, digestOf(bytes))).toEqual(bytes);
    });

    test('a process that takes an upload over shuts out the one that was writing to it', async () => {
      const bytes = content(12, 2_000_000);
      const upload = await store.startUpload();
      const pipe = new TransformStream<Uint8Array, Uint8Array>();
      const writer = pipe.writable.getWriter();
      const first = codeOf(store.append(upload, pipe.readable, ANYWHERE));
      // More than a batch, so that some of it is in the file when the other process comes.
      await writer.write(bytes.subarray(0, 1_500_000));
      const second = await connect();
      const size = 1_500_000;
      while ((await second.uploadSize(upload)) < size) await Bun.sleep(1);
      await second.append(upload, chunks(bytes.subarray(size), 9000), { offset: size, limit: LIMIT });
      await writer.write(content(13, 500_000));
      await writer.close();
      expect(await first).toBe('blob-upload-busy');
      // The first process has hashed as many bytes, but not these.
      await commit(store, upload, digestOf(bytes));
      expect(await bytesOf(store, digestOf(bytes))).toEqual(bytes);
    });

    test('a cancelled upload is gone', async () => {
      const upload = await store.startUpload();
      await store.append(upload, chunks(content(14, 100), 50), ANYWHERE);
      await store.cancel(upload);
      expect(await codeOf(store.uploadSize(upload))).toBe('blob-upload-unknown');
      expect(await codeOf(store.append(upload, chunks(content(14, 1), 1), ANYWHERE))).toBe('blob-upload-unknown');
      expect(await codeOf(store.cancel(upload))).toBe('blob-upload-unknown');
    });

    test('an upload that was never begun is unknown', async () => {
      const upload = newUploadId();
      expect(await codeOf(store.uploadSize(upload))).toBe('blob-upload-unknown');
      expect(await codeOf(commit(store, upload, digestOf(content(15, 1))))).toBe('blob-upload-unknown');
    });

    test('only uploads that lie still are stale', async () => {
      const [old, fresh] = [await store.startUpload(), await store.startUpload()];
      await store.append(old, chunks(content(16, 100), 50), ANYWHERE);
      const between = await laterThanNow();
      await store.append(fresh, chunks(content(16, 100), 50), ANYWHERE);
      expect(await store.cancelStale(between)).toBe(1);
      expect(await codeOf(store.uploadSize(old))).toBe('blob-upload-unknown');
      expect(await store.uploadSize(fresh)).toBe(100);
      expect(await store.cancelStale(between)).toBe(0);
    });

    test('the same content twice is one blob', async () => {
      const bytes = content(17, 100);
      for (let time = 0; time < 2; time++) {
        const upload = await store.startUpload();
        await store.append(upload, chunks(bytes, 50), ANYWHERE);
        await commit(store, upload, digestOf(bytes));
      }
      const found: Digest[] = [];
      for await (const { digest, modified } of store.blobs()) {
        found.push(digest);
        expect(Math.abs(Date.now() - modified)).toBeLessThan(60_000);
      }
      expect(found).toEqual([digestOf(bytes)]);
    });

    test('a removed blob is gone, and removing what is not there is no error', async () => {
      const bytes = content(18, 100);
      const upload = await store.startUpload();
      await store.append(upload, chunks(bytes, 50), ANYWHERE);
      await commit(store, upload, digestOf(bytes));
      const version = (await store.version(digestOf(bytes))) ?? '';
      expect(await store.remove(digestOf(bytes), version)).toBe(true);
      expect(await store.read(digestOf(bytes))).toBeUndefined();
      expect(await store.version(digestOf(bytes))).toBeUndefined();
      expect(await store.remove(digestOf(bytes), version)).toBe(false);
    });

    test('what was pushed again since its version was noted is not removed, by whichever process', async () => {
      const bytes = content(19, 100);
      const digest = digestOf(bytes);
      const push = async (to: BlobStore) => {
        const upload = await to.startUpload();
        await to.append(upload, chunks(bytes, 50), ANYWHERE);
        await commit(to, upload, digest);
      };
      await push(store);
      const other = await connect();
      for (const [pusher, remover] of [
        [store, store],
        [store, other],
        [other, store],
      ] as const) {
        const before = (await remover.version(digest)) ?? '';
        await push(pusher);
        expect(await remover.remove(digest, before)).toBe(false);
        expect(await bytesOf(store, digest)).toEqual(bytes);
      }
      expect(await other.remove(digest, (await store.version(digest)) ?? '')).toBe(true);
    });

    test('of a removal and a push at the same time, the push stays', async () => {
      const bytes = content(20, 100);
      const digest = digestOf(bytes);
      const other = await connect();
      for (let round = 0; round < 40; round++) {
        const uploads = await Promise.all([store.startUpload(), store.startUpload()]);
        for (const upload of uploads) await store.append(upload, chunks(bytes, 50), ANYWHERE);
        await commit(store, uploads[0], digest);
        const version = (await other.version(digest)) ?? '';
        const remover = round % 2 === 0 ? store : other;
        await Promise.all([commit(store, uploads[1], digest), remover.remove(digest, version)]);
        expect(await bytesOf(store, digest)).toEqual(bytes);
      }
    });
  });
}

async function* chunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function* breakingOff(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield* chunks(bytes, 7000);
  throw new Error('the client is gone');
}

async function commit(store: BlobStore, upload: UploadId, digest: Digest): Promise<void> {
  await store.commit(upload, digest, async () => {});
}

async function bytesOf(store: BlobStore, digest: Digest): Promise<Buffer> {
  const blob = await store.read(digest);
  if (blob === undefined) throw new Error(`there is no blob ${digest}`);
  return Buffer.from(await blob.arrayBuffer());
}

/** A moment after everything that was written until now, and before what is written next. */
async function laterThanNow(): Promise<number> {
  await Bun.sleep(30);
  const moment = Date.now() - 10;
  await Bun.sleep(10);
  return moment;
}
