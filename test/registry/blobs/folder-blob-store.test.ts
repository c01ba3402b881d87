import { expect, test } from 'bun:test';
import { mkdirSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestHex, digestOf } from '../../../src/core/names/digest.ts';
import { FolderBlobStore } from '../../../src/registry/blobs/folder-blob-store.ts';
import { temporaryFolder } from '../../support/temp.ts';
import { content } from '../fixture.ts';
import { blobStoreSuite } from './blob-store.suite.ts';

blobStoreSuite('FolderBlobStore', async () => {
  const folder = temporaryFolder();
  return { store: await FolderBlobStore.open(folder), connect: () => FolderBlobStore.open(folder) };
});

const BYTES = content(1, 1000);
const ANYWHERE = { offset: undefined, limit: 10_000 };

test('no one else may read the files', async () => {
  const folder = join(temporaryFolder(), 'data');
  mkdirSync(folder, { mode: 0o755 });
  const store = await FolderBlobStore.open(folder);
  const upload = await store.startUpload();
  await store.append(upload, oneChunk(BYTES), ANYWHERE);
  expect(modes(folder)).toEqual(new Map([...FOLDERS, [`uploads/${upload}`, '600']]));
  await store.commit(upload, digestOf(BYTES), async () => {});
  const hex = digestHex(digestOf(BYTES));
  const prefix = `blobs/sha256/${hex.slice(0, 2)}`;
  expect(modes(folder)).toEqual(new Map([...FOLDERS, [prefix, '700'], [`${prefix}/${hex}`, '600']]));
});

test('an upload that a killed process was writing to can be resumed', async () => {
  const folder = temporaryFolder();
  const store = await FolderBlobStore.open(folder);
  const upload = await store.startUpload();
  await store.append(upload, oneChunk(BYTES.subarray(0, 400)), ANYWHERE);
  // What the folder looks like after a kill in the middle of a write.
  renameSync(join(folder, 'uploads', upload), join(folder, 'uploads', `${upload}.0123456789abcdef`));
  const restarted = await FolderBlobStore.open(folder);
  expect(await restarted.uploadSize(upload)).toBe(400);
  await restarted.append(upload, oneChunk(BYTES.subarray(400)), { offset: 400, limit: 10_000 });
  await restarted.commit(upload, digestOf(BYTES), async () => {});
  expect(await (await restarted.read(digestOf(BYTES)))?.bytes()).toEqual(new Uint8Array(BYTES));
  expect(readdirSync(join(folder, 'uploads'))).toEqual([]);
});

test('a removed blob leaves nothing behind', async () => {
  const folder = temporaryFolder();
  const store = await FolderBlobStore.open(folder);
  const upload = await store.startUpload();
  await store.append(upload, oneChunk(BYTES), ANYWHERE);
  await store.commit(upload, digestOf(BYTES), async () => {});
  await store.remove(digestOf(BYTES), (await store.version(digestOf(BYTES))) ?? '');
  while (readdirSync(join(folder, 'uploads')).length > 0) await Bun.sleep(1);
});

test('files that are no blobs are not listed', async () => {
  const folder = temporaryFolder();
  const store = await FolderBlobStore.open(folder);
  const prefix = join(folder, 'blobs', 'sha256', 'ab');
  mkdirSync(prefix);
  writeFileSync(join(prefix, 'notes.txt'), 'not a blob');
  for await (const { digest } of store.blobs()) throw new Error(`listed ${digest}`);
});

const FOLDERS: readonly (readonly [string, string])[] = ['', 'blobs', 'blobs/sha256', 'blobs/sha512', 'uploads'].map(
  (path) => [path, '700'],
);

function modes(folder: string): Map<string, string> {
  const paths = ['', ...(readdirSync(folder, { recursive: true }) as string[])];
  return new Map(paths.sort().map((path) => [path, (statSync(join(folder, path)).mode & 0o777).toString(8)]));
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
