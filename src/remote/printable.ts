const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]+/g;

/** Text from outside made fit for one line of a terminal: no control characters, no direction marks, a bounded length. */
export function printable(text: string, limit = 512): string {
  const line = text
    .slice(0, limit * 2)
    .replace(UNPRINTABLE, ' ')
    .trim();
  return line.length > limit ? `${line.slice(0, limit)}…` : line;
}
