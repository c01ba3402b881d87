import { closeSync, fsyncSync, openSync, realpathSync, renameSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { SignetError } from '../core/errors/index.ts';
import { draftOf } from './drafts.ts';
import { isErrno, reason, removeFile, syncFolder, unsafe } from './files.ts';

/**
 * A file (0600) that is written in pieces next to its final path, and moved there only once its content is known to be
 * right. Callers must end with `keep` or `discard`.
 */
export class DraftFile {
  /** The path of the pieces until then. */
  readonly draft: string;
  private readonly path: string;
  private readonly descriptor: number;

  /** Follows a link at `path`. Throws `file-unsafe` if it is a folder or a device, `file-unwritable`. */
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

  /** Syncs the file and moves it to its final path, replacing what is there. Throws `file-unwritable`. */
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

  /** Removes the draft and leaves the final path alone. */
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
