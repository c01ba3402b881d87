import { describe, expect, test } from 'bun:test';
import { isSignetError } from '../../../src/core/errors/index.ts';
import { parseContentRange, parseRange } from '../../../src/registry/http/byte-range.ts';

describe('Range', () => {
  test.each([
    ['bytes=0-0', 0, 1],
    ['bytes=5-9', 5, 10],
    ['bytes=5-', 5, 100],
    ['bytes=99-200', 99, 100],
    ['bytes=-1', 99, 100],
    ['bytes=-200', 0, 100],
  ])('%s of 100 bytes', (header, start, end) => {
    expect(parseRange(header, 100)).toEqual({ start, end });
  });

  test.each([
    null,
    '',
    'bytes=',
    'bytes=-',
    'bytes=5-4',
    'bytes=0-1,3-4',
    'bytes=a-b',
    'items=0-1',
    'bytes=0-9999999999999999999',
  ])('%s is ignored', (header) => {
    expect(parseRange(header, 100)).toBeUndefined();
  });

  test.each(['bytes=100-', 'bytes=100-101', 'bytes=-0'])('%s of 100 bytes cannot be satisfied', (header) => {
    expect(codeOf(() => parseRange(header, 100))).toBe('blob-range-unsatisfiable');
  });

  test('nothing of an empty blob can be had', () => {
    expect(codeOf(() => parseRange('bytes=0-', 0))).toBe('blob-range-unsatisfiable');
    expect(codeOf(() => parseRange('bytes=-5', 0))).toBe('blob-range-unsatisfiable');
  });
});

describe('Content-Range', () => {
  test('is two inclusive positions', () => {
    expect(parseContentRange(null)).toBeUndefined();
    expect(parseContentRange('0-0')).toEqual({ start: 0, end: 1 });
    expect(parseContentRange('100-199')).toEqual({ start: 100, end: 200 });
  });

  test.each(['', '5', '5-', '-5', '5-4', 'bytes 0-5', '0-5/10', 'a-b', '0-9999999999999999999'])('%s', (header) => {
    expect(codeOf(() => parseContentRange(header))).toBe('blob-upload-range-invalid');
  });
});

function codeOf(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (isSignetError(error)) return error.code;
    throw error;
  }
}
