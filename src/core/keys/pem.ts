import { decodeBase64 } from '../base64.ts';
import { SignetError } from '../errors/index.ts';
import { LIMITS } from '../limits.ts';
import { quoted } from '../printable.ts';

/** One PEM block: `-----BEGIN <type>-----`, RFC 1421 headers, base64. */
export interface PemBlock {
  readonly type: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly bytes: Buffer;
}

/** How much PEM is read at once. */
interface PemBounds {
  /** The file's length, in bytes. */
  readonly bytes: number;
  readonly blocks: number;
}

const ONE_KEY: PemBounds = { bytes: LIMITS.keyFile, blocks: 64 };
const BEGIN = /^-----BEGIN ([A-Z0-9 ]{1,64})-----$/;
const HEADER = /^([A-Za-z0-9-]{1,64}):(.*)$/;
const MAX_HEADERS = 16;
const MAX_HEADER = 1024;
const HEADER_VALUE = /^[^\u0000-\u001f\u007f]{0,900}$/;

/**
 * Reads every PEM block of a file; lines outside of blocks are comments. Lines may end in CRLF or blanks. Inside a
 * block nothing but headers, empty lines and padded base64 is allowed. Returns no block for a file without any. Throws
 * `too-large` or `key-malformed`.
 */
export function parsePem(file: Uint8Array, bounds: PemBounds = ONE_KEY): PemBlock[] {
  if (file.length > bounds.bytes) {
    throw new SignetError('too-large', `a key file cannot be larger than ${bounds.bytes} bytes`);
  }
  const lines = Buffer.from(file)
    .toString('utf8')
    .split('\n')
    .map((line) => line.trimEnd());
  const blocks: PemBlock[] = [];
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? '';
    if (!line.startsWith('-----')) continue;
    const type = BEGIN.exec(line)?.[1] ?? malformed('a line is neither the beginning of a block nor a comment');
    const end = lines.indexOf(`-----END ${type}-----`, at);
    if (end < 0) malformed(`the block ${type} has no end`);
    blocks.push(readBlock(type, lines.slice(at + 1, end)));
    if (blocks.length > bounds.blocks) malformed(`there are more than ${bounds.blocks} blocks`);
    at = end;
  }
  return blocks;
}

/**
 * Writes a block as Go does: `Proc-Type` first, the other headers sorted, 64 characters of base64 to a line.
 * Throws `key-malformed` for a header's value that would not be read back as it is.
 */
export function formatPem(type: string, headers: ReadonlyMap<string, string>, bytes: Uint8Array): string {
  const lines = [...headers]
    .sort(([a], [b]) => Number(b === 'Proc-Type') - Number(a === 'Proc-Type') || (a < b ? -1 : 1))
    .map(([name, value]) => headerLine(name, value));
  const head = lines.length === 0 ? '' : `${lines.join('')}\n`;
  const body = Buffer.from(bytes)
    .toString('base64')
    .replace(/.{1,64}/g, '$&\n');
  return `-----BEGIN ${type}-----\n${head}${body}-----END ${type}-----\n`;
}

function headerLine(name: string, value: string): string {
  if (!HEADER_VALUE.test(value)) malformed(`the header ${name} cannot be ${quoted(value, 100)}`);
  return `${name}: ${value}\n`;
}

function readBlock(type: string, lines: readonly string[]): PemBlock {
  const headers = new Map<string, string>();
  let at = 0;
  for (; at < lines.length; at++) {
    const line = lines[at] ?? '';
    const [, name, value] = (line.length <= MAX_HEADER && HEADER.exec(line)) || [];
    if (name === undefined || value === undefined) break;
    if (headers.has(name) || headers.size === MAX_HEADERS) malformed(`the block ${type} has too many headers`);
    headers.set(name, value.trim());
  }
  if (headers.size > 0 && lines[at] === '') at++;
  const bytes = decodeBase64(lines.slice(at).join('')) ?? malformed(`the block ${type} is not padded base64`);
  return { type, headers, bytes };
}

function malformed(why: string): never {
  throw new SignetError('key-malformed', `malformed PEM: ${why}`);
}
