import { SECOND } from '../../core/time.ts';

const FIRST_WAIT = 100;

/** Milliseconds until the next retry: 100, 200, 400…, each with a jitter of half to one and a half of it. */
export function backOff(repetition: number): number {
  return FIRST_WAIT * 2 ** repetition * (0.5 + Math.random());
}

/** The delay of a `Retry-After` header in milliseconds: a number of seconds or a date (RFC 9110, 10.2.3). */
export function retryAfter(headers: Headers, now = Date.now()): number | undefined {
  const text = headers.get('retry-after')?.trim() ?? '';
  if (/^\d{1,9}$/.test(text)) return Number(text) * SECOND;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
