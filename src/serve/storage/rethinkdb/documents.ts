import { SignetError } from '../../../core/errors/index.ts';
import { type JsonObject, parseJson } from '../../../core/json/parse.ts';
import { LIMITS } from '../../../core/limits.ts';

/** The longest document: the largest file of trust data in base64, and the rest of its row. */
const MAX_DOCUMENT = 2 * LIMITS.metadata;
const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];
const [BRACKET, BRACKET_END, BRACE, BRACE_END] = [0x5b, 0x5d, 0x7b, 0x7d];
const BLANKS: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d]);

/** What may come next in the array. */
type Expected = 'array' | 'document or end' | 'document' | 'comma or end' | 'nothing';

/**
 * The objects of a JSON array, one after the other, so that only one of them is in memory. Each is parsed as strictly as
 * `parseJson` does. Throws what that throws, `json-malformed` and `too-large`.
 */
export async function* readDocuments(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<JsonObject> {
  let expected: Expected = 'array';
  const document = new DocumentBytes();
  for await (const chunk of chunks) {
    let start = 0;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] ?? 0;
      if (document.isOpen) {
        if (!document.step(byte)) continue;
        document.add(chunk.subarray(start, at + 1));
        yield document.take();
        expected = 'comma or end';
      } else if (!BLANKS.has(byte)) {
        expected = follow(expected, byte);
        if (byte !== BRACE) continue;
        start = at;
        document.open();
      }
    }
    if (document.isOpen) document.add(chunk.subarray(start));
  }
  if (expected !== 'nothing') throw malformed('it is cut short');
}

/** What comes after a byte outside of documents. The first byte of one is for `DocumentBytes`. */
function follow(expected: Expected, byte: number): Expected {
  if (expected === 'array' && byte === BRACKET) return 'document or end';
  if (expected.startsWith('document') && byte === BRACE) return 'comma or end';
  if (expected.endsWith('or end') && byte === BRACKET_END) return 'nothing';
  if (expected === 'comma or end' && byte === COMMA) return 'document';
  throw malformed('it is not an array of objects');
}

/** Collects the bytes of one object, and finds its end. */
class DocumentBytes {
  private parts: Uint8Array[] = [];
  private length = 0;
  private depth = 0;
  private isText = false;
  private isEscaped = false;

  get isOpen(): boolean {
    return this.depth > 0;
  }

  open(): void {
    this.depth = 1;
  }

  /** Whether the byte ends the object. */
  step(byte: number): boolean {
    if (this.isText) {
      if (this.isEscaped) this.isEscaped = false;
      else if (byte === BACKSLASH) this.isEscaped = true;
      else if (byte === QUOTE) this.isText = false;
      return false;
    }
    if (byte === QUOTE) this.isText = true;
    else if (byte === BRACE || byte === BRACKET) this.depth++;
    else if (byte === BRACE_END || byte === BRACKET_END) this.depth--;
    return this.depth === 0;
  }

  add(part: Uint8Array): void {
    this.length += part.length;
    if (this.length > MAX_DOCUMENT) throw new SignetError('too-large', `it is longer than ${MAX_DOCUMENT} bytes`);
    // The stream may use the memory again.
    this.parts.push(Uint8Array.from(part));
  }

  take(): JsonObject {
    const bytes = Buffer.concat(this.parts);
    this.parts = [];
    this.length = 0;
    const value = parseJson(bytes, { numbers: 'any' });
    if (!(value instanceof Map)) throw malformed('it is not an array of objects');
    return value;
  }
}

function malformed(why: string): SignetError {
  return new SignetError('json-malformed', why);
}
