import { closeSync, fsyncSync, openSync, realpathSync, renameSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { SignetError } from '../core/errors/index.ts';
import { draftOf } from './drafts.ts';
import { isErrno, reason, removeFile, syncFolder, unsafe } from './files.ts';

/**
 * A file (0600) that is written piece by piece beside its place, and put there only once it is known to be right. Whoever
 * opens it ends with `keep` or `discard`.
 */
export class DraftFile {
  /** Where the pieces are until then. */
  readonly draft: string;
  private readonly path: string;
  private readonly descriptor: number;

  /** A link at `path` is followed. Throws `file-unsafe` if a folder or a device stands there, `file-unwritable`. */
  constructor(path: string) {
    this.path = placeOf(path);
    this.draft = draftOf(this.path);
    try {
      this.descriptor = openSync(this.draft, 'wx', 0o600);
    } catch (cause) {
      throw unwritable(path, cause);
    }
  }

  /** Throws `file-unwritable`. */
  write(bytes: Uint8Array): void {
    try {
      for (let written = 0; written < bytes.length; ) written += writeSync(this.descriptor, bytes, written);
    } catch (cause) {
      throw unwritable(this.path, cause);
    }
  }

  /** Brings the file to the disk and puts it in its place, whatever was there. Throws `file-unwritable`. */
  keep(): void {
    try {
      fsyncSync(this.descriptor);
      closeSync(this.descriptor);
      renameSync(this.draft, this.path);
      syncFolder(dirname(this.path));
    } catch (cause) {
      removeFile(this.draft);
      throw unwritable(this.path, cause);
    }
  }

  /** Removes the draft; what was in the place stays. */
  discard(): void {
    closeSync(this.descriptor);
    removeFile(this.draft);
  }
}

function placeOf(path: string): string {
  try {
    const place = realpathSync(path);
    if (!statSync(place).isFile()) throw unsafe(path, 'is not a regular file');
    return place;
  } catch (cause) {
    if (isErrno(cause, 'ENOENT')) return path;
    throw cause instanceof SignetError ? cause : unwritable(path, cause);
  }
}

function unwritable(path: string, cause: unknown): SignetError {
  return new SignetError('file-unwritable', `cannot write ${path}: ${reason(cause)}`, { cause });
}
