import { SignetError } from './errors/index.ts';
import { quoted } from './printable.ts';

/** A point in time, in milliseconds since 1970-01-01T00:00:00Z. */
export type Instant = number;

export const SECOND = 1000;
export const HOUR = 3600 * SECOND;
export const DAY = 24 * HOUR;
/** Notary's year (protocol 0.3). */
export const YEAR = 365 * DAY;

/** A time at which nothing has expired: for displaying or renewing expired files, never for trusting them. */
export const UNEXPIRED: Instant = Number.NEGATIVE_INFINITY;

const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)T([01]\d|2[0-3]):(\d\d):(\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/;

/**
 * Parses an RFC 3339 time with up to nine fractional digits and any zone offset (protocol A.3). Anything below a
 * millisecond is dropped, so an expiry is never later than written. Throws `time-invalid`.
 */
export function parseTime(text: string): Instant {
  const [, year, month, day, hour, minute, second, fraction, zone] = RFC3339.exec(text) ?? [];
  const milliseconds = (fraction ?? '').padEnd(3, '0').slice(0, 3);
  const instant = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${milliseconds}${zone}`);
  const daysInMonth = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  if (zone === undefined || Number.isNaN(instant) || Number(day) > daysInMonth) {
    throw new SignetError('time-invalid', `invalid time ${quoted(text, 60)}`);
  }
  return instant;
}

/** Formats a time as Signet signs it: UTC, whole seconds, which Go prints back unchanged. */
export function formatTime(instant: Instant): string {
  return `${new Date(instant).toISOString().slice(0, 19)}Z`;
}
