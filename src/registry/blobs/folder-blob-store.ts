import { randomBytes } from 'node:crypto';
import { linkSync, renameSync, statSync } from 'node:fs';
import { chmod, type FileHandle, mkdir, open, readdir, rename, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SignetError } from '../../core/errors/index.ts';
import { type Digest, digestAlgorithm, digestHex, isDigest } from '../../core/names/digest.ts';
import type { Instant } from '../../core/time.ts';
import { isErrno } from '../../store/files.ts';
import { withStorageErrors } from '../../store/storage-error.ts';
import type { UploadId } from '../names.ts';
import { BatchWriter } from './batch-writer.ts';
import type { AppendOptions, BlobStore, BlobVersion, StoredBlob } from './blob-store.ts';
import { digestOfFile, RunningHashes } from './running-hash.ts';
import { isMissing, UploadFolder, unlessMissing } from './upload-folder.ts';

const ALGORITHMS = ['sha256', 'sha512'] as const;

/**
 * Blobs as files `<folder>/blobs/<algorithm>/<first two digits>/<digits>` and uploads below `<folder>/uploads`, all of
 * them 0600 in folders of 0700. Several processes may use one folder.
 */
export class FolderBlobStore implements BlobStore {
  private readonly root: string;
  private readonly uploadsPath: string;
  private readonly uploads: UploadFolder;
  private readonly hashes = new RunningHashes();
  /** Folders of blobs whose own names are known to be safe on disk. */
  private readonly safeFolders = new Set<string>();
  /** Blobs that requests of this process are making visible at the moment. */
  private readonly publishing = new Map<Digest, number>();
  /** The removal of one file after the other. */
  private freeing: Promise<void> = Promise.resolve();

  private constructor(folder: string) {
    this.root = join(folder, 'blobs');
    this.uploadsPath = join(folder, 'uploads');
    this.uploads = new UploadFolder(this.uploadsPath, (upload) => this.hashes.delete(upload));
  }

  /** Opens the store in `folder`, which is created if it does not exist. */
  static async open(folder: string): Promise<FolderBlobStore> {
    const below = ['blobs', ...ALGORITHMS.map((algorithm) => join('blobs', algorithm)), 'uploads'];
    for (const path of [folder, ...below.map((name) => join(folder, name))]) {
      await mkdir(path, { recursive: true, mode: 0o700 });
      await chmod(path, 0o700);
    }
    return new FolderBlobStore(folder);
  }

  startUpload(): Promise<UploadId> {
    return withStorageErrors(() => this.uploads.create());
  }

  uploadSize(upload: UploadId): Promise<number> {
    return this.uploads.size(upload);
  }

  async append(upload: UploadId, body: AsyncIterable<Uint8Array>, options: AppendOptions): Promise<number> {
    return withStorageErrors(() =>
      this.uploads.write(upload, async (path) => {
        const file = await open(path, 'r+');
        try {
          return await this.appendTo(file, upload, body, options);
        } finally {
          await file.close();
        }
      }),
    );
  }

  async commit(upload: UploadId, digest: Digest, announce: (size: number) => Promise<void>): Promise<number> {
    return withStorageErrors(() =>
      this.uploads.consume(upload, async (path) => {
        const file = await open(path, 'r');
        try {
          const { size } = await file.stat();
          const found = await this.digestOf(file, upload, size, digestAlgorithm(digest));
          if (found !== digest) {
            await unlink(path);
            throw new SignetError('blob-digest-mismatch', `the content has the digest ${found}`, {
              detail: { digest },
            });
          }
          await file.sync();
          await announce(size);
          await this.publish(path, digest);
          return size;
        } finally {
          await file.close();
        }
      }),
    );
  }

  async cancel(upload: UploadId): Promise<void> {
    await this.uploads.consume(upload, (path) => unlink(path));
    this.hashes.delete(upload);
  }

  cancelStale(before: Instant): Promise<number> {
    return this.uploads.removeStale(before);
  }

  async read(digest: Digest): Promise<Blob | undefined> {
    const path = this.pathOf(digest);
    const found = await unlessMissing(stat(path));
    return found === undefined ? undefined : Bun.file(path);
  }

  async version(digest: Digest): Promise<BlobVersion | undefined> {
    const found = await unlessMissing(stat(this.pathOf(digest), { bigint: true }));
    return found && versionOf(found);
  }

