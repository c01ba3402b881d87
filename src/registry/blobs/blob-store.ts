import type { Digest } from '../../core/names/digest.ts';
import type { Instant } from '../../core/time.ts';
import type { UploadId } from '../names.ts';

export interface AppendOptions {
  /** Where the caller believes the upload to end, in bytes; the append is refused if it ends elsewhere. */
  readonly offset: number | undefined;
  /** How far the upload may grow, in bytes. */
  readonly limit: number;
}

/** A blob that lies in the store. */
export interface StoredBlob {
  readonly digest: Digest;
  readonly modified: Instant;
}

/** Tells the content that lies in the store now from that of another push of the same blob. */
export type BlobVersion = string;

/**
 * Content, named by its digest, and the uploads that become content.
 *
 * A blob is visible only whole and only under a digest that its bytes were hashed to; that holds when the process is
 * killed, or the power fails, at any moment. Each upload has one writer at a time.
 */
export interface BlobStore {
  /** Begins an empty upload. Throws `disk-full` or `disk-failing`. */
  startUpload(): Promise<UploadId>;

  /** Bytes that the upload holds. Throws `blob-upload-unknown`. */
  uploadSize(upload: UploadId): Promise<number>;

  /**
   * Adds `body` to the end of the upload and returns its new size. What was received before an error stays, so that
   * the upload can be resumed.
   *
   * Throws `blob-upload-unknown`, `blob-upload-busy`, `blob-upload-range-invalid` (not at `offset`), `blob-too-large` (over `limit`),
   * `disk-full`, `disk-failing`, and whatever `body` throws.
   */
  append(upload: UploadId, body: AsyncIterable<Uint8Array>, options: AppendOptions): Promise<number>;

  /**
   * Turns the upload into the blob `digest` and returns its size in bytes. `announce` runs once the content is known
   * to be right and safe on disk, and before the blob becomes visible.
   *
   * Throws `blob-upload-unknown`, `blob-upload-busy`, `disk-full`, `disk-failing`, or `blob-digest-mismatch`, after which
   * the upload is gone.
   */
  commit(upload: UploadId, digest: Digest, announce: (size: number) => Promise<void>): Promise<number>;

  /** Forgets the upload and what it holds. Throws `blob-upload-unknown` or `blob-upload-busy`. */
  cancel(upload: UploadId): Promise<void>;

  /** Forgets every upload that nothing was written to since `before`; returns how many. */
  cancelStale(before: Instant): Promise<number>;

  /** The blob's content, undefined if there is none. */
  read(digest: Digest): Promise<Blob | undefined>;

  /** Which content lies there now; undefined if there is none. */
  version(digest: Digest): Promise<BlobVersion | undefined>;

  /**
   * Removes the blob if it is still this content; false otherwise. What was pushed since `version` was asked, by any
   * process, stays. Throws `disk-full` or `disk-failing`.
   */
  remove(digest: Digest, version: BlobVersion): Promise<boolean>;

  /** Every blob, in no particular order. */
  blobs(): AsyncIterable<StoredBlob>;
}
