import type { Digest } from '../../core/names/digest.ts';
import type { Instant } from '../../core/time.ts';
import type { ParsedManifest } from '../manifest.ts';
import type { RepositoryName, UploadId } from '../names.ts';

/** Stands for one stay of a blob in the store: a blob that was removed and came back has another. */
export type BlobKey = number;

/** A blob as one repository has it. */
export interface LinkedBlob {
  /** In bytes. */
  readonly size: number;
  /** When it was last pushed, mounted, or reported as being there. */
  readonly seen: Instant;
}

export interface StoredManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Buffer;
  /** When it was last pushed, or reported as being there. */
  readonly seen: Instant;
}

export interface Page {
  /** The list goes on behind this name; undefined for its beginning. */
  readonly after: string | undefined;
  /** Entries at most. */
  readonly limit: number;
}

export interface ReferrerPage {
  readonly artifactType: string | undefined;
  readonly after: Digest | undefined;
  /** Bytes of all descriptors together; one is given in any case. */
  readonly maxBytes: number;
}

export interface Referrers {
  /** Descriptors as JSON text, ordered by digest. */
  readonly descriptors: readonly string[];
  /** The digest of the last one, if there are more. */
  readonly next: Digest | undefined;
}

/** A manifest without a tag that nothing else in its repository needs. */
export interface LooseManifest {
  readonly key: number;
  readonly repository: RepositoryName;
  readonly digest: Digest;
}

/** Which uploads are open, and where they go. */
export interface UploadIndex {
  add(upload: UploadId, repository: RepositoryName, now: Instant): Promise<void>;
  has(upload: UploadId, repository: RepositoryName): Promise<boolean>;
  remove(upload: UploadId): Promise<void>;
  /** At most `limit` uploads that began before `before` and come after `after`, in the order of their UUIDs. */
  startedBefore(before: Instant, after: string, limit: number): Promise<readonly UploadId[]>;
}

/**
 * Which blobs there are, and which repository has them.
 *
 * A blob is announced before its content becomes visible and linked to a repository afterwards. Whatever removes a
 * blob notes which content lies in the store, forgets the blob if it is neither linked nor newly announced, and then
 * removes that very content: what is announced meanwhile has another key, and content of its own.
 */
export interface BlobIndex {
  /** Protects the blob, which is about to become visible, from being removed. */
  announce(digest: Digest, size: number, now: Instant): Promise<BlobKey>;
  /** Gives the repository the announced blob and closes the upload it came from. Throws `blob-collected`. */
  link(repository: RepositoryName, blob: BlobKey, now: Instant, upload: UploadId | undefined): Promise<void>;
  /** Gives `repository` the blob that `from` has; false if `from` does not have it. */
  mount(repository: RepositoryName, from: RepositoryName, digest: Digest, now: Instant): Promise<boolean>;
  get(repository: RepositoryName, digest: Digest): Promise<LinkedBlob | undefined>;
  /**
   * Notes that a client was told of the blob, unless nothing can be written at the moment; false if the repository does
   * not have it.
   */
  touch(repository: RepositoryName, digest: Digest, now: Instant): Promise<boolean>;
  /** Takes the blob from the repository; false if it does not have it. */
  unlink(repository: RepositoryName, digest: Digest): Promise<boolean>;
  /** Whether any blob is known. */
  any(): Promise<boolean>;
}

/** Which manifests and tags a repository has. */
export interface ManifestIndex {
  /**
   * Stores the manifest and, where given, lets the tag point to it. Returns what the manifest needs and the repository
   * does not have; nothing is stored then.
   */
  put(
    repository: RepositoryName,
    manifest: ParsedManifest,
    tag: string | undefined,
    now: Instant,
  ): Promise<readonly Digest[]>;
  byDigest(repository: RepositoryName, digest: Digest): Promise<StoredManifest | undefined>;
  byTag(repository: RepositoryName, tag: string): Promise<StoredManifest | undefined>;
  /**
   * Notes that a client was told of the manifest, unless nothing can be written at the moment; false if the repository
   * does not have it.
   */
  touch(repository: RepositoryName, digest: Digest, now: Instant): Promise<boolean>;
  /** Removes the manifest and the tags that point to it; false if there is none. */
  remove(repository: RepositoryName, digest: Digest): Promise<boolean>;
  /** Removes the tag and nothing else; false if there is none. */
  removeTag(repository: RepositoryName, tag: string): Promise<boolean>;
  /** The manifests whose subject is `subject`. */
  referrers(repository: RepositoryName, subject: Digest, cut: ReferrerPage): Promise<Referrers>;
  /** Tags in the order of their bytes; undefined if the repository is not known. */
  tags(repository: RepositoryName, cut: Page): Promise<readonly string[] | undefined>;
  /** Repositories that have a manifest, in the order of their bytes. */
  repositories(cut: Page): Promise<readonly string[]>;
}

/** What no one needs any more, and its removal. Times called `unseenSince` spare all that was seen at or after them. */
export interface GarbageIndex {
  /**
   * At most `limit` manifests, with keys above `after`, that have no tag, belong to no index, and refer to no manifest
   * of the repository.
   */
  looseManifests(unseenSince: Instant, after: number, limit: number): Promise<readonly LooseManifest[]>;
  /** Removes the manifest if it is still loose and unseen. */
  removeLooseManifest(key: number, unseenSince: Instant): Promise<boolean>;
  /** Takes from repositories at most `limit` blobs that no manifest of theirs names; returns how many. */
  unlinkLooseBlobs(unseenSince: Instant, limit: number): Promise<number>;
  /** At most `limit` blobs, with digests above `after`, that no repository has. */
  looseBlobs(unseenSince: Instant, after: string, limit: number): Promise<readonly Digest[]>;
  /** Those of `digests` that were never announced. */
  unannounced(digests: readonly Digest[]): Promise<readonly Digest[]>;
  /**
   * Forgets the blob if no repository has it and it was not announced since; true if it is not known now. Its content may
   * go then, if it is what lay in the store before: from here on the blob is another one, with another key.
   */
  forgetBlob(digest: Digest, unseenSince: Instant): Promise<boolean>;
  /** Forgets repositories that have nothing left. */
  removeEmptyRepositories(): Promise<void>;
}

/** What the registry knows of its content. Each method is one transaction. */
export interface RegistryIndex {
  readonly uploads: UploadIndex;
  readonly blobs: BlobIndex;
  readonly manifests: ManifestIndex;
  readonly garbage: GarbageIndex;
}
