import type { EscapeCharacter } from './lines.ts';
import { invalid, leadingSpace, type Span, trimmed, uncertain } from './text.ts';

/** The parser directives at the head of a Dockerfile. */
interface Directives {
  readonly escapeCharacter: EscapeCharacter;
  /** The image that parses the Dockerfile. */
  readonly syntax: { readonly place: string; readonly name: string; readonly span: Span } | undefined;
}

const PLAIN = /^\ufeff?[\t\f\r -~]*$/;
const KEY = /^#([^A-Za-z=]*)([A-Za-z][A-Za-z0-9]*)([^A-Za-z0-9=]*)=/;

/**
 * Reads the parser directives. Builders disagree on where they end (at the first unknown name, or the first comment
 * that is no directive) and on a shebang, indentation and a byte order mark, so `syntax` counts if any builder would
 * read it. Throws `dockerfile-invalid`, and `dockerfile-uncertain` for an `escape` that only some would obey.
 */
export function readDirectives(file: string, source: string): Directives {
  let escapeCharacter: EscapeCharacter = '\\';
  let syntax: Directives['syntax'];
  let at = 0;
  for (const [index, line] of source.split('\n').entries()) {
    const place = `${file}:${index + 1}`;
    const directive = parseDirective(line, index === 0);
    if (directive === undefined && !(index === 0 && isShebang(line))) break;
    if (directive?.key === 'escape') {
      if (index > 0) throw misplacedEscape(place);
      escapeCharacter = parseEscape(place, directive.value);
    }
    if (directive?.key === 'syntax') {
      if (syntax !== undefined) throw invalid(place, 'only one syntax parser directive can be used');
      if (!PLAIN.test(line)) throw uncertain(place, 'the syntax directive is not written in plain characters');
      const [name = ''] = directive.value.split(' ', 1);
      syntax = { place, name, span: { from: at + directive.valueAt, to: at + directive.valueAt + name.length } };
    }
    at += line.length + 1;
  }
  return { escapeCharacter, syntax };
}

function parseDirective(line: string, isFirst: boolean): { key: string; value: string; valueAt: number } | undefined {
  const mark = isFirst && line.startsWith('\ufeff') ? 1 : 0;
  const indent = mark + leadingSpace(line.slice(mark));
  const content = line.slice(indent);
  const [head = '', before = '', key = '', after = ''] = KEY.exec(content) ?? [];
  if (head === '' || leadingSpace(before) < before.length || leadingSpace(after) < after.length) return undefined;
  const { from, to } = trimmed(content, { from: head.length, to: content.length });
  if (from === to) return undefined;
  return { key: key.toLowerCase(), value: content.slice(from, to), valueAt: indent + from };
}

function isShebang(line: string): boolean {
  return /^\ufeff?#!/.test(line);
}

function parseEscape(place: string, value: string): EscapeCharacter {
  if (value === '\\' || value === '`') return value;
  throw invalid(place, 'invalid ESCAPE: the escape character is ` or \\');
}

function misplacedEscape(place: string): Error {
  return uncertain(
    place,
    'docker versions disagree whether this escape directive counts',
    'Put the escape directive in the first line.',
  );
}
