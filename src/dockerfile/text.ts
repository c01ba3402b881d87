import { SignetError } from '../core/errors/index.ts';

/** A part of a text: the characters `from` up to, not including, `to`. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** Go's white space, which docker trims around lines and instructions; JavaScript's own is another set. */
const SPACES = '\\t\\n\\v\\f\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const SPACE = new RegExp(`[${SPACES}]`);
const LEADING = new RegExp(`^[${SPACES}]*`);

export function isSpace(char: string): boolean {
  return SPACE.test(char);
}

/** How many characters of white space the text begins with. */
export function leadingSpace(text: string): number {
  return LEADING.exec(text)?.[0].length ?? 0;
}

/** The part of `text` between `from` and `to` without the white space around it. */
export function trimmed(text: string, { from, to }: Span): Span {
  let [start, end] = [from, to];
  while (start < end && isSpace(text.charAt(start))) start++;
  while (end > start && isSpace(text.charAt(end - 1))) end--;
  return { from: start, to: end };
}

/** Text of a Dockerfile for a message: quoted, in plain characters, on one line, not endless. */
export function quotedForMessage(text: string): string {
  const quoted = JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}...` : text);
  return quoted.replace(/[^ -~]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** For what docker itself refuses. `place` is `FILE:LINE`. */
export function invalid(place: string, message: string): SignetError {
  return new SignetError('dockerfile-invalid', `${place}: ${message}`, { detail: { place } });
}

/** For what docker's builders may read in more than one way, or in a way that Signet cannot foresee. */
export function uncertain(place: string, message: string, next?: string): SignetError {
  const options = { detail: { place }, ...(next === undefined ? {} : { next }) };
  return new SignetError('dockerfile-uncertain', `${place}: ${message}`, options);
}
