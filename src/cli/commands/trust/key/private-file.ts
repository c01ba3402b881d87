import type { Stats } from 'node:fs';
import { isSignetError, SignetError } from '../../../../core/errors/index.ts';
import { readKeyInput } from '../../../terminal/key-input.ts';
import { goReadError } from '../../../wording/go-errors.ts';

const OPEN_TO_OTHERS = 0o077;

/** A file of private keys. The caller wipes `bytes`. */
interface PrivateFile {
  readonly path: string;
  readonly bytes: Buffer;
  /** Whether only its owner can read and write it. True for anything that is not a regular file. */
  readonly isPrivate: boolean;
}

/**
 * Reads private keys from a file, a pipe or standard input (`-`), of at most `limit` bytes. Throws `file-missing`,
 * `file-unreadable`, `file-unsafe` or `too-large`, worded as docker does (protocol D.11).
 */
export function readPrivateFile(path: string, limit: number): PrivateFile {
  let isPrivate = true;
  const look = ({ mode }: Stats) => {
    isPrivate = (mode & OPEN_TO_OTHERS) === 0;
  };
  try {
    const bytes = readKeyInput(path, limit, look);
    if (bytes !== undefined) return { path, bytes, isPrivate };
  } catch (cause) {
    if (!(cause instanceof SignetError)) throw cause;
    throw cause.reworded(refusal(path, goReadError(cause, path)), { isDockers: true });
  }
  throw new SignetError('file-missing', refusal(path, `stat ${path}: no such file or directory`));
}

/**
 * Runs `work` on the keys of a file. If their encryption is too old, the error gives the shell command that converts
 * the file.
 */
export async function explainingOldForms<T>(path: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!isSignetError(cause, 'key-unsupported') || typeof cause.detail.command !== 'string') throw cause;
    const name = /^[A-Za-z0-9_./:@%+,=-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
    const command = path === '-' ? cause.detail.command : cause.detail.command.replace('FILE', () => name);
    throw cause.reworded(cause.message, { next: `Convert it, and use the new file: ${command}` });
  }
}

/** Refuses a file that others could read or write. Throws `file-unsafe`. */
export function checkPrivate({ path, isPrivate }: Omit<PrivateFile, 'bytes'>): void {
  if (isPrivate) return;
  const why = `private key file ${path} must not be readable or writable by others`;
  throw new SignetError('file-unsafe', refusal(path, why), {
    next: `Make it private first: chmod 600 ${path}`,
    isDockers: true,
  });
}

function refusal(path: string, why: string): string {
  return `refusing to load key from ${path}: ${why}`;
}
