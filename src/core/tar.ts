import { SignetError } from './errors/index.ts';
import { printable, quoted } from './printable.ts';
import { hasTarHeader, hasTarNumbers, TAR_BLOCK, tarNumber, tarRecords, tarType } from './tar-header.ts';

/** A file in an archive. */
interface TarFile {
  /** Relative, with single slashes, and without `.` and `..`. */
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /** To be read, as far as it is of use, before the next file is asked for. */
  readonly content: AsyncIterable<Uint8Array>;
}

/** Of what stands before an entry and belongs to it, in bytes. */
const MAX_EXTENSION = 64 * 1024;
const MAX_ENTRIES = 100_000;
const NAME = [0, 100] as const;
const PREFIX = [345, 155] as const;

/**
 * The files of a tar archive (POSIX ustar and pax, GNU's long names), in their order. Folders are passed over. Refuses what
 * two programs could unpack differently, or to somewhere else: links, devices, sparse files, absolute names and `..`, an
 * archive that is cut short, and anything after its end. Throws `archive-invalid`.
 */
export async function* readTar(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<TarFile> {
  const source = new Source(chunks);
  let longName: string | undefined;
  for (let count = 0; ; ) {
    const header = await source.exactly(TAR_BLOCK);
    if (header.every((byte) => byte === 0)) {
      if (longName !== undefined) throw invalid('it ends after the name of a file');
      return source.zerosOnly();
    }
    if (++count > MAX_ENTRIES) throw invalid(`it has more than ${MAX_ENTRIES} entries`);
    if (!hasTarHeader(header) || !hasTarNumbers(header)) throw invalid('a header is damaged');
    const size = tarNumber(header, 'size') ?? -1n;
    if (size < 0n || size > BigInt(Number.MAX_SAFE_INTEGER)) throw invalid('a size is none');
    const length = Number(size);
    const type = tarType(header);
    if (type === 'x' || type === 'L') {
      if (length > MAX_EXTENSION) throw invalid('the header of a file is too long');
      const extension = await source.exactly(length);
      await source.exactly(paddingOf(length));
      const named = type === 'L' ? textOf(extension) : pathIn(extension);
      if (named !== undefined && longName !== undefined) throw invalid('a file has two names');
      longName ??= named;
      continue;
    }
    const path = checkedPath(longName ?? nameIn(header), type);
    longName = undefined;
    if (type === '5' && length === 0) continue;
    if (type !== '0' && type !== '\0') throw invalid(`${quoted(path, 200)} is no file`);
    let left = length;
    const content = source.upTo(length, (taken) => {
      left -= taken;
    });
    yield { path, size: length, content };
    for await (const _ of source.upTo(left));
    await source.exactly(paddingOf(length));
  }
}

/** Bytes that come in pieces, taken in others. */
class Source {
  private readonly chunks: AsyncIterator<Uint8Array>;
  private rest: Uint8Array = new Uint8Array();

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.chunks = chunks[Symbol.asyncIterator]();
  }

  async exactly(length: number): Promise<Buffer> {
    const parts: Uint8Array[] = [];
    for await (const part of this.upTo(length)) parts.push(part);
    return Buffer.concat(parts);
  }

  async *upTo(length: number, onTaken?: (bytes: number) => void): AsyncGenerator<Uint8Array> {
    for (let left = length; left > 0; ) {
      const part = await this.some(left);
      if (part === undefined) throw invalid('it is cut short');
      left -= part.length;
      onTaken?.(part.length);
      yield part;
    }
  }

  /** After the first block of the end comes another one, and then nothing but what fills a record. */
  async zerosOnly(): Promise<void> {
    if ((await this.exactly(TAR_BLOCK)).some((byte) => byte !== 0)) throw invalid('it ends in the middle');
    for (let part = await this.some(TAR_BLOCK); part !== undefined; part = await this.some(TAR_BLOCK)) {
      if (part.some((byte) => byte !== 0)) throw invalid('there is more after its end');
    }
  }

  private async some(max: number): Promise<Uint8Array | undefined> {
    while (this.rest.length === 0) {
      const next = await this.chunks.next();
      if (next.done === true) return undefined;
      this.rest = next.value;
    }
    const part = this.rest.subarray(0, max);
    this.rest = this.rest.subarray(part.length);
    return part;
  }
}

function paddingOf(length: number): number {
  return (TAR_BLOCK - (length % TAR_BLOCK)) % TAR_BLOCK;
}

/** The path in an extended header, if there is one. Other records are of no use here, but a size would hide another file. */
function pathIn(extension: Buffer): string | undefined {
  const records = tarRecords(extension);
  if (records === undefined || records.has('size')) throw invalid('the header of a file is damaged');
  const path = records.get('path');
  return path === undefined ? undefined : decoded(Buffer.from(path, 'latin1'));
}

function nameIn(header: Buffer): string {
  const name = textOf(field(header, NAME));
  const isPosix = header.subarray(257, 263).toString('latin1') === 'ustar\0';
  const prefix = isPosix ? textOf(field(header, PREFIX)) : '';
  return prefix === '' ? name : `${prefix}/${name}`;
}

function field(header: Buffer, [from, length]: readonly [number, number]): Buffer {
  return header.subarray(from, from + length);
}

function textOf(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return decoded(end < 0 ? bytes : bytes.subarray(0, end));
}

function decoded(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw invalid('a name is no UTF-8');
  }
}

function checkedPath(path: string, type: string): string {
  const plain = type === '5' ? path.replace(/\/$/, '') : path;
  const isSafe = plain.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
  if (isSafe && !/[\\\u0000-\u001f\u007f]/.test(plain)) return plain;
  throw invalid(`it has the name ${printable(JSON.stringify(path), 200)}`);
}

function invalid(why: string): SignetError {
  return new SignetError('archive-invalid', `the tar archive cannot be read: ${why}`);
}
