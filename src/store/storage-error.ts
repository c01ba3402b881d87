import { type ErrorCode, isSignetError, SignetError } from '../core/errors/index.ts';

/** Errors of the system and of SQLite that concern the machine, not the request. */
const KINDS: readonly (readonly [pattern: RegExp, code: ErrorCode, message: string])[] = [
  [/^(?:ENOSPC|EDQUOT|SQLITE_FULL|SQLITE_IOERR_SHMSIZE)$/, 'disk-full', 'the disk of the server is full'],
  [/^(?:EROFS|EIO|SQLITE_(?:READONLY|IOERR).*)$/, 'disk-failing', 'the disk of the server cannot be written'],
  [/^(?:EMFILE|ENFILE)$/, 'server-busy', 'the server is busy, try again soon'],
  [/^SQLITE_(?:BUSY|LOCKED).*$/, 'database-busy', 'another process has locked the database, try again soon'],
];
/** After which a client may try again, in seconds. */
export const RETRY_AFTER = 5;

/**
 * Turns an error of the disk or the database into one that clients may see: `disk-full`, `disk-failing`,
 * `database-busy` or `server-busy`. Returns any other error unchanged.
 */
export function storageError(error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (error instanceof SignetError) return error;
  const [, kind, message = ''] = KINDS.find(([pattern]) => pattern.test(code)) ?? [];
  if (kind === undefined) return error;
  return new SignetError(kind, message, { cause: error, detail: { retryAfter: RETRY_AFTER } });
}

/** Whether an error is the fault of the machine, not of the request. */
export function isStorageError(error: unknown): error is SignetError {
  return isSignetError(error, 'disk-full', 'disk-failing', 'database-busy', 'database-unavailable');
}

/** Runs `work` and passes its errors through `storageError`. */
export async function withStorageErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw storageError(error);
  }
}
