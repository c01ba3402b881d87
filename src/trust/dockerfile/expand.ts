/** The variables that docker knows while it reads `FROM`; the value is undefined where only the engine can tell it. */
export type Variables = ReadonlyMap<string, string | undefined>;

const NAME = /^[A-Za-z_][A-Za-z0-9_]*/;
const MAX_DEPTH = 16;

/**
 * A word of `FROM` or `ARG` as docker reads it: quotes taken away, `$NAME`, `${NAME}` and `${NAME:-word}` (also `-`,
 * `:+`, `+`, `:?`, `?`) replaced. Undefined where that cannot be foreseen: an unknown value, an escape character, any
 * other form of substitution.
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

  /** Reads up to and with the closing character; up to the end for none. */
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
    return isBraced ? this.braced(name) : this.valueOf(name);
  }

  private braced(name: string): string {
    let sign = this.word.charAt(this.at++);
    if (sign === '}') return this.valueOf(name);
    const isColon = sign === ':';
    if (isColon) sign = this.word.charAt(this.at++);
    if (!['-', '+', '?'].includes(sign)) return this.giveUp();
    const other = this.until('}');
    const value = this.valueOf(name);
    const isThere = this.variables.has(name) && !(isColon && value === '');
    if (sign === '?' && !isThere) return this.giveUp();
    if (sign === '+') return isThere ? other : '';
    return isThere ? value : other;
  }

  private valueOf(name: string): string {
    const value = this.variables.get(name);
    if (value === undefined && this.variables.has(name)) return this.giveUp();
    return value ?? '';
  }

  private giveUp(): string {
    this.isSure = false;
    this.at = this.word.length;
    return '';
  }
}
