import { randomUUID } from 'node:crypto';
import { SignetError } from '../core/errors/index.ts';
import type { Named } from '../core/names/brand.ts';
import { isRepositoryPath } from '../core/names/reference.ts';
import { quoted } from '../core/printable.ts';

/** The path of a repository inside this registry, such as `team/app`. */
export type RepositoryName = Named<'RepositoryName'>;

/** The random UUID of an upload, the only thing that gives access to it. */
export type UploadId = Named<'UploadId'>;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Parses a repository's path. Throws `repository-name-invalid`. */
export function parseRepositoryName(text: string): RepositoryName {
  if (!isRepositoryPath(text)) {
    throw new SignetError('repository-name-invalid', `invalid repository name ${quoted(text, 300)}`);
  }
  return text as string as RepositoryName;
}

/** Whether `text` has the form of the UUIDs made here; safe to use as a file name then. */
function isUploadId(text: string): text is UploadId {
  return UUID.test(text);
}

/** Parses an upload's UUID. Throws `blob-upload-unknown`: what has another form was never handed out. */
export function parseUploadId(text: string): UploadId {
  if (!isUploadId(text)) throw unknownUpload();
  return text;
}

/** A new random upload ID. */
export function newUploadId(): UploadId {
  return randomUUID() as string as UploadId;
}

/** The error for an upload that does not exist. */
export function unknownUpload(): SignetError {
  return new SignetError('blob-upload-unknown', 'no such upload');
}
