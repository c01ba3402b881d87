/** Control characters, line breaks, and marks that change the direction of text. */
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]+/g;

/** Text from outside made fit for one line of a terminal: nothing unprintable, at most `limit` characters. */
export function printable(text: string, limit = 80): string {
  const line = text.slice(0, limit).replace(UNPRINTABLE, ' ').toWellFormed().trim();
  return text.length > limit ? `${line}…` : line;
}
