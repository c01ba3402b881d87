import { lstatSync } from 'node:fs';
import { SignetError } from '../../../../core/errors/index.ts';
import { isErrno, unreadable } from '../../../../store/files.ts';

/** Refuses to overwrite an existing file, even a broken link. Throws `file-exists` or `file-unreadable`. */
export function checkNew(path: string, next: string): void {
  try {
    lstatSync(path);
  } catch (cause) {
    if (isErrno(cause, 'ENOENT')) return;
    throw unreadable(path, cause);
  }
  throw new SignetError('file-exists', `${path} exists already`, { next });
}
