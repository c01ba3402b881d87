import { SignetError } from '../../core/errors/index.ts';

/** The fields of a protobuf message by number: bytes for a length-delimited value, a number for a varint. */
type Members = ReadonlyMap<number, Buffer | number>;

const VARINT = 0;
const FIXED_64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED_32 = 5;
/** More fields than any message of the signer has. */
const MAX_MEMBERS = 64;

/** Encodes the fields that are not empty, as in proto3: numbers from 1 to 15, in the given order. */
export function encodeMembers(
  members: readonly (readonly [number: number, value: Uint8Array | string | number])[],
): Buffer {
  return Buffer.concat(members.flatMap(([number, value]) => encodeMember(number, value)));
}

/**
 * Decodes one protobuf message. Callers ignore unknown fields, as in proto3. A duplicate field is refused, because
 * decoders differ in how they treat it. Throws `signer-message-malformed`.
 */
export function decodeMembers(message: Uint8Array): Members {
  const reader = new Reader(Buffer.from(message.buffer, message.byteOffset, message.byteLength));
  const members = new Map<number, Buffer | number>();
  while (!reader.done) {
    const tag = reader.varint();
    const [number, type] = [Math.floor(tag / 8), tag % 8];
    if (number === 0 || members.has(number) || members.size === MAX_MEMBERS)
      throw malformed('its members are not in order');
    members.set(number, readValue(reader, type));
  }
  return members;
}

/** The bytes of a field, empty if it is absent. Throws `signer-message-malformed` for another type. */
export function bytesOf(members: Members, number: number): Buffer {
  const value = members.get(number) ?? Buffer.alloc(0);
  if (typeof value === 'number') throw malformed(`member ${number} is a number`);
  return value;
}

/** The text of a field, empty if it is absent. Throws `signer-message-malformed` if it is not UTF-8. */
export function textOf(members: Members, number: number): string {
  const bytes = bytesOf(members, number);
  const text = bytes.toString('utf8');
  if (!Buffer.from(text, 'utf8').equals(bytes)) throw malformed(`member ${number} is not UTF-8`);
  return text;
}

/** The number in a field, 0 if it is absent. Throws `signer-message-malformed` for another type. */
export function numberOf(members: Members, number: number): number {
  const value = members.get(number) ?? 0;
  if (typeof value !== 'number') throw malformed(`member ${number} is no number`);
  return value;
}

function encodeMember(number: number, value: Uint8Array | string | number): readonly Uint8Array[] {
  if (typeof value === 'number') return value === 0 ? [] : [varint(number * 8 + VARINT), varint(value)];
  const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
  return bytes.length === 0 ? [] : [varint(number * 8 + LENGTH_DELIMITED), varint(bytes.length), bytes];
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return Buffer.from([...bytes, rest]);
}

function readValue(reader: Reader, type: number): Buffer | number {
  switch (type) {
    case VARINT:
      return reader.varint();
    case FIXED_64:
      return reader.take(8);
    case LENGTH_DELIMITED:
      return reader.take(reader.varint());
    case FIXED_32:
      return reader.take(4);
    default:
      throw malformed(`unknown wire type ${type}`);
  }
}

class Reader {
  private readonly bytes: Buffer;
  private at = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  get done(): boolean {
    return this.at === this.bytes.length;
  }

  take(length: number): Buffer {
    if (length > this.bytes.length - this.at) throw malformed('it is cut off');
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  /** Decodes a number below 2^49. No message of the signer has larger ones. */
  varint(): number {
    let [value, scale] = [0, 1];
    for (let count = 0; count < 7; count++, scale *= 0x80) {
      const byte = this.take(1)[0] ?? 0;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw malformed('a number is too large');
  }
}

function malformed(why: string): SignetError {
  return new SignetError('signer-message-malformed', `malformed message of a signer: ${why}`);
}
