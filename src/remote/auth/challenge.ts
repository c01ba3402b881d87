import { SignetError } from '../../core/errors/index.ts';

/** One challenge of a `WWW-Authenticate` header (RFC 9110, 11.6.1). */
export interface Challenge {
  /** In lower case: `bearer`, `basic`. */
  readonly scheme: string;
  /** Values by lower-case name. */
  readonly parameters: ReadonlyMap<string, string>;
}

const MAX_HEADER = 16 * 1024;
const MAX_CHALLENGES = 8;
const MAX_PARAMETERS = 16;

const GAP = /[ \t]*/y;
const SEPARATORS = /[ \t,]*/y;
const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
const PARAMETER_NAME = /([!#$%&'*+\-.^_`|~0-9A-Za-z]+)[ \t]*=[ \t]*(?=["!#$%&'*+\-.^_`|~0-9A-Za-z])/y;
const QUOTED = /"(?:[^"\\\u0000-\u0008\u000a-\u001f\u007f]|\\[\t\u0020-\u007e])*"/y;
const TOKEN68 = /[-._~+/0-9A-Za-z]+=*(?=[ \t]*(?:,|$))/y;

/**
 * Parses the challenges of a `WWW-Authenticate` header; several headers may be joined by commas. Strict: a header that
 * does not match the grammar, is longer than 16 KiB or repeats a parameter is refused as a whole, because it decides
 * where credentials are sent. Throws `response-invalid`.
 */
export function parseChallenges(header: string): readonly Challenge[] {
  return new ChallengeParser(header).challenges();
}

class ChallengeParser {
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    if (text.length > MAX_HEADER) fail('is too long');
    this.text = text;
  }

  challenges(): readonly Challenge[] {
    const found: Challenge[] = [];
    for (this.match(SEPARATORS); this.at < this.text.length; this.match(SEPARATORS)) {
      if (found.length === MAX_CHALLENGES) fail('has too many challenges');
      found.push(this.challenge());
    }
    return found;
  }

  private challenge(): Challenge {
    const scheme = (this.match(TOKEN) ?? fail('is malformed')).toLowerCase();
    const gap = this.match(GAP);
    if (this.atEndOfItem()) return { scheme, parameters: new Map() };
    if (gap === '') fail('is malformed');
    if (this.match(TOKEN68) !== undefined) return { scheme, parameters: new Map() };
    return { scheme, parameters: this.parameters() };
  }

  private parameters(): ReadonlyMap<string, string> {
    const parameters = new Map<string, string>();
    do {
      const name = (this.match(PARAMETER_NAME, 1) ?? fail('is malformed')).toLowerCase();
      if (parameters.has(name)) fail('gives a parameter twice');
      if (parameters.size === MAX_PARAMETERS) fail('has too many parameters');
      parameters.set(name, this.value());
      this.match(GAP);
      if (!this.atEndOfItem()) fail('is malformed');
    } while (this.anotherParameterFollows());
    return parameters;
  }

  private value(): string {
    const quoted = this.match(QUOTED);
    if (quoted !== undefined) return quoted.slice(1, -1).replace(/\\(.)/g, '$1');
    return this.match(TOKEN) ?? fail('is malformed');
  }

  /** After a comma comes either the next parameter or the next challenge; only a parameter has `=` after its name. */
  private anotherParameterFollows(): boolean {
    this.match(SEPARATORS);
    PARAMETER_NAME.lastIndex = this.at;
    return PARAMETER_NAME.test(this.text);
  }

  private atEndOfItem(): boolean {
    return this.at === this.text.length || this.text[this.at] === ',';
  }

  private match(pattern: RegExp, group = 0): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found === null) return undefined;
    this.at += found[0].length;
    return found[group];
  }
}

function fail(why: string): never {
  throw new SignetError('response-invalid', `the server's WWW-Authenticate header ${why}`);
}
