/** How much of a stream docker looks at to distinguish an archive from a Dockerfile, in bytes: two tar blocks. */
export const HEAD_SIZE = 1024;

/**
 * What docker takes a build's standard input for. `unclear` has a tar header that docker would probably not accept, but
 * some version might, so it must be treated as neither.
 */
type StreamKind = 'archive' | 'dockerfile' | 'unclear';

type Compression = 'bzip2' | 'gzip' | 'xz' | 'zstd';

const BLOCK = 512;
const FIELDS = {
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  checksum: [148, 8],
  devmajor: [329, 8],
  devminor: [337, 8],
  starAccessed: [476, 12],
  starChanged: [488, 12],
} as const;
const TYPE = 156;
const COMMON = ['mode', 'uid', 'gid', 'size', 'mtime'] as const;
const DEVICES = ['devmajor', 'devminor'] as const;
const STAR_TIMES = ['starAccessed', 'starChanged'] as const;
/** Types without data, whatever the size in the header: links, devices, folders, pipes. */
const WITHOUT_DATA = '123456';
/**
 * Types whose header belongs to the next one, which docker no longer sees completely, or that contain a map of their
 * own.
 */
const INCOMPLETE = 'xLKS';
const GLOBAL = 'g';
const SPARSE = 'GNU.sparse.';
const SPACE = 0x20;

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
  const header = seen.subarray(0, BLOCK);
  const size = numberIn(header, 'size');
  const type = String.fromCharCode(header[TYPE] ?? 0);
  const isReadable = numericFields(header).every((name) => numberIn(header, name) !== undefined);
  if (!isReadable || size === undefined || INCOMPLETE.includes(type)) return 'unclear';
  if (size < 0n && !WITHOUT_DATA.includes(type)) return 'unclear';
  if (type !== GLOBAL) return 'archive';
  const records = seen.subarray(BLOCK, BLOCK + Number(size));
  return BigInt(records.length) === size && hasRecords(records) ? 'archive' : 'unclear';
}

/**
 * Whether the first block is a tar header: its checksum sums all its bytes, signed or unsigned, with its own field as
 * spaces.
 */
function hasTarHeader(head: Uint8Array): boolean {
  const header = Uint8Array.from(head.subarray(0, BLOCK));
  if (header.length < BLOCK || header.every((byte) => byte === 0)) return false;
  const [from, length] = FIELDS.checksum;
  const written = octal(header.subarray(from, from + length));
  header.fill(SPACE, from, from + length);
  const sum = header.reduce((total, byte) => total + byte, 0);
  const signed = header.reduce((total, byte) => total + ((byte << 24) >> 24), 0);
  return written !== undefined && [BigInt(sum), BigInt(signed)].includes(written);
}

/** The numbers that Go parses in a header of this format. GNU's own fields do not count: Go ignores errors there. */
function numericFields(header: Uint8Array): readonly (keyof typeof FIELDS)[] {
  const magic = Buffer.from(header.subarray(257, 265)).toString('latin1');
  if (magic.startsWith('ustar\0')) {
    const isStar = Buffer.from(header.subarray(508, BLOCK)).toString('latin1') === 'tar\0';
    return [...COMMON, ...DEVICES, ...(isStar ? STAR_TIMES : [])];
  }
  return magic === 'ustar  \0' ? [...COMMON, ...DEVICES] : COMMON;
}

/** A number in the header, octal or two's complement; undefined if Go refuses it. */
function numberIn(header: Uint8Array, name: keyof typeof FIELDS): bigint | undefined {
  const [from, length] = FIELDS[name];
  const field = header.subarray(from, from + length);
  const [first = 0] = field;
  if ((first & 0x80) === 0) return octal(field);
  const isNegative = (first & 0x40) !== 0;
  const bytes = field.map((byte, index) => (isNegative ? ~byte & 0xff : byte) & (index === 0 ? 0x7f : 0xff));
  const value = BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
  if (value >= 1n << 63n) return undefined;
  return isNegative ? -value - 1n : value;
}

/** Spaces and NULs around the digits are ignored, and the number ends at the first NUL; no digits mean zero. */
function octal(field: Uint8Array): bigint | undefined {
  const digits =
    Buffer.from(field)
      .toString('latin1')
      .replace(/^[ \0]+|[ \0]+$/g, '')
      .split('\0', 1)[0] ?? '';
  if (digits === '') return 0n;
  return /^[0-7]+$/.test(digits) ? BigInt(`0o${digits}`) : undefined;
}

/**
 * Whether these are the records of a global header: `LENGTH KEY=VALUE`, one per line, without any of the sparse format.
 */
function hasRecords(bytes: Uint8Array): boolean {
  let rest = Buffer.from(bytes).toString('latin1');
  while (rest !== '') {
    const [length = ''] = /^[0-9]+(?= )/.exec(rest) ?? [];
    const record = rest.slice(0, Number(length));
    const [, key, value = ''] = /^ ([^=\0]+)=(.*)\n$/s.exec(record.slice(length.length)) ?? [];
    const isText = key !== undefined && /^(?:path|linkpath|uname|gname)$/.test(key);
    if (length === '' || record.length !== Number(length) || key === undefined || record.length < 5) return false;
    if (key.startsWith(SPARSE) || (isText && value.includes('\0'))) return false;
    rest = rest.slice(record.length);
  }
  return true;
}
