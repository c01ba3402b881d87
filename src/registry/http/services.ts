import { SignetError } from '../../core/errors/index.ts';
import { type Digest, isDigest } from '../../core/names/digest.ts';
import type { Instant } from '../../core/time.ts';
import type { Call } from '../../http/call.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import type { RegistryIndex } from '../index/registry-index.ts';
import type { RepositoryName } from '../names.ts';
import type { OpenUploads } from './open-uploads.ts';

/** What the registry's routes work with. */
export interface RegistryParts {
  readonly index: RegistryIndex;
  readonly blobs: BlobStore;
  readonly clock: () => Instant;
  /** How long what a client was told of is kept without being used, in milliseconds. */
  readonly grace: number;
  /** Size of a blob at most, in bytes. */
  readonly maxBlob: number;
  readonly openUploads: OpenUploads;
}

/** A request to a repository, of a caller who may make it. The only group of its path, if any, is a reference, a digest or a UUID. */
export type RegistryCall = Call<RepositoryName>;

/** Parses a blob's digest from a path or query. Throws `blob-digest-invalid`. */
export function parseBlobDigest(text: string | null): Digest {
  if (text === null || !isDigest(text))
    throw new SignetError('blob-digest-invalid', 'the digest is missing or malformed');
  return text;
}

/**
 * Whether what was last seen at `seen` must be noted as seen again when a client is told of it. Not each time, as every
 * note is a write to the disk; but so that it lasts for three quarters of the grace period from now in any case.
 */
export function isSeenLongAgo({ clock, grace }: RegistryParts, seen: Instant): boolean {
  return clock() - seen > grace / 4;
}

/** Whether the client has this very content already. */
export function isKnownToClient(request: Request, digest: Digest): boolean {
  const tags = request.headers.get('if-none-match')?.split(',') ?? [];
  return tags.some((tag) => tag.trim().replace(/^W\//, '') === `"${digest}"`);
}

/** Headers of content that is named by its digest. */
export function contentHeaders(digest: Digest, mediaType: string): Headers {
  return new Headers({ 'Content-Type': mediaType, 'Docker-Content-Digest': digest, ETag: `"${digest}"` });
}
