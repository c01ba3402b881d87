/** Control characters, line breaks, marks that change the direction of text, and others that nobody sees. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu;

/** Text from outside made fit for one line of a terminal: nothing unprintable, at most `limit` characters. */
export function printable(text: string, limit = 80): string {
  const line = text.slice(0, limit).replace(UNPRINTABLE, ' ').toWellFormed().trim();
  return text.length > limit ? `${line}…` : line;
}

/**
 * Text from outside as a quotation for one line of a terminal: what is unprintable is escaped, and so are quotation marks.
 * At most `limit` characters of the text are shown.
 */
export function quoted(text: string, limit = 80): string {
  return JSON.stringify(text.slice(0, limit)).replace(UNPRINTABLE, (run) => run.replace(/./gs, codeUnit));
}

function codeUnit(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
