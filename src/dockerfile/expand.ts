/** A variable that is set, to a value that only the engine knows. */
export const UNKNOWN = Symbol('unknown');

/** Returns a variable's value, undefined if it is not set. */
export type Variables = (name: string) => string | typeof UNKNOWN | undefined;

const NAME = /^[A-Za-z_][A-Za-z0-9_]*/;
const MAX_DEPTH = 16;
/** In characters: far longer than any reference, far shorter than what doubling variables could grow to. */
const MAX_LENGTH = 8192;

/**
 * Expands a word of `FROM` or `ARG` as docker does: quotes are removed, and `$NAME`, `${NAME}` and `${NAME:-word}`
 * (also `-`, `:+`, `+`, `:?`, `?`) are replaced. Undefined if the result cannot be predicted: an unknown value, an
 * escape character, or any other form of substitution.
 */
export function expandWord(word: string, variables: Variables): string | undefined {
  const reader = new WordReader(word, variables);
  const result = reader.until('');
  return reader.isSure ? result : undefined;
}

class WordReader {
  isSure = true;
  private readonly word: string;
  private readonly variables: Variables;
  private at = 0;
  private depth = 0;

  constructor(word: string, variables: Variables) {
    this.word = word;
    this.variables = variables;
  }

  /** Reads up to and including the closing character, or to the end if there is none. */
  until(close: '' | '"' | '}'): string {
    if (++this.depth > MAX_DEPTH) return this.giveUp();
    let result = '';
    while (this.at < this.word.length) {
      const char = this.word.charAt(this.at++);
      if (char === close) {
        this.depth--;
        return result;
      }
      result += this.part(char, close === '"');
      if (result.length > MAX_LENGTH) return this.giveUp();
    }
    return close === '' ? result : this.giveUp();
  }

  private part(char: string, isQuoted: boolean): string {
    if (char === '$') return this.variable();
    if (char === '\\' || char === '`') return this.giveUp();
    if (char === '"' && !isQuoted) return this.until('"');
    if (char === "'" && !isQuoted) return this.literal();
    return char;
  }

  private literal(): string {
    const close = this.word.indexOf("'", this.at);
    if (close < 0) return this.giveUp();
    const text = this.word.slice(this.at, close);
    this.at = close + 1;
    return text;
  }

  private variable(): string {
    const isBraced = this.word.charAt(this.at) === '{';
    if (isBraced) this.at++;
    const name = NAME.exec(this.word.slice(this.at))?.[0];
    if (name === undefined) return this.giveUp();
    this.at += name.length;
    // Docker accepts every Unicode letter in a name.
    if (this.word.charAt(this.at) > '~') return this.giveUp();
    return isBraced ? this.braced(name) : this.valueOf(name);
  }

  private braced(name: string): string {
    let sign = this.word.charAt(this.at++);
    if (sign === '}') return this.valueOf(name);
    const isColon = sign === ':';
    if (isColon) sign = this.word.charAt(this.at++);
    if (!['-', '+', '?'].includes(sign)) return this.giveUp();
    const other = this.until('}');
    const value = this.variables(name);
    if (value === UNKNOWN) return this.giveUp();
    const isThere = value !== undefined && !(isColon && value === '');
    if (sign === '?' && !isThere) return this.giveUp();
    if (sign === '+') return isThere ? other : '';
    return isThere ? value : other;
  }

  private valueOf(name: string): string {
    const value = this.variables(name);
    return value === UNKNOWN ? this.giveUp() : (value ?? '');
  }

  private giveUp(): string {
    this.isSure = false;
    this.at = this.word.length;
    return '';
  }
}
