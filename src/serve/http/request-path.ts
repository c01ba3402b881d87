import { SignetError } from '../../core/errors/index.ts';

/** Percent escapes that stand for themselves in one reader and for a separator, a dot or an end in another. */
const AMBIGUOUS_ESCAPE = /%(?:2[ef5]|5c|[01][0-9a-f]|7f)/i;
const MALFORMED_ESCAPE = /%(?![0-9a-f]{2})/i;
const LONGEST = 4096;

/**
 * Refuses paths that two readers could understand differently: empty segments, dot segments, encoded slashes,
 * backslashes, dots, percent signs and control characters. The runtime has resolved plain dot segments before; access
 * is decided, and the answer found, by that same resolved path. Throws `path-invalid`.
 */
export function checkPath(path: string): void {
  const segments = path.split('/');
  const isClean =
    path.length <= LONGEST &&
    path.startsWith('/') &&
    !path.includes('//') &&
    !path.includes('\\') &&
    !segments.some((segment) => segment === '.' || segment === '..') &&
    !AMBIGUOUS_ESCAPE.test(path) &&
    !MALFORMED_ESCAPE.test(path);
  if (!isClean) throw new SignetError('path-invalid', 'the path of the request is malformed');
}
