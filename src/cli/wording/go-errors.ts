import type { SignetError } from '../../core/errors/index.ts';

/** Go's, and so docker's, words for errors of the operating system. */
const REASONS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'no such file or directory'],
  ['EACCES', 'permission denied'],
  ['EPERM', 'operation not permitted'],
  ['ENOTDIR', 'not a directory'],
  ['EISDIR', 'is a directory'],
  ['ELOOP', 'too many levels of symbolic links'],
  ['ENAMETOOLONG', 'file name too long'],
  ['EROFS', 'read-only file system'],
  ['ENOSPC', 'no space left on device'],
]);

/**
 * Go's text for a failed call on a file: `open alice.pub: no such file or directory`. Opening a folder succeeds, but
 * reading it fails.
 */
export function goFileError(cause: unknown, path: string, call = 'open'): string {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  return `${code === 'EISDIR' ? 'read' : call} ${path}: ${REASONS.get(code) ?? code}`;
}

/** Go's text for a file that `readSmallFile` refuses to read. */
export function goReadError({ code, cause, detail, message }: SignetError, path: string): string {
  if (code === 'file-unreadable') return goFileError(cause, path);
  return code === 'file-unsafe' ? `read ${path}: ${detail.why}` : message;
}
