import { hasTarHeader, hasTarNumbers, TAR_BLOCK, tarNumber, tarRecords, tarType } from '../../../../core/tar-header.ts';

/** How much of a stream docker looks at to distinguish an archive from a Dockerfile, in bytes: two tar blocks. */
export const HEAD_SIZE = 1024;

/**
 * What docker takes a build's standard input for. `unclear` has a tar header that docker would probably not accept, but
 * some version might, so it must be treated as neither.
 */
type StreamKind = 'archive' | 'dockerfile' | 'unclear';

type Compression = 'bzip2' | 'gzip' | 'xz' | 'zstd';

/** Types without data, whatever the size in the header: links, devices, folders, pipes. */
const WITHOUT_DATA = '123456';
/**
 * Types whose header belongs to the next one, which docker no longer sees completely, or that contain a map of their
 * own.
 */
const INCOMPLETE = 'xLKS';
const GLOBAL = 'g';

/** The compressions that docker recognises by their first bytes. */
const MAGICS: readonly (readonly [Compression, RegExp])[] = [
  ['bzip2', /^425a68/],
  ['gzip', /^1f8b08/],
  ['xz', /^fd377a585a00/],
  ['zstd', /^(?:28b52ffd|5[0-9a-f]2a4d18.{8})/],
];

/** The compression that docker detects in a stream with this head. */
export function compressionOf(head: Uint8Array): Compression | undefined {
  const hex = Buffer.from(head.subarray(0, 8)).toString('hex');
  return MAGICS.find(([, magic]) => magic.test(hex))?.[0];
}

/**
 * What docker, including buildx, takes a stream for. `head` is its first `HEAD_SIZE` bytes, or all of it if it is
 * shorter. Docker uses the first entry that Go's archive/tar finds in these bytes. A header with a correct checksum is
 * parsed as Go does; if it has one but cannot be parsed, the stream is not a Dockerfile either.
 */
export function streamKind(head: Uint8Array): StreamKind {
  const seen = head.subarray(0, HEAD_SIZE);
  if (compressionOf(seen) !== undefined) return 'archive';
  if (!hasTarHeader(seen)) return 'dockerfile';
  const header = seen.subarray(0, TAR_BLOCK);
  const size = tarNumber(header, 'size');
  const type = tarType(header);
  if (!hasTarNumbers(header) || size === undefined || INCOMPLETE.includes(type)) return 'unclear';
  if (size < 0n && !WITHOUT_DATA.includes(type)) return 'unclear';
  if (type !== GLOBAL) return 'archive';
  const records = seen.subarray(TAR_BLOCK, TAR_BLOCK + Number(size));
  return BigInt(records.length) === size && tarRecords(records) !== undefined ? 'archive' : 'unclear';
}
