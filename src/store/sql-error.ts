import { SignetError } from '../core/errors/index.ts';
import { printable } from '../core/printable.ts';
import { RETRY_AFTER } from './storage-error.ts';

/**
 * The details of an error from Bun and the server: Bun's code, and the server's SQLSTATE (PostgreSQL) or number
 * (MySQL).
 */
interface DriverError extends Error {
  readonly code: string;
  readonly errno?: string | number | undefined;
}

type Kind = 'unique' | 'retry' | 'busy' | 'lost' | 'full' | 'denied' | 'used-up' | 'too-large';

/** By PostgreSQL's SQLSTATE, or by MySQL's error number. */
const KINDS: readonly (readonly [errno: RegExp, kind: Kind])[] = [
  [/^(?:23505|1062|1586)$/, 'unique'],
  // Serialisation failures and deadlocks: running the same transaction again may succeed.
  [/^(?:40001|40P01|1213)$/, 'retry'],
  // Time-outs of locks and statements.
  [/^(?:55P03|57014|1205|1969|3024)$/, 'busy'],
  // No connection, shutting down, starting up, too many connections, and a read-only server, as after a failover.
  [/^(?:08...|57P0[1-5]|53[03]00|25006|1040|1053|1203|1226|1290|1792|1836|1927|2006|2013|4031)$/, 'lost'],
  [/^(?:53100|1021|1114)$/, 'full'],
  // A statement larger than MySQL is configured to accept (max_allowed_packet).
  [/^1153$/, 'too-large'],
  // Missing rights of the database's user.
  [/^(?:42501|1044|1142|1143|1227|1370)$/, 'denied'],
  // A number, generated or not, that does not fit its column.
  [/^(?:2200H|22003|167|1264|1467)$/, 'used-up'],
];
const LOST = /^ERR_(?:POSTGRES|MYSQL)_(?:CONNECTION_|LIFETIME_TIMEOUT|IDLE_TIMEOUT)/;
const CERTIFICATE = /^(?:ERR_TLS_|CERT_|ERR_SSL_|(?:\w+_)?(?:SELF_SIGNED|UNABLE_TO)_)/;

/** Whether a statement failed because a row with the same unique values exists. */
export function isUniqueSqlViolation(error: unknown): boolean {
  return kindOf(error) === 'unique';
}

/** Whether running the same transaction again may succeed. */
export function isSerializationFailure(error: unknown): boolean {
  return kindOf(error) === 'retry';
}

/** Whether the connection was lost, or could not be opened. */
export function isConnectionLoss(error: unknown): boolean {
  return kindOf(error) === 'lost';
}

/**
 * Converts an error of a database server into a SignetError: `database-unavailable`, `database-busy`, `disk-full`,
 * `too-large`, `database-rights-missing` or `database-ids-used-up`. Returns any other error unchanged, so that bugs of
 * Signet stay visible.
 */
export function sqlError(error: unknown): unknown {
  const options = { cause: error, detail: { retryAfter: RETRY_AFTER } };
  switch (kindOf(error)) {
    case 'lost':
      return unavailable(error);
    case 'busy':
    case 'retry':
      return new SignetError('database-busy', 'the database is busy, try again soon', options);
    case 'full':
      return new SignetError('disk-full', 'the disk of the database server is full', {
        ...options,
        next: 'Free some space on the disk of the database server, then try again.',
      });
    case 'too-large':
      return new SignetError('too-large', 'this is larger than the database takes in one statement', {
        cause: error,
        next: 'Raise max_allowed_packet of the database server above the size of the largest file, then try again.',
      });
    case 'denied':
      return new SignetError('database-rights-missing', `the database refuses: ${wordsOf(error)}`, { cause: error });
    case 'used-up':
      return new SignetError('database-ids-used-up', `the database has run out of numbers: ${wordsOf(error)}`, {
        cause: error,
      });
    default:
      return error;
  }
}

/** The error for a database server that does not answer. */
export function unavailable(cause: unknown): SignetError {
  return new SignetError('database-unavailable', 'the database cannot be reached, try again soon', {
    cause,
    detail: { retryAfter: RETRY_AFTER },
  });
}

/** Whether the server's certificate was refused. */
export function isTlsFailure(error: unknown): boolean {
  return error instanceof Error && 'code' in error && CERTIFICATE.test(String(error.code));
}

/** Whether the server's certificate is for another host. */
export function isOtherHost(error: unknown): boolean {
  return error instanceof Error && 'code' in error && /^ERR_TLS_CERT_ALTNAME/.test(String(error.code));
}

/** Whether the server has refused the user or the password. */
export function isLoginFailure(error: unknown): boolean {
  return isDriverError(error) && /^(?:28...|1045|1698)$/.test(String(error.errno ?? ''));
}

/** Whether the server has no database of this name, or none for this user. */
export function isUnknownDatabase(error: unknown): boolean {
  return isDriverError(error) && /^(?:3D000|1044|1049)$/.test(String(error.errno ?? ''));
}

/** Whether the error's text comes from the server, not from Bun's client. */
export function hasAnswered(error: unknown): boolean {
  return isDriverError(error) && error.errno !== undefined;
}

function isDriverError(error: unknown): error is DriverError {
  return error instanceof Error && 'code' in error && /^ERR_(?:POSTGRES|MYSQL)_/.test(String(error.code));
}

function wordsOf(error: unknown): string {
  return printable(error instanceof Error ? error.message : String(error), 200);
}

function kindOf(error: unknown): Kind | undefined {
  if (isTlsFailure(error)) return 'lost';
  if (!isDriverError(error)) return undefined;
  const errno = String(error.errno ?? '');
  const [, kind] = KINDS.find(([pattern]) => pattern.test(errno)) ?? [];
  return kind ?? (errno === '' && LOST.test(error.code) ? 'lost' : undefined);
}
