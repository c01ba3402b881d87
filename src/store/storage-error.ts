import { type ErrorCode, isSignetError, SignetError } from '../core/errors/index.ts';

/** Errors of the system and of SQLite that say something about the machine, not about the request. */
const KINDS: readonly (readonly [pattern: RegExp, code: ErrorCode, message: string])[] = [
  [/^(?:ENOSPC|EDQUOT|SQLITE_FULL|SQLITE_IOERR_SHMSIZE)$/, 'disk-full', 'the disk of the server is full'],
  [/^(?:EROFS|EIO|SQLITE_(?:READONLY|IOERR).*)$/, 'disk-failing', 'the disk of the server cannot be written'],
  [/^(?:EMFILE|ENFILE)$/, 'server-busy', 'the server is busy, try again soon'],
  [/^SQLITE_(?:BUSY|LOCKED).*$/, 'database-busy', 'another process has locked the database, try again soon'],
];
/** After which a client may try again, in seconds. */
export const RETRY_AFTER = 5;

/**
 * An error of the disk or of the database as one that a client may read: `disk-full`, `disk-failing`, `database-busy` or
 * `server-busy`. Every other error as it is.
 */
export function storageError(error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (error instanceof SignetError) return error;
  const [, kind, message = ''] = KINDS.find(([pattern]) => pattern.test(code)) ?? [];
  if (kind === undefined) return error;
  return new SignetError(kind, message, { cause: error, detail: { retryAfter: RETRY_AFTER } });
}

/** Whether an error says that the machine, not the request, is at fault. */
export function isStorageError(error: unknown): error is SignetError {
  return isSignetError(error, 'disk-full', 'disk-failing', 'database-busy', 'database-unavailable');
}

/** The result of `work`; what it throws goes through `storageError`. */
export async function withStorageErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw storageError(error);
  }
}
