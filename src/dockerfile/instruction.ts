import type { LogicalLine } from './lines.ts';
import { invalid, isSpace, quotedForMessage, type Span, trimmed, uncertain } from './text.ts';

/** One `--name=value` between an instruction's keyword and its arguments. */
export interface BuilderFlag {
  readonly name: string;
  /** Without its dashes and quotes. */
  readonly value: string;
  /** Where the value is in the line, as written. */
  readonly valueAt: Span;
  /** Whether it is written without quotes. */
  readonly isPlain: boolean;
}

export interface Instruction {
  readonly line: LogicalLine;
  /** In lower case. */
  readonly keyword: string;
  /** Parsed only for instructions that may name an image. */
  readonly flags: readonly BuilderFlag[];
  /** The range of the arguments in the line. */
  readonly arguments: Span;
  /** The instruction after `ONBUILD`. */
  readonly trigger: Instruction | undefined;
}

/** A word of an instruction's arguments and its place in the line. */
export interface Word extends Span {
  readonly text: string;
}

const KEYWORDS: ReadonlySet<string> = new Set(
  'add arg cmd copy entrypoint env expose from healthcheck label maintainer onbuild run shell stopsignal user volume workdir'.split(
    ' ',
  ),
);
/** The options of instructions that have any, in all builders so far; those with `?` are switches. */
const FLAGS: ReadonlyMap<string, readonly string[]> = new Map([
  ['from', ['platform']],
  ['add', ['chown', 'chmod', 'checksum', 'exclude', 'link?', 'keep-git-dir?', 'unpack?']],
  ['copy', ['from', 'chown', 'chmod', 'exclude', 'link?', 'parents?']],
  ['run', ['mount', 'network', 'security', 'device']],
  ['onbuild', []],
]);
const NOT_IN_ONBUILD: readonly string[] = ['onbuild', 'from', 'maintainer'];
/** Separates a keyword from its arguments, and the words of `FROM`. Fewer characters than are trimmed around them. */
const SEPARATORS = '\t\v\f\r ';

/** Whether a word is the name of an instruction. */
export function isKeyword(word: string): boolean {
  return KEYWORDS.has(word.toLowerCase());
}

/**
 * Parses an instruction as docker does. Throws `dockerfile-invalid`, and `dockerfile-uncertain` for options that
 * builders read differently or that Signet does not know.
 */
export function readInstruction(line: LogicalLine): Instruction {
  return readPart(line, { from: 0, to: line.text.length }, false);
}

function readPart(line: LogicalLine, within: Span, isTrigger: boolean): Instruction {
  const { from, to } = trimmed(line.text, within);
  const [first] = wordsIn(line.text, { from, to });
  const typed = first?.text ?? '';
  const keyword = typed.toLowerCase();
  if (!isKeyword(keyword)) throw invalid(line.place, `unknown instruction: ${quotedForMessage(typed)}`);
  if (isTrigger && NOT_IN_ONBUILD.includes(keyword)) {
    throw invalid(line.place, `${keyword.toUpperCase()} isn't allowed as an ONBUILD trigger`);
  }
  const { flags, end } = readFlags(line, keyword, { from: from + typed.length, to });
  const rest = trimmed(line.text, { from: end, to });
  const trigger = keyword === 'onbuild' ? readPart(line, rest, true) : undefined;
  return { line, keyword, flags, arguments: rest, trigger };
}

/** The words in a part of a line, split as docker splits `FROM`. */
export function wordsIn(text: string, { from, to }: Span): readonly Word[] {
  const words: Word[] = [];
  for (let at = from; at < to; at++) {
    if (SEPARATORS.includes(text.charAt(at))) continue;
    const start = at;
    while (at < to && !SEPARATORS.includes(text.charAt(at))) at++;
    words.push({ text: text.slice(start, at), from: start, to: at });
  }
  return words;
}

function readFlags(line: LogicalLine, keyword: string, { from, to }: Span): { flags: BuilderFlag[]; end: number } {
  const known = FLAGS.get(keyword);
  const flags: BuilderFlag[] = [];
  let at = from;
  for (;;) {
    while (at < to && isAsciiSpace(line.text.charAt(at))) at++;
    if (known === undefined || !line.text.startsWith('--', at) || at + 2 > to) return { flags, end: at };
    const end = endOfFlag(line, { from: at, to });
    if (end === at + 2) return { flags, end };
    const flag = readFlag(line, { from: at, to: end }, known);
    if (flag !== undefined) flags.push(flag);
    at = end;
  }
}

/** Undefined for a switch. */
function readFlag(line: LogicalLine, { from, to }: Span, known: readonly string[]): BuilderFlag | undefined {
  const written = line.text.slice(from, to);
  const [, name = '', equals] = /^--([a-z][a-z-]*)(=)?/.exec(written) ?? [];
  const isSwitch = known.includes(`${name}?`);
  if (!isSwitch && !known.includes(name)) throw uncertain(line.place, `unknown option ${quotedForMessage(written)}`);
  if (isSwitch) return undefined;
  const valueAt = { from: from + 3 + name.length, to };
  const typed = line.text.slice(valueAt.from, to);
  if (equals === undefined) {
    throw uncertain(line.place, `--${name} stands without a value`, `Write it with an equals sign: --${name}=VALUE`);
  }
  const value = typed.replace(/"([^"]*)"|'([^']*)'/g, (_, double?: string, single?: string) => double ?? single ?? '');
  return { name, value, valueAt, isPlain: value === typed };
}

/** The end of the option that begins at `from`. */
function endOfFlag({ text, place }: LogicalLine, { from, to }: Span): number {
  let quote = '';
  for (let at = from; at < to; at++) {
    const char = text.charAt(at);
    // Versions differ in which character escapes here, and docker treats bytes as characters.
    if (char === '\\' || char === '`' || char > '~') {
      throw uncertain(place, `an option holds ${quotedForMessage(char)}, which builders read differently`);
    }
    if (quote === '' && isAsciiSpace(char)) return at;
    if (quote === '' && (char === '"' || char === "'")) quote = char;
    else if (char === quote) quote = '';
  }
  if (quote !== '') throw uncertain(place, 'a quotation mark in an option is not closed');
  return to;
}

function isAsciiSpace(char: string): boolean {
  return char <= '~' && isSpace(char);
}
