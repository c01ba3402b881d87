import { SECOND } from '../../core/time.ts';

const FIRST_WAIT = 100;

/** Milliseconds to wait before the next repetition: 100, 200, 400…, each anywhere between half and one and a half of it. */
export function backOff(repetition: number): number {
  return FIRST_WAIT * 2 ** repetition * (0.5 + Math.random());
}

/** What a `Retry-After` header asks for, in milliseconds: a number of seconds or a date (RFC 9110, 10.2.3). */
export function retryAfter(headers: Headers, now = Date.now()): number | undefined {
  const text = headers.get('retry-after')?.trim() ?? '';
  if (/^\d{1,9}$/.test(text)) return Number(text) * SECOND;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
