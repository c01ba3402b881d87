/** Bytes of a block, in which everything of a tar archive comes. */
export const TAR_BLOCK = 512;

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
const SPARSE = 'GNU.sparse.';
const SPACE = 0x20;
const TEXTS: readonly string[] = ['path', 'linkpath', 'uname', 'gname'];

/** A number field of a header. */
type TarField = keyof typeof FIELDS;

/**
 * Whether the first block is a tar header: its checksum sums all its bytes, signed or unsigned, with its own field as
 * spaces.
 */
export function hasTarHeader(head: Uint8Array): boolean {
  const header = Uint8Array.from(head.subarray(0, TAR_BLOCK));
  if (header.length < TAR_BLOCK || header.every((byte) => byte === 0)) return false;
  const [from, length] = FIELDS.checksum;
  const written = octal(header.subarray(from, from + length));
  header.fill(SPACE, from, from + length);
  const sum = header.reduce((total, byte) => total + byte, 0);
  const signed = header.reduce((total, byte) => total + ((byte << 24) >> 24), 0);
  return written !== undefined && [BigInt(sum), BigInt(signed)].includes(written);
}

/** The type of the entry: `0` for a file, `5` for a folder. */
export function tarType(header: Uint8Array): string {
  return String.fromCharCode(header[TYPE] ?? 0);
}

/** Whether all numbers are ones that Go parses in a header of this format. GNU's own fields do not count: Go ignores errors there. */
export function hasTarNumbers(header: Uint8Array): boolean {
  return numericFields(header).every((name) => tarNumber(header, name) !== undefined);
}

/** A number in the header, octal or two's complement; undefined if Go refuses it. */
export function tarNumber(header: Uint8Array, name: TarField): bigint | undefined {
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

/**
 * The records of an extended header by their keys, `LENGTH KEY=VALUE`, one per line; of a key that is there twice the last
 * one. Values are bytes, each as a character. Undefined if there is anything else, or any of the sparse format.
 */
export function tarRecords(bytes: Uint8Array): ReadonlyMap<string, string> | undefined {
  const records = new Map<string, string>();
  let rest = Buffer.from(bytes).toString('latin1');
  while (rest !== '') {
    const [length = ''] = /^[0-9]+(?= )/.exec(rest) ?? [];
    const record = rest.slice(0, Number(length));
    const [, key, value = ''] = /^ ([^=\0]+)=(.*)\n$/s.exec(record.slice(length.length)) ?? [];
    if (length === '' || record.length !== Number(length) || key === undefined || record.length < 5) return undefined;
    if (key.startsWith(SPARSE) || (TEXTS.includes(key) && value.includes('\0'))) return undefined;
    records.set(key, value);
    rest = rest.slice(record.length);
  }
  return records;
}

function numericFields(header: Uint8Array): readonly TarField[] {
  const magic = Buffer.from(header.subarray(257, 265)).toString('latin1');
  if (magic.startsWith('ustar\0')) {
    const isStar = Buffer.from(header.subarray(508, TAR_BLOCK)).toString('latin1') === 'tar\0';
    return [...COMMON, ...DEVICES, ...(isStar ? STAR_TIMES : [])];
  }
  return magic === 'ustar  \0' ? [...COMMON, ...DEVICES] : COMMON;
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
