import { SignetError } from '../../core/errors/index.ts';

/** Bytes from `start` up to, but not including, `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Reads the Range header of a download of `size` bytes. Undefined for all that may be ignored (RFC 9110 14.2): several
 * ranges, other units, malformed ones. Throws `blob-range-unsatisfiable` if the range begins after the end.
 */
export function parseRange(header: string | null, size: number): ByteRange | undefined {
  const [, first, last] = /^bytes=([0-9]{0,15})-([0-9]{0,15})$/.exec(header ?? '') ?? [];
  if (first === undefined || last === undefined || first + last === '') return undefined;
  if (first === '') return satisfiable(Math.max(0, size - Number(last)), size, size);
  if (last !== '' && Number(last) < Number(first)) return undefined;
  return satisfiable(Number(first), last === '' ? size : Math.min(Number(last) + 1, size), size);
}

function satisfiable(start: number, end: number, size: number): ByteRange {
  if (start >= size) throw new SignetError('blob-range-unsatisfiable', `the blob has ${size} bytes`);
  return { start, end };
}

/**
 * Reads the Content-Range header of an upload's chunk, `first-last` in the form of the distribution specification.
 * Undefined if there is none. Throws `blob-upload-range-invalid`.
 */
export function parseContentRange(header: string | null): ByteRange | undefined {
  if (header === null) return undefined;
  const [, first, last] = /^([0-9]{1,15})-([0-9]{1,15})$/.exec(header) ?? [];
  if (first === undefined || last === undefined || Number(last) < Number(first)) {
    throw new SignetError('blob-upload-range-invalid', 'malformed Content-Range');
  }
  return { start: Number(first), end: Number(last) + 1 };
}
