import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, open, readdir, rename, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { SignetError } from '../../core/errors/index.ts';
import type { Instant } from '../../core/time.ts';
import { newUploadId, type UploadId, unknownUpload } from '../names.ts';

/**
 * The files of unfinished uploads, and who may write to them.
 *
 * A resting upload is the file `<uuid>`. To write to it, a process renames it to `<uuid>.<process>`: the rename
 * succeeds for one process only. A file that bears another process's name is left from a crash, or being written at
 * this moment; as no one can tell which, it is copied, so that a file has never more than one process writing to it.
 */
export class UploadFolder {
  private readonly folder: string;
  private readonly onLost: (upload: UploadId) => void;
  private readonly process = randomBytes(8).toString('hex');
  private readonly held = new Set<UploadId>();

  /**
   * `folder` exists and belongs to this class alone. `onLost` hears of uploads that another process took over while
   * this one was writing: what this one knows of their content is void.
   */
  constructor(folder: string, onLost: (upload: UploadId) => void) {
    this.folder = folder;
    this.onLost = onLost;
  }

  async create(): Promise<UploadId> {
    const upload = newUploadId();
    const file = await open(this.restingPath(upload), 'wx', 0o600);
    await file.close();
    return upload;
  }

  /** Bytes that the upload holds. Throws `blob-upload-unknown`. */
  async size(upload: UploadId): Promise<number> {
    const [resting, held] = [this.restingPath(upload), this.heldPath(upload)];
    // The resting path twice: the file may come back there while the other one is looked at.
    for (const path of [resting, held, resting]) {
      const found = await unlessMissing(stat(path));
      if (found !== undefined) return found.size;
    }
    const [stray] = await this.strayPaths(upload);
    const found = stray === undefined ? undefined : await unlessMissing(stat(stray));
    if (found === undefined) throw unknownUpload();
    return found.size;
  }

  /**
   * Runs `work` on the upload's file while no one else writes to it. Throws `blob-upload-unknown`, or
   * `blob-upload-busy` if another request holds the upload or another process took it over.
   */
  async write<T>(upload: UploadId, work: (path: string) => Promise<T>): Promise<T> {
    return this.exclusively(upload, async (path) => {
      try {
        return await work(path);
      } finally {
        await this.giveBack(upload);
      }
    });
  }

  /**
   * Like `write`, for the last use of the upload: `work` moves the file away or removes it. Where `work` fails and
   * leaves the file, the upload goes on.
   */
  async consume<T>(upload: UploadId, work: (path: string) => Promise<T>): Promise<T> {
    return this.exclusively(upload, async (path) => {
      try {
        return await work(path);
      } catch (error) {
        await this.release(upload);
        throw error;
      }
    });
  }

  /** Removes every file that nothing was written to since `before`; returns how many. */
  async removeStale(before: Instant): Promise<number> {
    let removed = 0;
    for (const name of await readdir(this.folder)) {
      const path = join(this.folder, name);
      const found = await unlessMissing(stat(path));
      if (found === undefined || found.mtimeMs >= before || name.endsWith(`.${this.process}`)) continue;
      if (await unlessMissing(unlink(path).then(() => true))) removed++;
    }
    return removed;
  }

  private async exclusively<T>(upload: UploadId, work: (path: string) => Promise<T>): Promise<T> {
    if (this.held.has(upload)) throw busyUpload();
    this.held.add(upload);
    try {
      return await work(await this.acquire(upload));
    } finally {
      this.held.delete(upload);
    }
  }

  private async acquire(upload: UploadId): Promise<string> {
    const path = this.heldPath(upload);
    if (await moved(this.restingPath(upload), path)) return path;
    for (const stray of await this.strayPaths(upload)) if (await this.takeOver(stray, path)) return path;
    throw unknownUpload();
  }

  /** Throws `blob-upload-busy` if another process took the upload over. */
  private async giveBack(upload: UploadId): Promise<void> {
    if (await this.release(upload)) return;
    this.onLost(upload);
    throw busyUpload();
  }

  /** Whether the file was still there. */
  private release(upload: UploadId): Promise<boolean> {
    return moved(this.heldPath(upload), this.restingPath(upload));
  }

  private async takeOver(stray: string, path: string): Promise<boolean> {
    const copy = join(this.folder, `copy-${randomBytes(8).toString('hex')}`);
    const copied = await unlessMissing(copyFile(stray, copy, constants.COPYFILE_FICLONE).then(() => true));
    if (copied === undefined) return false;
    await rename(copy, path);
    await unlessMissing(unlink(stray));
    return true;
  }

  /** Files of the upload that bear the name of another process. */
  private async strayPaths(upload: UploadId): Promise<string[]> {
    const names = await readdir(this.folder);
    return names
      .filter((name) => name.startsWith(`${upload}.`) && name !== `${upload}.${this.process}`)
      .map((name) => join(this.folder, name));
  }

  private restingPath(upload: UploadId): string {
    return join(this.folder, upload);
  }

  private heldPath(upload: UploadId): string {
    return join(this.folder, `${upload}.${this.process}`);
  }
}

function busyUpload(): SignetError {
  return new SignetError('blob-upload-busy', 'another request is writing to this upload');
}

/** Renames a file; false if it does not exist. */
async function moved(from: string, to: string): Promise<boolean> {
  return (await unlessMissing(rename(from, to).then(() => true))) ?? false;
}

/** The result of a file operation, undefined if the file does not exist. */
export async function unlessMissing<T>(operation: Promise<T>): Promise<T | undefined> {
  try {
    return await operation;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Whether a file operation failed because the file does not exist. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
