/**
 * What nobody sees, or what does something else than show a character: controls, marks that change the direction of text,
 * characters without a width, line and paragraph separators, halves of surrogate pairs, spaces that are not the space.
 */
const INVISIBLE = '\\p{Cc}\\p{Cf}\\p{Cs}\\p{Zl}\\p{Zp}\\p{Default_Ignorable_Code_Point}\\u2800';
const ODD_SPACE = '\\u00a0\\u1680\\u2000-\\u200a\\u202f\\u205f\\u3000';
const UNPRINTABLE = new RegExp(`[${INVISIBLE}${ODD_SPACE}]+`, 'gu');
const UNPRINTABLE_IN_LINES = new RegExp(`(?![\\n\\t])[${INVISIBLE}${ODD_SPACE}]`, 'gu');

/** Text from outside made fit for one line of a terminal: nothing unprintable, at most `limit` characters. */
export function printable(text: string, limit = 80): string {
  const line = text.slice(0, limit).replace(UNPRINTABLE, ' ').toWellFormed().trim();
  return text.length > limit ? `${line}…` : line;
}

/**
 * Text from outside as a quotation for one line of a terminal: what is unprintable is escaped, and so are quotation marks.
 * At most `limit` characters of the text are shown, and an ellipsis where there are more.
 */
export function quoted(text: string, limit = 80): string {
  const shown = text.length > limit ? `${text.slice(0, limit)}…` : text;
  return JSON.stringify(shown).replace(UNPRINTABLE, escaped);
}

/**
 * Text in which everything unprintable but line feeds and tabs is escaped as in JSON, `\u001b`: JSON stays the JSON it
 * was. The last step before a terminal, for every text, whoever wrote it.
 */
export function visible(text: string): string {
  return text.replace(UNPRINTABLE_IN_LINES, escaped);
}

/** `visible` for text that belongs on one line, such as a cell of a table. */
export function visibleInLine(text: string): string {
  return text.replace(UNPRINTABLE, escaped);
}

/** A control sequence of Signet's own. It is no text, so that no text can pass for it. */
export class ControlSequence {
  readonly sequence: string;

  constructor(sequence: string) {
    this.sequence = sequence;
  }
}

/** What is written to a terminal: text, which is made visible there, and what moves the cursor. */
export type Piece = string | ControlSequence;

function escaped(run: string): string {
  return run.replace(/./gs, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
