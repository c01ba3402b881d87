import { SignetError } from '../core/errors/index.ts';

/** A range of a text: the characters from `from` up to but not including `to`. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** Go's white space, which docker trims around lines and instructions; JavaScript's set is different. */
const SPACES = '\\t\\n\\v\\f\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const SPACE = new RegExp(`[${SPACES}]`);
const LEADING = new RegExp(`^[${SPACES}]*`);

/** Whether a character separates words in a Dockerfile. */
export function isSpace(char: string): boolean {
  return SPACE.test(char);
}

/** The number of white space characters at the start of the text. */
export function leadingSpace(text: string): number {
  return LEADING.exec(text)?.[0].length ?? 0;
}

/** Trims white space around the range in `text`. */
export function trimmed(text: string, { from, to }: Span): Span {
  let [start, end] = [from, to];
  while (start < end && isSpace(text.charAt(start))) start++;
  while (end > start && isSpace(text.charAt(end - 1))) end--;
  return { from: start, to: end };
}

/** Text of a Dockerfile for a message: quoted, in ASCII, on one line, shortened. */
export function quotedForMessage(text: string): string {
  const quoted = JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}...` : text);
  return quoted.replace(/[^ -~]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** For what docker itself refuses. `place` is `FILE:LINE`. */
export function invalid(place: string, message: string): SignetError {
  return new SignetError('dockerfile-invalid', `${place}: ${message}`, { detail: { place } });
}

/** For what docker's builders may read in more than one way, or in a way that Signet cannot predict. */
export function uncertain(place: string, message: string, next?: string): SignetError {
  const options = { detail: { place }, ...(next === undefined ? {} : { next }) };
  return new SignetError('dockerfile-uncertain', `${place}: ${message}`, options);
}
