/** A header such as `form-data; name="files"; filename="targets/releases"`. */
interface ParameterizedHeader {
  /** What stands before the first semicolon, in lower case. */
  readonly value: string;
  /** By their names in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
}

const VALUE = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:\/[!#$%&'*+\-.^_`|~0-9A-Za-z]+)?/y;
const SEMICOLON = /[ \t]*;[ \t]*/y;
const NAME = /([!#$%&'*+\-.^_`|~0-9A-Za-z]+)=/y;
const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
const QUOTED = /"((?:[^"\\\u0000-\u001f\u007f]|\\[^\u0000-\u001f\u007f])*)"/y;

/**
 * Parses a value with parameters, as in Content-Type and Content-Disposition (RFC 9110, 5.6.6). Values of parameters
 * are kept as they are, slashes included. Undefined if the text is anything else, or gives a parameter twice.
 */
export function parseParameterizedHeader(text: string): ParameterizedHeader | undefined {
  const trimmed = text.trim();
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(trimmed) ?? undefined;
    at += found?.[0].length ?? 0;
    return found;
  };
  const value = take(VALUE)?.[0];
  if (value === undefined) return undefined;
  const parameters = new Map<string, string>();
  while (at < trimmed.length) {
    const name = take(SEMICOLON) && take(NAME)?.[1]?.toLowerCase();
    const content = take(QUOTED)?.[1]?.replace(/\\(.)/gu, '$1') ?? take(TOKEN)?.[0];
    if (name === undefined || content === undefined || parameters.has(name)) return undefined;
    parameters.set(name, content);
  }
  return { value: value.toLowerCase(), parameters };
}
