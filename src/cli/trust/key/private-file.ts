import type { Stats } from 'node:fs';
import { SignetError } from '../../../core/errors/index.ts';
import { readSmallFile } from '../../../store/files.ts';
import { goReadError } from '../../go-errors.ts';

const OPEN_TO_OTHERS = 0o077;

/** A file of private keys; the caller wipes `bytes`. */
export interface PrivateFile {
  readonly path: string;
  readonly bytes: Buffer;
  /** Whether only its owner can read and write it. */
  readonly isPrivate: boolean;
}

/**
 * Reads a file of private keys, of at most `limit` bytes. Throws `file-missing`, `file-unreadable`, `file-unsafe` or
 * `too-large`, worded as docker does (protocol D.11).
 */
export function readPrivateFile(path: string, limit: number): PrivateFile {
  let isPrivate = false;
  const look = ({ mode }: Stats) => {
    isPrivate = (mode & OPEN_TO_OTHERS) === 0;
  };
  try {
    const bytes = readSmallFile(path, limit, true, look);
    if (bytes !== undefined) return { path, bytes, isPrivate };
  } catch (cause) {
    if (!(cause instanceof SignetError)) throw cause;
    throw cause.reworded(refusal(path, goReadError(cause, path)));
  }
  throw new SignetError('file-missing', refusal(path, `stat ${path}: no such file or directory`));
}

/** Refuses a file that others could read or write. Throws `file-unsafe`. */
export function checkPrivate({ path, isPrivate }: Omit<PrivateFile, 'bytes'>): void {
  if (isPrivate) return;
  const why = `private key file ${path} must not be readable or writable by others`;
  throw new SignetError('file-unsafe', refusal(path, why), { next: `Make it private first: chmod 600 ${path}` });
}

function refusal(path: string, why: string): string {
  return `refusing to load key from ${path}: ${why}`;
}
