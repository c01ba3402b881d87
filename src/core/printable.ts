/**
 * Characters that are invisible or have an effect: controls, bidirectional marks, zero-width characters, line and
 * paragraph separators, lone surrogates, and spaces other than U+0020.
 */
const INVISIBLE = '\\p{Cc}\\p{Cf}\\p{Cs}\\p{Zl}\\p{Zp}\\p{Default_Ignorable_Code_Point}\\u2800';
const ODD_SPACE = '\\u00a0\\u1680\\u2000-\\u200a\\u202f\\u205f\\u3000';
const UNPRINTABLE = new RegExp(`[${INVISIBLE}${ODD_SPACE}]+`, 'gu');
const UNPRINTABLE_IN_LINES = new RegExp(`(?![\\n\\t])[${INVISIBLE}${ODD_SPACE}]`, 'gu');

/** Makes foreign text safe for one line of a terminal: no unprintable characters, at most `limit` characters. */
export function printable(text: string, limit = 80): string {
  const line = text.slice(0, limit).replace(UNPRINTABLE, ' ').toWellFormed().trim();
  return text.length > limit ? `${line}…` : line;
}

/**
 * Quotes foreign text for one line of a terminal: unprintable characters and quotation marks are escaped. Shows at most
 * `limit` characters, followed by an ellipsis if there are more.
 */
export function quoted(text: string, limit = 80): string {
  const shown = text.length > limit ? `${text.slice(0, limit)}…` : text;
  return JSON.stringify(shown).replace(UNPRINTABLE, escaped);
}

/**
 * Escapes everything unprintable except line feeds and tabs as JSON does (`\u001b`), so JSON remains the same JSON.
 * Applied last to every text written to a terminal, Signet's own included.
 */
export function visible(text: string): string {
  return text.replace(UNPRINTABLE_IN_LINES, escaped);
}

/** `visible` for text on one line, such as a table cell. */
export function visibleInLine(text: string): string {
  return text.replace(UNPRINTABLE, escaped);
}

/** A control sequence of Signet's own. It is an object rather than a string, so that no text can pass for one. */
export class ControlSequence {
  readonly sequence: string;

  constructor(sequence: string) {
    this.sequence = sequence;
  }
}

/** What is written to a terminal: text, which is escaped there, and control sequences. */
export type Piece = string | ControlSequence;

function escaped(run: string): string {
  return run.replace(/./gs, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
