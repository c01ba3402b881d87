/**
 * Whether Go's archive/tar finds an entry in these bytes: a model of its parser, independent of the one under test and
 * as complete, so that the two can be compared.
 */
export function findsEntry(bytes: Uint8Array): boolean {
  try {
    return nextEntry(new Source(bytes));
  } catch (error) {
    if (error === REFUSED) return false;
    throw error;
  }
}

const REFUSED = Symbol('refused');
const MAX_INT64 = 2n ** 63n - 1n;

class Source {
  private readonly bytes: Buffer;
  private at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes);
  }

  take(count: number): Buffer {
    const part = this.bytes.subarray(this.at, this.at + count);
    this.at += part.length;
    return part.length === count ? part : refuse();
  }

  /** The padding of the last entry may be missing. */
  skipPadding(size: number): void {
    this.at = Math.min(this.bytes.length, this.at + ((512 - (size % 512)) % 512));
  }
}

function nextEntry(source: Source): boolean {
  for (;;) {
    const block = source.take(512);
    if (block.every((byte) => byte === 0)) refuse();
    const kind = formatOf(block);
    const size = readNumbers(block, kind);
    const type = block.toString('latin1', 156, 157);
    const data = '123456'.includes(type) ? 0n : size;
    if (data < 0n) refuse();
    if (type === 'x' || type === 'g') {
      const records = readRecords(special(source, data));
      if (type === 'g') return true;
      if (records.size > 0) return pastRecords(source);
      continue;
    }
    if (type === 'L' || type === 'K') {
      special(source, data);
      continue;
    }
    if (type === 'S') readSparseMap(source, block, kind);
    return true;
  }
}

/** After the records of the next entry, nothing is left of 1,024 bytes; longer streams are not modelled. */
function pastRecords(source: Source): boolean {
  source.take(1);
  throw new Error('a longer input than docker looks at');
}

function special(source: Source, size: bigint): Buffer {
  if (size > 1024n * 1024n) refuse();
  const data = source.take(Number(size));
  source.skipPadding(Number(size));
  return data;
}

type Format = 'v7' | 'ustar' | 'star' | 'gnu';

function formatOf(block: Buffer): Format {
  const field = block.subarray(148, 156);
  const others = [...block.subarray(0, 148), ...block.subarray(156)];
  const unsigned = others.reduce((sum, byte) => sum + byte, 8 * 32);
  const signed = others.reduce((sum, byte) => sum + (byte > 127 ? byte - 256 : byte), 8 * 32);
  const written = Number(octalNumber(field));
  if (written !== unsigned && written !== signed) refuse();
  if (block.toString('latin1', 257, 263) === 'ustar\0') {
    return block.toString('latin1', 508) === 'tar\0' ? 'star' : 'ustar';
  }
  return block.toString('latin1', 257, 265) === 'ustar  \0' ? 'gnu' : 'v7';
}

/** Parses every number that matters for the format; returns the size. */
function readNumbers(block: Buffer, format: Format): bigint {
  for (const [from, to] of [
    [100, 108],
    [108, 116],
    [116, 124],
    [136, 148],
  ])
    anyNumber(block.subarray(from, to));
  if (format !== 'v7') for (const from of [329, 337]) anyNumber(block.subarray(from, from + 8));
  if (format === 'star') for (const from of [476, 488]) anyNumber(block.subarray(from, from + 12));
  return anyNumber(block.subarray(124, 136));
}

function anyNumber(field: Buffer): bigint {
  const first = field.readUInt8();
  if (first < 0x80) return octalNumber(field);
  // The highest bit marks a binary number, the next one is its sign.
  const width = BigInt(field.length * 8 - 1);
  const raw = BigInt(`0x${field.toString('hex')}`) & ((1n << width) - 1n);
  const value = (first & 0x40) === 0 ? raw : raw - (1n << width);
  return value > MAX_INT64 || value < -MAX_INT64 - 1n ? refuse() : value;
}

function octalNumber(field: Buffer): bigint {
  let [from, to] = [0, field.length];
  const isPadding = (at: number) => field[at] === 0 || field[at] === 32;
  while (from < to && isPadding(from)) from++;
  while (to > from && isPadding(to - 1)) to--;
  let value = 0n;
  for (let at = from; at < to && field[at] !== 0; at++) {
    const digit = (field[at] ?? 0) - 48;
    if (digit < 0 || digit > 7) refuse();
    value = value * 8n + BigInt(digit);
  }
  return value;
}

function readRecords(data: Buffer): Set<string> {
  const keys = new Set<string>();
  let sparse = 0;
  for (let at = 0; at < data.length; ) {
    const space = data.indexOf(32, at);
    if (space < 0) refuse();
    const typed = data.toString('latin1', at, space);
    if (!/^[+-]?[0-9]+$/.test(typed)) refuse();
    const length = Number(typed);
    if (length < 5 || length > data.length - at || length <= typed.length + 1) refuse();
    const record = data.toString('latin1', space + 1, at + length);
    const equals = record.indexOf('=');
    if (!record.endsWith('\n') || equals < 1 || equals === record.length) refuse();
    const [key, value] = [record.slice(0, equals), record.slice(equals + 1, -1)];
    const isText = ['path', 'linkpath', 'uname', 'gname'].includes(key);
    if ((isText ? value : key).includes('\0')) refuse();
    if (key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes') {
      if ((sparse++ % 2 === 0) !== (key === 'GNU.sparse.offset') || value.includes(',')) refuse();
    }
    keys.add(key);
    at += length;
  }
  return keys;
}

/** The old GNU format, whose header holds four entries and a flag for more. */
function readSparseMap(source: Source, block: Buffer, format: Format): void {
  if (format !== 'gnu') refuse();
  const size = anyNumber(block.subarray(483, 495));
  const pieces: [bigint, bigint][] = [];
  let table = block.subarray(386, 483);
  for (;;) {
    const count = Math.floor(table.length / 24);
    for (let index = 0; index < count && table[index * 24] !== 0; index++) {
      const at = index * 24;
      pieces.push([anyNumber(table.subarray(at, at + 12)), anyNumber(table.subarray(at + 12, at + 24))]);
    }
    if (table[count * 24] === 0) break;
    table = source.take(512);
  }
  if (size < 0n) refuse();
  let end = 0n;
  for (const [offset, length] of pieces) {
    if (offset < 0n || length < 0n || offset > MAX_INT64 - length || offset + length > size || offset < end) refuse();
    end = offset + length;
  }
}

function refuse(): never {
  throw REFUSED;
}
