import { SignetError } from '../errors/index.ts';

/** The tags that keys and certificates use (X.690). */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** The tag `[n]` of an optional, explicitly tagged member. */
export function contextTag(n: number): number {
  return 0xa0 | n;
}

/**
 * Reads the elements of one DER value in order. Strict: definite lengths in their shortest form, one-byte tags,
 * nothing left over. Every method throws `key-malformed` if the bytes are not what it is asked for.
 */
export class DerReader {
  private readonly bytes: Buffer;
  private at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** The members of the SEQUENCE that `bytes` is, as a whole. */
  static sequenceOf(bytes: Uint8Array): DerReader {
    const reader = new DerReader(bytes);
    const members = reader.sequence();
    reader.end();
    return members;
  }

  /** Whether nothing is left. */
  get done(): boolean {
    return this.at === this.bytes.length;
  }

  /** Asserts that nothing is left. */
  end(): void {
    if (!this.done) malformed('there are bytes after the last element');
  }

  /** The tag of the next element, undefined at the end. */
  peek(): number | undefined {
    return this.bytes[this.at];
  }

  /** The content of the next element, which must have `tag`. The bytes are shared with the input. */
  content(tag: number): Buffer {
    if (this.peek() !== tag) malformed(`expected tag 0x${tag.toString(16)}`);
    this.at++;
    const length = this.length();
    if (length > this.bytes.length - this.at) malformed('an element is cut off');
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  /** The next element with its tag and length. */
  whole(tag: number): Buffer {
    const start = this.at;
    this.content(tag);
    return this.bytes.subarray(start, this.at);
  }

  /** The content of the next element if it has `tag`. */
  optional(tag: number): Buffer | undefined {
    return this.peek() === tag ? this.content(tag) : undefined;
  }

  sequence(tag: number = TAG.sequence): DerReader {
    return new DerReader(this.content(tag));
  }

  /** A non-negative INTEGER below 2^47. */
  integer(): number {
    const content = this.content(TAG.integer);
    const first = content[0];
    if (first === undefined || content.length > 6 || first >= 0x80) malformed('an INTEGER is negative or too large');
    if (first === 0 && content.length > 1 && (content[1] ?? 0) < 0x80) malformed('an INTEGER is not in shortest form');
    return content.readUIntBE(0, content.length);
  }

  boolean(): boolean {
    const content = this.content(TAG.boolean);
    if (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff)) malformed('malformed BOOLEAN');
    return content[0] === 0xff;
  }

  null(): void {
    if (this.content(TAG.null).length !== 0) malformed('malformed NULL');
  }

  /** A BIT STRING of whole bytes. */
  bitString(): Buffer {
    const content = this.content(TAG.bitString);
    if (content[0] !== 0) malformed('a BIT STRING is not of whole bytes');
    return content.subarray(1);
  }

  /** An OBJECT IDENTIFIER in dotted form. */
  oid(): string {
    const content = this.content(TAG.oid);
    if (content.length === 0 || content.length > 32) malformed('malformed OBJECT IDENTIFIER');
    const arcs: number[] = [];
    let arc = 0;
    for (const byte of content) {
      if (arc === 0 && byte === 0x80) malformed('malformed OBJECT IDENTIFIER');
      arc = arc * 128 + (byte & 0x7f);
      if (arc > 0xffffffff) malformed('malformed OBJECT IDENTIFIER');
      if (byte >= 0x80) continue;
      if (arcs.length === 0) {
        const root = Math.min(Math.floor(arc / 40), 2);
        arcs.push(root, arc - 40 * root);
      } else arcs.push(arc);
      arc = 0;
    }
    if ((content.at(-1) ?? 0) >= 0x80) malformed('malformed OBJECT IDENTIFIER');
    return arcs.join('.');
  }

  private length(): number {
    const first = this.bytes[this.at++] ?? malformed('an element is cut off');
    if (first < 0x80) return first;
    const count = first & 0x7f;
    if (count === 0 || count > 4 || count > this.bytes.length - this.at) malformed('malformed length');
    const length = this.bytes.readUIntBE(this.at, count);
    this.at += count;
    if (length < 0x80 || length < 2 ** (8 * (count - 1))) malformed('a length is not in shortest form');
    return length;
  }
}

/**
 * A DER value to be written. A tree, so that `encodeDer` makes one buffer and no copies of secret content are left
 * behind.
 */
export interface DerNode {
  readonly tag: number;
  readonly content: Uint8Array | readonly DerNode[];
}

/** Builds a DER node from its tag, and its content or its child nodes. */
export function node(tag: number, content: Uint8Array | readonly DerNode[]): DerNode {
  return { tag, content };
}

/** Builds a SEQUENCE. */
export function sequence(...members: DerNode[]): DerNode {
  return node(TAG.sequence, members);
}

/** Builds an OCTET STRING. */
export function octetString(content: Uint8Array): DerNode {
  return node(TAG.octetString, content);
}

/** A BIT STRING whose last byte has `unused` insignificant bits. */
export function bitString(content: Uint8Array, unused = 0): DerNode {
  return node(TAG.bitString, Buffer.concat([Buffer.of(unused), content]));
}

/** A non-negative INTEGER, given as a number or as its big-endian bytes. */
export function integer(value: number | Uint8Array): DerNode {
  const bytes = typeof value === 'number' ? Buffer.from(value.toString(16).padStart(12, '0'), 'hex') : value;
  const start = bytes.findIndex((byte) => byte !== 0);
  const shortest = start < 0 ? Buffer.of(0) : bytes.subarray(start);
  return node(TAG.integer, (shortest[0] ?? 0) < 0x80 ? shortest : Buffer.concat([Buffer.of(0), shortest]));
}

/** An OBJECT IDENTIFIER, given in dotted form. */
export function oid(dotted: string): DerNode {
  const [first = 0, second = 0, ...others] = dotted.split('.').map(Number);
  return node(TAG.oid, Buffer.from([first * 40 + second, ...others].flatMap(base128)));
}

/** The DER bytes of the tree. */
export function encodeDer(root: DerNode): Buffer {
  const bytes = Buffer.alloc(sizeOf(root));
  write(root, bytes, 0);
  return bytes;
}

function write({ tag, content }: DerNode, bytes: Buffer, start: number): number {
  const header = headerOf(tag, contentSize(content));
  bytes.set(header, start);
  const at = start + header.length;
  if (content instanceof Uint8Array) {
    bytes.set(content, at);
    return at + content.length;
  }
  return content.reduce((position, member) => write(member, bytes, position), at);
}

function sizeOf({ tag, content }: DerNode): number {
  const size = contentSize(content);
  return headerOf(tag, size).length + size;
}

function contentSize(content: DerNode['content']): number {
  return content instanceof Uint8Array ? content.length : content.reduce((total, member) => total + sizeOf(member), 0);
}

function headerOf(tag: number, size: number): number[] {
  if (size < 0x80) return [tag, size];
  const digits = size.toString(16);
  const length = Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex');
  return [tag, 0x80 | length.length, ...length];
}

function base128(arc: number): number[] {
  const bytes = [arc % 128];
  for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128)) bytes.unshift((rest % 128) | 0x80);
  return bytes;
}

function malformed(why: string): never {
  throw new SignetError('key-malformed', `malformed DER: ${why}`);
}
