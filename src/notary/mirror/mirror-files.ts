import { lstatSync, readdirSync, type Stats, statSync } from 'node:fs';
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
  /** The file that it comes from. */
  readonly path: string;
}

/** A file of copies, with a value that changes when the file does. */
export interface MirrorFile {
  readonly path: string;
  readonly state: string;
  /** Whether the user named it, and not a folder that it lies in: only then it may be a link. */
  readonly isNamed: boolean;
}

const SUFFIX = '.copy';
const MAX_FILES = 100_000;

/**
 * Lists the files at these paths, in order: a file itself, and for a folder all files below it that end in `.copy`. Where a
 * named path leads is the user's choice; below a folder nothing may be a link. Throws `mirror-unusable`.
 */
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
  for (const { path, isNamed } of files) {
    const bytes = read(path, isNamed);
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
    return parseCopies(bytes).map((copy) => ({ copy, path, ...verifyCopy(copy) }));
  } catch (error) {
    if (!isSignetError(error)) throw error;
    throw error.reworded(`${path}: ${error.message}`, { next: 'Restore the file, or take it out of the mirror.' });
  }
}

function versionOf({ set }: MirroredCopy): number {
  return set.timestamp.payload.version;
}

function read(path: string, followLink: boolean): Buffer {
  const bytes = readSmallFile(path, LIMITS.copyFile, followLink);
  if (bytes === undefined) throw unusable(path, 'it does not exist');
  return bytes;
}

function filesAt(path: string): readonly MirrorFile[] {
  const stat = statOf(path, statSync);
  return stat.isDirectory() ? filesBelow(path) : [fileOf(path, stat, true)];
}

function filesBelow(folder: string): readonly MirrorFile[] {
  return entriesOf(folder)
    .sort()
    .map((name) => join(folder, name))
    .flatMap((path) => {
      const stat = statOf(path, lstatSync);
      if (stat.isSymbolicLink()) throw unusable(path, 'it is a symbolic link');
      if (stat.isDirectory()) return filesBelow(path);
      if (!path.endsWith(SUFFIX)) return [];
      if (!stat.isFile()) throw unusable(path, 'it is not a regular file');
      return [fileOf(path, stat, false)];
    });
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (cause) {
    throw unusable(folder, reason(cause), cause);
  }
}

function fileOf(path: string, { mtimeMs, size, ino }: Stats, isNamed: boolean): MirrorFile {
  return { path, state: `${mtimeMs} ${size} ${ino}`, isNamed };
}

function statOf(path: string, stat: (path: string) => Stats): Stats {
  try {
    return stat(path);
  } catch (cause) {
    throw unusable(path, isErrno(cause, 'ENOENT') ? 'it does not exist' : reason(cause), cause);
  }
}

function unusable(path: string, why: string, cause?: unknown): SignetError {
  return new SignetError('mirror-unusable', `cannot serve a mirror from ${path}: ${why}`, { cause });
}
