import { type Instruction, isKeyword } from './instruction.ts';
import type { Terminator } from './lines.ts';
import { isSpace, quotedForMessage, uncertain } from './text.ts';

const TAKES_HEREDOCS: readonly string[] = ['run', 'copy', 'add'];
const HEREDOC = /^\d*<<(-?)([^<]+)$/;
const PLAIN_NAME = /^(?:([A-Za-z_][A-Za-z0-9_]*)|'([A-Za-z_][A-Za-z0-9_]*)'|"([A-Za-z_][A-Za-z0-9_]*)")$/;
/** Parsed the same by all versions, and without a quote that could end early. */
const PLAIN_VARIABLE = /^\$\{[A-Za-z_][A-Za-z0-9_]*(?::?[-+][^{}'"\\$<\s]*)?\}/;
const SHORTER = 'Give the here-document a plain name that is no instruction, such as EOF, and a word of its own: <<EOF';

/**
 * The here-documents that follow an instruction. Builders from before 2021 do not support them and parse their lines as
 * instructions; if the last line is certainly not an instruction, such a builder refuses the whole file. Throws
 * `dockerfile-uncertain`.
 */
export function heredocsAfter(instruction: Instruction): readonly Terminator[] {
  const { keyword, arguments: rest, line } = instruction.trigger ?? instruction;
  if (!TAKES_HEREDOCS.includes(keyword) || !line.text.includes('<<')) return [];
  const typed = line.text.slice(rest.from, rest.to);
  if (isJsonArray(typed)) return [];
  if (/^\[\s*["\]]/.test(typed)) {
    throw uncertain(line.place, 'builders disagree whether this is a JSON array', SHORTER);
  }
  return shellWords(line.text, line.place).flatMap((word) => {
    const [, chomp, written] = HEREDOC.exec(word) ?? [];
    if (written === undefined) return [];
    const [, bare, single, double] = PLAIN_NAME.exec(written) ?? [];
    const name = bare ?? single ?? double;
    if (name === undefined || isKeyword(name)) {
      throw uncertain(
        line.place,
        `the here-document ${quotedForMessage(word)} is not read alike by every builder`,
        SHORTER,
      );
    }
    return [{ name, chomps: chomp === '-' }];
  });
}

function isJsonArray(text: string): boolean {
  try {
    return text.startsWith('[') && Array.isArray(JSON.parse(text));
  } catch {
    return false;
  }
}

/** Splits a shell command into words with their quotes, as docker does to find here-documents. */
function shellWords(text: string, place: string): readonly string[] {
  const words: string[] = [];
  let start: number | undefined;
  for (let at = 0; at <= text.length; ) {
    const char = text.charAt(at);
    if (at === text.length || isSpace(char)) {
      if (start !== undefined) words.push(text.slice(start, at));
      start = undefined;
      at++;
      continue;
    }
    start ??= at;
    at = afterPart(text, at, place);
  }
  return words;
}

/** The end of the character, escape, variable or quoted string that begins at `at`. */
function afterPart(text: string, at: number, place: string): number {
  switch (text.charAt(at)) {
    case '\\':
      return Math.min(at + 2, text.length);
    case "'":
      return afterClosing(text, text.indexOf("'", at + 1), place);
    case '"': {
      let end = at + 1;
      while (end < text.length && text.charAt(end) !== '"') end = afterQuotedPart(text, end, place);
      return afterClosing(text, end < text.length ? end : -1, place);
    }
    case '$':
      return afterVariable(text, at, place);
    case '<':
      return afterAngles(text, at, place);
    default:
      return at + 1;
  }
}

function afterQuotedPart(text: string, at: number, place: string): number {
  const char = text.charAt(at);
  return char === '\\' || char === '$' ? afterPart(text, at, place) : at + 1;
}

/** Newer versions allow white space between `<<` and a name, and take what follows as part of the same word. */
function afterAngles(text: string, at: number, place: string): number {
  let end = at;
  while (text.charAt(end) === '<') end++;
  const isPair = (end - at) % 2 === 0;
  if (!isPair || !isSpace(text.charAt(end))) return end;
  throw uncertain(place, 'what follows "<< " is a here-document to newer builders only', SHORTER);
}

function afterVariable(text: string, at: number, place: string): number {
  if (text.charAt(at + 1) !== '{') return at + 1;
  const length = PLAIN_VARIABLE.exec(text.slice(at, at + 200))?.[0].length;
  if (length !== undefined) return at + length;
  throw uncertain(place, 'a variable beside << is not read alike by every builder', SHORTER);
}

function afterClosing(text: string, closing: number, place: string): number {
  if (closing >= 0 && closing < text.length) return closing + 1;
  throw uncertain(place, 'a quotation mark beside << is not closed', SHORTER);
}
