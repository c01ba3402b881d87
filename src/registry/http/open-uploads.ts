import { SignetError } from '../../core/errors/index.ts';
import type { Instant } from '../../core/time.ts';
import type { UploadId } from '../names.ts';

interface OpenUpload {
  readonly owner: string;
  /** When its owner was last heard of it. */
  readonly usedAt: Instant;
}

/**
 * Counts the uploads that each client has open, since every one holds a file and a row until it expires. The count is of
 * this process: uploads from before a restart are not in it.
 */
export class OpenUploads {
  private readonly most: number;
  private readonly uploads = new Map<UploadId, OpenUpload>();
  private readonly counts = new Map<string, number>();

  /** `most` is for each owner. */
  constructor(most: number) {
    this.most = most;
  }

  /**
   * Takes a place for an upload that is about to begin: `begin` or `giveBack` must follow. Throws `blob-uploads-too-many`
   * if the owner has the most that there may be.
   */
  reserve(owner: string): void {
    const count = this.counts.get(owner) ?? 0;
    if (count >= this.most) {
      throw new SignetError('blob-uploads-too-many', `${this.most} uploads are open: finish or cancel some of them`, {
        detail: { retryAfter: 60 },
      });
    }
    this.counts.set(owner, count + 1);
  }

  /** Gives the owner's reserved place to an upload. */
  begin(owner: string, upload: UploadId, now: Instant): void {
    this.uploads.set(upload, { owner, usedAt: now });
  }

  /** Gives back a reserved place for which no upload began. */
  giveBack(owner: string): void {
    const left = (this.counts.get(owner) ?? 0) - 1;
    if (left > 0) this.counts.set(owner, left);
    else this.counts.delete(owner);
  }

  use(upload: UploadId, now: Instant): void {
    const open = this.uploads.get(upload);
    if (open !== undefined) this.uploads.set(upload, { ...open, usedAt: now });
  }

  end(upload: UploadId): void {
    const open = this.uploads.get(upload);
    if (open === undefined) return;
    this.uploads.delete(upload);
    this.giveBack(open.owner);
  }

  /** Ends those that were not used since `before`, which are removed. */
  endStale(before: Instant): void {
    for (const [upload, { usedAt }] of this.uploads) if (usedAt < before) this.end(upload);
  }
}