  /**
   * Takes the blob out of sight at once and frees its room afterwards, which takes a second for some GiB. What a crash
   * leaves of it lies among the uploads, and is removed as a stale one.
   */
  async remove(digest: Digest, version: BlobVersion): Promise<boolean> {
    return withStorageErrors(async () => this.removeNow(digest, version));
  }

  async *blobs(): AsyncIterable<StoredBlob> {
    for (const algorithm of ALGORITHMS) {
      for (const prefix of await readdir(join(this.root, algorithm))) {
        for (const name of await readdir(join(this.root, algorithm, prefix))) {
          const digest = `${algorithm}:${name}`;
          const found = isDigest(digest) ? await unlessMissing(stat(this.pathOf(digest))) : undefined;
          if (isDigest(digest) && found !== undefined) yield { digest, modified: found.mtimeMs };
        }
      }
    }
  }

  private async appendTo(
    file: FileHandle,
    upload: UploadId,
    body: AsyncIterable<Uint8Array>,
    { offset, limit }: AppendOptions,
  ): Promise<number> {
    const { size } = await file.stat();
    if (offset !== undefined && offset !== size) {
      throw new SignetError('blob-upload-range-invalid', `the upload ends at ${size}, not at ${offset}`);
    }
    const hash = this.hashes.take(upload, size);
    const writer = new BatchWriter(file, size);
    try {
      for await (const chunk of body) {
        if (writer.position + chunk.length > limit) {
          throw new SignetError('blob-too-large', `the upload may not grow beyond ${limit} bytes`);
        }
        hash?.update(chunk);
        await writer.write(chunk);
      }
    } finally {
      // A client that went away may come back for the rest; the hash is worth keeping only if the file holds as much.
      await writer.flush();
      if (hash !== undefined) this.hashes.put(upload, hash);
    }
    return writer.position;
  }

  /** From the running hash if it has seen every byte, else from the disk: after a restart, and for SHA-512. */
  private async digestOf(
    file: FileHandle,
    upload: UploadId,
    size: number,
    algorithm: 'sha256' | 'sha512',
  ): Promise<string> {
    const hash = this.hashes.take(upload, size);
    return algorithm === 'sha256' && hash !== undefined ? hash.digest() : digestOfFile(file, algorithm);
  }

  /** Without a pause between its steps, so that no other request of this process comes between them. */
  private removeNow(digest: Digest, version: BlobVersion): boolean {
    const path = this.pathOf(digest);
    if (this.publishing.has(digest) || versionAt(path) !== version) return false;
    const removed = join(this.uploadsPath, `removed-${randomBytes(8).toString('hex')}`);
    try {
      renameSync(path, removed);
    } catch (error) {
      if (isMissing(error)) return false;
      throw error;
    }
    const isRight = versionAt(removed) === version;
    if (!isRight) putBack(removed, path);
    this.freeing = this.freeing.then(() => unlink(removed)).catch(() => {});
    return isRight;
  }

  private async publish(path: string, digest: Digest): Promise<void> {
    this.publishing.set(digest, (this.publishing.get(digest) ?? 0) + 1);
    try {
      await this.makeVisible(path, digest);
    } finally {
      const others = (this.publishing.get(digest) ?? 1) - 1;
      if (others === 0) this.publishing.delete(digest);
      else this.publishing.set(digest, others);
    }
  }

  private async makeVisible(path: string, digest: Digest): Promise<void> {
    const target = this.pathOf(digest);
    const folder = dirname(target);
    if (!this.safeFolders.has(folder)) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await syncFolder(dirname(folder));
      this.safeFolders.add(folder);
    }
    await rename(path, target);
    await syncFolder(folder);
  }

  private pathOf(digest: Digest): string {
    const hex = digestHex(digest);
    return join(this.root, digestAlgorithm(digest), hex.slice(0, 2), hex);
  }
}

/** A push moves a file of its own to the place of a blob: another one than lay there. */
function versionOf({ ino, mtimeNs }: { readonly ino: bigint; readonly mtimeNs: bigint }): BlobVersion {
  return `${ino}-${mtimeNs}`;
}

function versionAt(path: string): BlobVersion | undefined {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found && versionOf(found);
}

/** Another process has pushed the blob between one look and the next; what it may have pushed once more stays. */
function putBack(file: string, path: string): void {
  try {
    linkSync(file, path);
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
  }
}

/** Makes the names in a folder survive a power failure. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
