import { readdirSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import type { CollectionCopy } from '../../core/copy/collection-copy.ts';
import { parseCopies } from '../../core/copy/copy-file.ts';
import { type VerifiedCopy, verifyCopy } from '../../core/copy/verify-copy.ts';
import { isSignetError, SignetError } from '../../core/errors/index.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Gun } from '../../core/names/gun.ts';
import { isErrno, readSmallFile, reason } from '../../store/files.ts';

/** A copy with the result of its verification. */
export interface MirroredCopy extends VerifiedCopy {
  readonly copy: CollectionCopy;
}

/** A file of copies, with a value that changes when the file does. */
export interface MirrorFile {
  readonly path: string;
  readonly state: string;
}

const SUFFIX = '.copy';
const MAX_FILES = 100_000;

/** Lists the files at these paths, in order: a file itself, and for a folder all files below it that end in `.copy`. */
export function mirrorFiles(paths: readonly string[]): readonly MirrorFile[] {
  const files = paths.flatMap((path) => filesAt(path));
  if (files.length > MAX_FILES) throw unusable(paths.join(', '), `it has more than ${MAX_FILES} files`);
  return files;
}

/**
 * Reads and verifies all copies. If there are several of one collection, uses the one with the newest timestamp. Throws
 * `copy-malformed`, `copy-untrusted` or `mirror-unusable`, each with the name of the file.
 */
export function readMirror(files: readonly MirrorFile[]): ReadonlyMap<Gun, MirroredCopy> {
  const found = new Map<Gun, MirroredCopy>();
  let length = 0;
  for (const { path } of files) {
    const bytes = read(path);
    length += bytes.length;
    if (length > LIMITS.mirror) throw unusable(path, `the files of the mirror have more than ${LIMITS.mirror} bytes`);
    for (const mirrored of verified(path, bytes)) {
      const { gun } = mirrored.copy;
      const other = found.get(gun);
      if (other === undefined || versionOf(other) < versionOf(mirrored)) found.set(gun, mirrored);
    }
  }
  return found;
}

function verified(path: string, bytes: Buffer): readonly MirroredCopy[] {
  try {
    return parseCopies(bytes).map((copy) => ({ copy, ...verifyCopy(copy) }));
  } catch (error) {
    if (!isSignetError(error)) throw error;
    throw error.reworded(`${path}: ${error.message}`, { next: 'Restore the file, or take it out of the mirror.' });
  }
}

function versionOf({ set }: MirroredCopy): number {
  return set.timestamp.payload.version;
}

function read(path: string): Buffer {
  const bytes = readSmallFile(path, LIMITS.copyFile, true);
  if (bytes === undefined) throw unusable(path, 'it does not exist');
  return bytes;
}

function filesAt(path: string): readonly MirrorFile[] {
  const stat = statOf(path);
  if (!stat.isDirectory()) return [fileOf(path, stat)];
  try {
    const entries = readdirSync(path, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile() && entry.name.endsWith(SUFFIX))
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .map((file) => fileOf(file, statOf(file)));
  } catch (cause) {
    throw cause instanceof SignetError ? cause : unusable(path, reason(cause), cause);
  }
}

function fileOf(path: string, { mtimeMs, size, ino }: Stats): MirrorFile {
  return { path, state: `${mtimeMs} ${size} ${ino}` };
}

function statOf(path: string): Stats {
  try {
    return statSync(path);
  } catch (cause) {
    throw unusable(path, isErrno(cause, 'ENOENT') ? 'it does not exist' : reason(cause), cause);
  }
}

function unusable(path: string, why: string, cause?: unknown): SignetError {
  return new SignetError('mirror-unusable', `cannot serve a mirror from ${path}: ${why}`, { cause });
}
