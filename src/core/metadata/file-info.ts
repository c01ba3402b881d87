import type { Hash } from 'node:crypto';
import { decodeBase64 } from '../base64.ts';
import { nodeCrypto } from '../crypto.ts';
import { isSignetError, SignetError } from '../errors/index.ts';
import { Fields } from '../json/fields.ts';
import type { JsonValue } from '../json/parse.ts';
import { printable } from '../printable.ts';

/** Length in bytes and digests of a file, as listed in snapshots, timestamps and targets (protocol A.3). */
export interface FileInfo {
  readonly length: number;
  /** Raw digest by algorithm name. Unknown algorithms are kept but prove nothing. */
  readonly hashes: ReadonlyMap<string, Buffer>;
}

const SIZES: ReadonlyMap<string, number> = new Map([
  ['sha256', 32],
  ['sha512', 64],
]);

/**
 * Reads `length` and `hashes`, which must include a known algorithm. Throws `json-unexpected` or `checksum-missing`.
 */
export function readFileInfo(value: JsonValue | undefined, what: string): FileInfo {
  const fields = new Fields(value, what, ['hashes', 'length', 'custom'], 'ignore');
  const length = fields.integer('length');
  if (length < 0) throw new SignetError('json-unexpected', `${what}: length is negative`);
  const hashes = new Map<string, Buffer>();
  for (const [algorithm, text] of fields.map('hashes')) {
    const hash = typeof text === 'string' ? decodeBase64(text) : undefined;
    const size = SIZES.get(algorithm);
    if (hash === undefined || (size !== undefined && hash.length !== size)) {
      throw new SignetError('json-unexpected', `${what}: ${printable(algorithm)} checksum invalid`);
    }
    hashes.set(algorithm, hash);
  }
  if (![...hashes.keys()].some((algorithm) => SIZES.has(algorithm))) {
    throw new SignetError('checksum-missing', `${what}: at least one supported hash needed`);
  }
  return { length, hashes };
}

/** The members `length` and `hashes` of a file's JSON. */
export function fileInfoJson({ length, hashes }: FileInfo): [string, JsonValue][] {
  return [
    ['hashes', new Map([...hashes].map(([algorithm, hash]) => [algorithm, hash.toString('base64')]))],
    ['length', length],
  ];
}

/** Length, SHA-256 and SHA-512 of a metadata file, as Notary lists it. */
export function fileInfoOf(bytes: Uint8Array): FileInfo {
  const hash = (algorithm: string) => nodeCrypto().createHash(algorithm).update(bytes).digest();
  return { length: bytes.length, hashes: new Map([...SIZES.keys()].map((name) => [name, hash(name)])) };
}

/**
 * Checks a file against its listed length and every known digest, not just the first. Throws `length-mismatch` or
 * `checksum-mismatch`.
 */
export function checkFile(name: string, bytes: Uint8Array, promised: FileInfo): void {
  if (bytes.length !== promised.length) throw wrongLength(name, bytes.length, promised);
  const check = new FileCheck(name, promised);
  check.update(bytes);
  check.finish();
}

/** `checkFile` for a file that arrives in pieces. Use nothing of it before `finish` has returned. */
export class FileCheck {
  private readonly name: string;
  private readonly promised: FileInfo;
  private readonly hashes: ReadonlyMap<string, Hash>;
  private length = 0;

  constructor(name: string, promised: FileInfo) {
    this.name = name;
    this.promised = promised;
    const known = [...promised.hashes.keys()].filter((algorithm) => SIZES.has(algorithm));
    this.hashes = new Map(known.map((algorithm) => [algorithm, nodeCrypto().createHash(algorithm)]));
  }

  /** Throws `length-mismatch` as soon as the file is too long. */
  update(bytes: Uint8Array): void {
    this.length += bytes.length;
    const { length } = this.promised;
    if (this.length > length) throw new SignetError('length-mismatch', `${this.name} is longer than ${length} bytes`);
    for (const hash of this.hashes.values()) hash.update(bytes);
  }

  /** Throws `length-mismatch` or `checksum-mismatch`. */
  finish(): void {
    const { name, promised } = this;
    if (this.length !== promised.length) throw wrongLength(name, this.length, promised);
    for (const [algorithm, hash] of this.hashes) {
      const expected = promised.hashes.get(algorithm) ?? Buffer.of();
      if (nodeCrypto().timingSafeEqual(hash.digest(), expected)) continue;
      throw new SignetError(
        'checksum-mismatch',
        `${algorithm} checksum for ${name} did not match: expected ${expected.toString('hex')}`,
      );
    }
  }
}

function wrongLength(name: string, length: number, promised: FileInfo): SignetError {
  return new SignetError('length-mismatch', `${name} is ${length} bytes long, expected ${promised.length}`);
}

/** Whether `checkFile` would accept the file. */
export function matchesFile(name: string, bytes: Uint8Array, promised: FileInfo): boolean {
  try {
    checkFile(name, bytes, promised);
    return true;
  } catch (error) {
    if (isSignetError(error)) return false;
    throw error;
  }
}

/** Whether both describe the same content: same length, and every digest that both have is equal. */
export function sameFile(a: FileInfo, b: FileInfo): boolean {
  const common = [...a.hashes].filter(([algorithm]) => b.hashes.has(algorithm));
  return (
    a.length === b.length &&
    common.length > 0 &&
    common.every(([algorithm, hash]) => b.hashes.get(algorithm)?.equals(hash))
  );
}
