import type { Instant } from '../../core/time.ts';
import type { Dialect } from '../../store/database-url.ts';

/** How the two kinds of database write what Notary's tables need. */
export interface NotaryDialect {
  /** A condition: the column's text is that of the parameter `$name`, byte for byte. */
  same(column: string, name: string): string;
  /** A column's text as something to group by, byte for byte. */
  exact(column: string): string;
  /** An expression: the time in a column, in milliseconds since 1970. */
  readTime(column: string): string;
  /** An expression: the time in the parameter `$name`, which `timeText` made, as a column takes it. */
  writeTime(name: string): string;
}

const POSTGRES: NotaryDialect = {
  same: (column, name) => `${column} = $${name}`,
  exact: (column) => column,
  readTime: (column) => `floor(extract(epoch FROM ${column}) * 1000)::bigint`,
  writeTime: (name) => `$${name}::timestamp`,
};

/**
 * Notary's tables compare without regard to case, so its first condition is for the index and the second one counts. Times
 * are converted from what Notary's sessions see, which have the time zone of the server, to what Signet's see.
 */
const MYSQL: NotaryDialect = {
  same: (column, name) => `${column} = $${name} AND BINARY ${column} = $${name}`,
  exact: (column) => `BINARY ${column}`,
  readTime: (column) =>
    `TIMESTAMPDIFF(MICROSECOND, '1970-01-01', CONVERT_TZ(${column}, @@session.time_zone, @@global.time_zone)) DIV 1000`,
  writeTime: (name) => `CONVERT_TZ($${name}, @@global.time_zone, @@session.time_zone)`,
};

export const NOTARY_DIALECTS: Readonly<Record<Dialect, NotaryDialect>> = { postgres: POSTGRES, mysql: MYSQL };

/** A time as Notary writes it: the wall clock of UTC, without a zone. */
export function timeText(instant: Instant): string {
  return new Date(instant).toISOString().replace('T', ' ').slice(0, 23);
}
