import { existsSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import type { CollectionCopy } from '../../../core/copy/collection-copy.ts';
import { formatCopies, parseCopies } from '../../../core/copy/copy-file.ts';
import { usableUntil, verifyCopy } from '../../../core/copy/verify-copy.ts';
import { isSignetError, SignetError } from '../../../core/errors/index.ts';
import { LIMITS } from '../../../core/limits.ts';
import type { Instant } from '../../../core/time.ts';
import { readSmallFile } from '../../../store/files.ts';

/**
 * Reads the copies in a file, without verifying them. Throws `file-missing` or `copy-malformed`, or the error of a file
 * that cannot be read.
 */
export function readCopyFile(path: string): readonly CollectionCopy[] {
  const bytes = readSmallFile(path, LIMITS.copyFile, true);
  if (bytes === undefined) throw new SignetError('file-missing', `there is no file ${path}`);
  try {
    return parseCopies(bytes);
  } catch (error) {
    throw isSignetError(error) ? error.reworded(`${path}: ${error.message}`) : error;
  }
}

/** Throws `file-missing` for a file in a folder that does not exist: none is made for it. */
export function checkFolderOf(path: string): void {
  const folder = dirname(resolve(path));
  if (existsSync(folder)) return;
  throw new SignetError('file-missing', `there is no folder ${folder} to write ${basename(path)} into`);
}

/** An error that a copy causes, in the words of a file where the catalogue's are those of a server. */
export function ofFile(error: SignetError): SignetError {
  const { role, found, known } = error.detail;
  if (error.code !== 'version-rollback' || role === undefined) return error;
  return error.reworded(
    `the file is older than what is here: it has version ${found} of ${role}, and here is ${known}`,
    {
      next: 'Export it again from the trust server, and import the newer file.',
    },
  );
}

/** The file format of a single copy, as bytes. */
export function fileOf(copy: CollectionCopy): Buffer {
  return formatCopies([copy]);
}

/** A text saying until when clients accept a copy, or since when they do not. */
export function usability(copy: CollectionCopy, now: Instant): string {
  const until = usableUntil(verifyCopy(copy).set);
  return until < now ? `expired on ${day(until)}` : `clients can use it until ${day(until)}`;
}

/** Formats the UTC day of an instant: `2026-11-29`. */
export function day(instant: Instant): string {
  return new Date(instant).toISOString().slice(0, 10);
}
