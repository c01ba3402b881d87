import { SignetError } from '../errors/index.ts';
import { LIMITS } from '../limits.ts';
import { printable } from '../printable.ts';

/** A JSON object. It is a Map because foreign names must not be reordered or reach a prototype. */
export type JsonObject = ReadonlyMap<string, JsonValue>;
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;

export interface JsonOptions {
  /**
   * `integers` (default) refuses fractions, exponents and numbers that a double cannot hold exactly; `any` accepts
   * every JSON number.
   */
  readonly numbers?: 'integers' | 'any';
  /** Nesting depth of arrays and objects. */
  readonly depth?: number;
  /** Number of values; `LIMITS.jsonValues` by default. */
  readonly values?: number;
}

/**
 * Parses one JSON text strictly (RFC 8259, and more).
 *
 * Refuses what two parsers could read differently: duplicate member names, bytes after the value, a byte order mark,
 * invalid UTF-8, lone surrogates, numbers that are not safe integers. Throws `json-malformed`, `json-duplicate-key`,
 * `json-number-unsafe`, `json-too-deep` or `json-too-large`.
 */
export function parseJson(input: Uint8Array | string, options: JsonOptions = {}): JsonValue {
  return new Parser(typeof input === 'string' ? input : decodeUtf8(input), options).document();
}

/** Decodes UTF-8. Throws `json-malformed` for invalid sequences. */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new SignetError('json-malformed', 'the text is not valid UTF-8', { cause });
  }
}

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const PLAIN_TEXT = /[^"\\\u0000-\u001f]*/y;
const WHITE_SPACE = /[ \t\n\r]*/y;

class Parser {
  private readonly text: string;
  private readonly exact: boolean;
  private readonly maxDepth: number;
  private readonly maxValues: number;
  private at = 0;
  private values = 0;

  constructor(text: string, options: JsonOptions) {
    this.text = text;
    this.exact = options.numbers !== 'any';
    this.maxDepth = options.depth ?? LIMITS.jsonDepth;
    this.maxValues = options.values ?? LIMITS.jsonValues;
  }

  document(): JsonValue {
    const value = this.value(0);
    this.skipWhiteSpace();
    if (this.at !== this.text.length) this.fail('there is more after the end of the value');
    return value;
  }

  private value(depth: number): JsonValue {
    if (++this.values > this.maxValues)
      throw new SignetError('json-too-large', `JSON has more than ${this.maxValues} values`);
    this.skipWhiteSpace();
    switch (this.text[this.at]) {
      case '{':
        return this.object(depth);
      case '[':
        return this.array(depth);
      case '"':
        return this.string();
      case 't':
        return this.word('true', true);
      case 'f':
        return this.word('false', false);
      case 'n':
        return this.word('null', null);
      default:
        return this.number();
    }
  }

  private object(depth: number): JsonObject {
    const members = new Map<string, JsonValue>();
    this.enter(depth);
    if (this.accept('}')) return members;
    do {
      this.skipWhiteSpace();
      if (this.text[this.at] !== '"') this.fail('expected a member name');
      const name = this.string();
      if (members.has(name))
        throw new SignetError(
          'json-duplicate-key',
          `JSON names ${printable(JSON.stringify(name))} twice in one object`,
        );
      this.expect(':');
      members.set(name, this.value(depth + 1));
    } while (this.accept(','));
    this.expect('}');
    return members;
  }

  private array(depth: number): readonly JsonValue[] {
    const items: JsonValue[] = [];
    this.enter(depth);
    if (this.accept(']')) return items;
    do items.push(this.value(depth + 1));
    while (this.accept(','));
    this.expect(']');
    return items;
  }

  /** Enters an array or object at nesting level `depth`. */
  private enter(depth: number): void {
    if (depth >= this.maxDepth)
      throw new SignetError('json-too-deep', `JSON is nested deeper than ${this.maxDepth} levels`);
    this.at++;
  }

  private string(): string {
    const start = this.at++;
    this.skip(PLAIN_TEXT);
    const isPlain = this.text[this.at] === '"';
    while (this.text[this.at] === '\\') {
      this.at += 2;
      this.skip(PLAIN_TEXT);
    }
    if (this.text[this.at++] !== '"') this.fail('a string is not closed, or has a raw control character');
    const result = isPlain ? this.text.slice(start + 1, this.at - 1) : this.unescaped(this.text.slice(start, this.at));
    if (!result.isWellFormed()) this.fail('a string has half of a surrogate pair');
    return result;
  }

  /**
   * Left to the platform's parser: concatenating a string of many escapes piece by piece would take fifty times its
   * size.
   */
  private unescaped(literal: string): string {
    try {
      return JSON.parse(literal);
    } catch {
      return this.fail('unknown escape in a string');
    }
  }

  private number(): number {
    const start = this.at;
    this.skip(NUMBER);
    const text = this.text.slice(start, this.at);
    if (text === '') this.fail('expected a value');
    const value = Number(text);
    const exact = String(value) === text && Number.isSafeInteger(value);
    if (this.exact && !exact)
      throw new SignetError('json-number-unsafe', `JSON number ${text.slice(0, 40)} is not a safe integer`);
    if (!Number.isFinite(value))
      throw new SignetError('json-number-unsafe', `JSON number ${text.slice(0, 40)} is out of range`);
    return value;
  }

  private word<T>(word: string, value: T): T {
    if (!this.text.startsWith(word, this.at)) this.fail('expected a value');
    this.at += word.length;
    return value;
  }

  private accept(character: string): boolean {
    this.skipWhiteSpace();
    if (this.text[this.at] !== character) return false;
    this.at++;
    return true;
  }

  private expect(character: string): void {
    if (!this.accept(character)) this.fail(`expected ${character}`);
  }

  private skipWhiteSpace(): void {
    this.skip(WHITE_SPACE);
  }

  private skip(pattern: RegExp): void {
    pattern.lastIndex = this.at;
    if (pattern.test(this.text)) this.at = pattern.lastIndex;
  }

  private fail(why: string): never {
    throw new SignetError('json-malformed', `malformed JSON at character ${this.at}: ${why}`);
  }
}
