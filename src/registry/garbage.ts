import { isSignetError } from '../core/errors/index.ts';
import type { Digest } from '../core/names/digest.ts';
import type { Instant } from '../core/time.ts';
import type { BlobStore } from './blobs/blob-store.ts';
import type { RegistryParts } from './http/services.ts';
import type { RepositoryName, UploadId } from './names.ts';

/** Rows changed in one transaction at most: other requests wait meanwhile. */
const BATCH = 256;

export interface CollectOptions {
  /** Also removes manifests that have no tag and belong to no other manifest. */
  readonly removeUntagged?: boolean;
  /** Asked about each untagged manifest before it is removed; true keeps it, for example because it is signed. */
  readonly isNeeded?: (repository: RepositoryName, digest: Digest) => Promise<boolean>;
}

/** What was removed. */
export interface Collected {
  readonly manifests: number;
  /** Blobs taken from repositories in which no manifest names them. */
  readonly links: number;
  /** Blobs removed from the store. */
  readonly blobs: number;
}

/**
 * Removes what is unused and was not reported to a client within the grace period. Safe beside running pushes, also of other
 * processes: each removal is one transaction that looks once more, and a blob that comes back at the wrong moment keeps
 * its new content, or is refused with an error rather than lost.
 */
export async function collectGarbage(parts: RegistryParts, options: CollectOptions = {}): Promise<Collected> {
  const unseenSince = parts.clock() - parts.grace;
  const manifests = options.removeUntagged ? await removeUntagged(parts, unseenSince, options) : 0;
  const links = await unlinkLooseBlobs(parts, unseenSince);
  const blobs = (await removeLooseBlobs(parts, unseenSince)) + (await removeUnknownBlobs(parts, unseenSince));
  await parts.index.garbage.removeEmptyRepositories();
  return { manifests, links, blobs };
}

/** Cancels the uploads to which nothing was written since `before`; returns how many. */
export async function removeStaleUploads({ index, blobs }: RegistryParts, before: Instant): Promise<number> {
  const removed = await blobs.cancelStale(before);
  let last = '';
  for (;;) {
    const uploads = await index.uploads.startedBefore(before, last, BATCH);
    for (const upload of uploads) if (!(await isOpen(blobs, upload))) await index.uploads.remove(upload);
    const next = uploads.at(-1);
    if (next === undefined) return removed;
    last = next;
  }
}

/** Whether an upload that began long ago still holds something: it may have been written to since. */
async function isOpen(blobs: BlobStore, upload: UploadId): Promise<boolean> {
  try {
    await blobs.uploadSize(upload);
    return true;
  } catch (error) {
    if (isSignetError(error, 'blob-upload-unknown')) return false;
    throw error;
  }
}

/** In rounds, because an index that goes sets free the images it listed. */
async function removeUntagged(parts: RegistryParts, unseenSince: Instant, options: CollectOptions): Promise<number> {
  let removed = 0;
  for (;;) {
    const round = await removeLooseManifests(parts, unseenSince, options);
    if (round === 0) return removed;
    removed += round;
  }
}

async function removeLooseManifests(
  { index }: RegistryParts,
  unseenSince: Instant,
  options: CollectOptions,
): Promise<number> {
  const { isNeeded = async () => false } = options;
  let removed = 0;
  let last = 0;
  for (;;) {
    const manifests = await index.garbage.looseManifests(unseenSince, last, BATCH);
    for (const { key, repository, digest } of manifests) {
      if (await isNeeded(repository, digest)) continue;
      if (await index.garbage.removeLooseManifest(key, unseenSince)) removed++;
    }
    const next = manifests.at(-1);
    if (next === undefined) return removed;
    last = next.key;
    await pause();
  }
}

async function unlinkLooseBlobs({ index }: RegistryParts, unseenSince: Instant): Promise<number> {
  let removed = 0;
  for (;;) {
    const unlinked = await index.garbage.unlinkLooseBlobs(unseenSince, BATCH);
    if (unlinked === 0) return removed;
    removed += unlinked;
    await pause();
  }
}

async function removeLooseBlobs(parts: RegistryParts, unseenSince: Instant): Promise<number> {
  let removed = 0;
  let last = '';
  for (;;) {
    const digests = await parts.index.garbage.looseBlobs(unseenSince, last, BATCH);
    for (const digest of digests) {
      if (await removeBlob(parts, digest, unseenSince)) removed++;
      await pause();
    }
    const next = digests.at(-1);
    if (next === undefined) return removed;
    last = next;
  }
}

/** Files that the index does not know, as after it was restored from a backup, or after a removal that was cut short. */
async function removeUnknownBlobs(parts: RegistryParts, unseenSince: Instant): Promise<number> {
  let removed = 0;
  let digests: Digest[] = [];
  const removeBatch = async () => {
    for (const digest of await parts.index.garbage.unannounced(digests)) {
      if (await removeBlob(parts, digest, unseenSince)) removed++;
      await pause();
    }
    digests = [];
  };
  for await (const { digest, modified } of parts.blobs.blobs()) {
    if (modified < unseenSince) digests.push(digest);
    if (digests.length === BATCH) await removeBatch();
  }
  await removeBatch();
  return removed;
}

/**
 * Removes a blob that no repository has and that was not announced since. The index forgets it first: what a crash
 * leaves is content that the index does not know, which the next collection removes.
 */
export async function removeBlob(
  { index, blobs }: Pick<RegistryParts, 'index' | 'blobs'>,
  digest: Digest,
  unseenSince: Instant,
): Promise<boolean> {
  // Noted before the blob is forgotten: what is pushed from then on is another content, and stays.
  const version = await blobs.version(digest);
  if (!(await index.garbage.forgetBlob(digest, unseenSince))) return false;
  if (version !== undefined) await blobs.remove(digest, version);
  return true;
}

/** Lets requests go first that wait for the event loop. */
function pause(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
