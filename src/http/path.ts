import { SignetError } from '../core/errors/index.ts';

/** A path that has been checked, and whose it is. */
export type ServerPath = NamedPath | PlainPath;

/** A path below the name of a repository: the trust server's or the registry's. */
export interface NamedPath {
  readonly service: 'trust' | 'registry';
  /** The GUN or the repository as the client wrote it, without percent escapes, unchecked. */
  readonly name: string;
  /** What follows the name, without percent escapes: `tuf/root.json`, `manifests/latest`. */
  readonly rest: string;
}

/** Every other path. */
interface PlainPath {
  /** What answers it if no route has this very path; undefined if nothing does. */
  readonly service: 'trust' | 'registry' | undefined;
  readonly name: undefined;
  readonly rest: string;
}

/** Percent escapes that stand for themselves in one reader and for a separator, a dot or an end in another. */
const AMBIGUOUS_ESCAPE = /%(?:2[ef5]|5c|[01][0-9a-f]|7f)/i;
const MALFORMED_ESCAPE = /%(?![0-9a-f]{2})/i;
const DOT_SEGMENT = /\/\.{1,2}(?:\/|$)/;
const LONGEST = 4096;

const START = '/v2/';
const TRUST = '_trust';
const TRUST_MARK = `/${TRUST}/`;
/** A GUN, a role, a checksum and what stands between them take less; a longer path of the trust server has no route. */
const LONGEST_TRUST = 2048;
/** How the paths below a repository end (protocol F.5), the longest first: a name may contain such words itself. */
const REGISTRY_ENDS = [
  /\/(blobs\/uploads(?:\/[^/]*)?)$/,
  /\/((?:blobs|manifests|referrers)\/[^/]*)$/,
  /\/(tags\/list)$/,
];

/**
 * Refuses paths that two readers could understand differently: empty segments, dot segments, encoded slashes,
 * backslashes, dots, percent signs and control characters. The runtime has resolved plain dot segments before; access
 * is decided, and the answer found, by that same resolved path. Throws `path-invalid`.
 */
export function checkPath(path: string): void {
  const isClean =
    path.length <= LONGEST &&
    path.startsWith('/') &&
    !path.includes('//') &&
    !path.includes('\\') &&
    !DOT_SEGMENT.test(path) &&
    !(path.includes('%') && (AMBIGUOUS_ESCAPE.test(path) || MALFORMED_ESCAPE.test(path)));
  if (!isClean) throw new SignetError('path-invalid', 'the path of the request is malformed');
}

/**
 * Whose a path is, and what it names: the only place that decides it. Below `/v2/` it is the trust server's if it has a
 * `/_trust/`, of which the first ends the GUN (protocol B.2); otherwise the registry's (protocol F.5).
 */
export function parsePath(path: string): ServerPath {
  if (!path.startsWith(START)) return { service: undefined, name: undefined, rest: path };
  return path.includes(TRUST_MARK) ? trustPath(path) : registryPath(path);
}

function trustPath(raw: string): ServerPath {
  // What cannot be decoded keeps its percent signs, which no name may have.
  const path = decode(raw) ?? raw;
  const mark = path.indexOf(TRUST_MARK);
  if (mark < START.length) return { service: 'trust', name: undefined, rest: raw };
  const rest = path.length > LONGEST_TRUST ? '' : path.slice(mark + TRUST_MARK.length);
  return { service: 'trust', name: path.slice(START.length, mark), rest };
}

function registryPath(raw: string): ServerPath {
  const path = decode(raw) ?? '';
  // Spelled with escapes it would be the trust server's to one reader, and the registry's to another.
  const isTrust = path.split('/').includes(TRUST);
  for (const end of isTrust ? [] : REGISTRY_ENDS) {
    const found = end.exec(path);
    if (found === null) continue;
    const [, rest = ''] = found;
    return { service: 'registry', name: path.slice(START.length, found.index), rest };
  }
  return { service: 'registry', name: undefined, rest: raw };
}

function decode(path: string): string | undefined {
  if (!path.includes('%')) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}
