import { readFileSync } from 'node:fs';
import { SQL } from 'bun';
import { SignetError } from '../core/errors/index.ts';
import { printable } from '../core/printable.ts';
import { SECOND } from '../core/time.ts';
import type { DatabaseServer, Dialect } from './database-url.ts';
import { unreadable } from './files.ts';
import { SqlConnection, type SqlParameters, type Statements } from './sql-connection.ts';
import { type ConnectionFault, diagnoseConnection } from './sql-diagnosis.ts';
import {
  hasAnswered,
  isConnectionLoss,
  isLoginFailure,
  isOtherHost,
  isSerializationFailure,
  isTlsFailure,
  isUnknownDatabase,
  sqlError,
  unavailable,
} from './sql-error.ts';

/** Connection settings of a database server. Times are in seconds. */
export interface SqlOptions {
  /** The most connections. */
  readonly poolSize: number;
  /** Time limit of one statement, and of the wait for a free connection. */
  readonly statementTimeout: number;
  /** Time limit for connecting. */
  readonly connectTimeout: number;
}

export const SQL_DEFAULTS: SqlOptions = { poolSize: 10, statementTimeout: 30, connectTimeout: 10 };

/** How long a transaction waits for locks of others, and is retried, in milliseconds. The same as for SQLite. */
const BUSY_TIMEOUT = 5 * SECOND;
/** The first and the longest pause before a retry, in milliseconds. */
const RETRY_MS = 5;
const LONGEST_RETRY_MS = 200;
/**
 * Extra time for the server to report a statement's time-out, before the connection counts as lost, in milliseconds.
 */
const MARGIN = SECOND;
/** When to look at what keeps a first connection waiting, in milliseconds. */
const LOOK_AFTER = 1.5 * SECOND;

/**
 * A database on a PostgreSQL, MySQL or MariaDB server, accessed through a pool of connections that are reopened after
 * the server was away. Statements throw `database-unavailable`, `database-busy` or `disk-full`, and otherwise the
 * server's error: `isUniqueSqlViolation` detects a unique violation.
 *
 * Numbers are integers up to 2^53. MySQL's VARBINARY is read as text, its BLOBs as bytes.
 */
export class SqlDatabase implements Statements {
  readonly dialect: Dialect;
  private readonly pool: SQL;
  private readonly timeout: number;
  private readonly beginning: string;

  private constructor(pool: SQL, dialect: Dialect, timeout: number, beginning: string) {
    this.pool = pool;
    this.dialect = dialect;
    this.timeout = timeout;
    this.beginning = beginning;
  }

  /**
   * Opens a first connection to check the settings. Throws `database-unusable` if the server refuses it,
   * `database-unavailable` if there is no server, or `file-unreadable`. No message contains the password.
   */
  static async open(server: DatabaseServer, options: SqlOptions = SQL_DEFAULTS): Promise<SqlDatabase> {
    const timeout = options.statementTimeout * SECOND;
    const pool = new SQL({
      adapter: server.dialect,
      hostname: server.host,
      port: server.port,
      username: server.user,
      // A function, because Bun replaces an empty text by an environment variable.
      password: () => server.revealPassword(),
      database: server.name,
      ...(server.socket === undefined ? {} : { path: server.socket }),
      tls: tlsOptions(server),
      max: options.poolSize,
      connectionTimeout: options.connectTimeout,
      bigint: true,
      ...(server.dialect === 'postgres'
        ? {
            connection: { application_name: 'signet', statement_timeout: timeout, lock_timeout: BUSY_TIMEOUT },
            channelBinding: 'prefer',
          }
        : { foundRows: true }),
    });
    try {
      const [row] = await orOther(server, pool.unsafe('SELECT version() AS version'));
      return new SqlDatabase(pool, server.dialect, timeout, beginning(server.dialect, String(row.version), timeout));
    } catch (cause) {
      await pool.close({ timeout: 0 });
      throw await refusal(server, cause);
    }
  }

  all<Row>(sql: string, parameters?: SqlParameters): Promise<readonly Row[]> {
    return this.read((connection) => connection.all<Row>(sql, parameters));
  }

  first<Row>(sql: string, parameters?: SqlParameters): Promise<Row | undefined> {
    return this.read((connection) => connection.first<Row>(sql, parameters));
  }

  run(sql: string, parameters?: SqlParameters): Promise<number> {
    return this.reserved((connection) => connection.run(sql, parameters));
  }

  insert(sql: string, parameters?: SqlParameters): Promise<number> {
    return this.reserved((connection) => connection.insert(sql, parameters));
  }

  /**
   * Runs `work` in one transaction that sees what others have committed (READ COMMITTED): use `FOR UPDATE` or
   * `FOR SHARE` to read rows that must not change until its end. Retries for five seconds after deadlocks, so `work`
   * must expect to run more than once.
   */
  transaction<T>(work: (statements: Statements) => Promise<T>): Promise<T> {
    return this.transact(this.beginning, work);
  }

  /** Runs `work`, which may only read, on a consistent snapshot of the database. */
  snapshot<T>(work: (statements: Statements) => Promise<T>): Promise<T> {
    const begin =
      this.dialect === 'postgres'
        ? 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY'
        : 'SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY';
    return this.transact(begin, work);
  }

  /**
   * Runs `work` on one connection without a transaction, for state that belongs to a connection, such as a MySQL lock.
   */
  async reserved<T>(work: (statements: Statements) => Promise<T>): Promise<T> {
    const connection = await this.reserve();
    try {
      return await work(connection);
    } catch (error) {
      throw sqlError(error);
    } finally {
      await connection.release();
    }
  }

  /** Waits a few seconds for running statements to end, then closes all connections. */
  async close(): Promise<void> {
    await this.pool.close({ timeout: BUSY_TIMEOUT / SECOND });
  }

  private async transact<T>(begin: string, work: (statements: Statements) => Promise<T>): Promise<T> {
    const deadline = performance.now() + BUSY_TIMEOUT;
    for (let pause = RETRY_MS; ; pause = Math.min(2 * pause, LONGEST_RETRY_MS)) {
      const connection = await this.begun(begin);
      try {
        const result = await work(connection);
        await connection.commit();
        return result;
      } catch (error) {
        await connection.rollback();
        if (!isSerializationFailure(error) || performance.now() > deadline) throw sqlError(error);
      } finally {
        await connection.release();
      }
      // Random, because transactions that collided would collide again after equal pauses.
      await Bun.sleep(pause * (0.5 + Math.random()));
    }
  }

  private async begun(begin: string): Promise<SqlConnection> {
    return this.onLiveConnection(async () => {
      const connection = await this.reserve();
      try {
        await connection.begin(begin);
        return connection;
      } catch (error) {
        await connection.release();
        throw error;
      }
    });
  }

  private read<T>(work: (statements: Statements) => Promise<T>): Promise<T> {
    return this.onLiveConnection(async () => {
      const connection = await this.reserve();
      try {
        return await work(connection);
      } finally {
        await connection.release();
      }
    });
  }

  /**
   * An idle connection in the pool may have been closed. If `work` has changed nothing, retries once with another one.
   */
  private async onLiveConnection<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work().catch((error) => {
        if (isConnectionLoss(error)) return work();
        throw error;
      });
    } catch (error) {
      throw sqlError(error);
    }
  }

  private async reserve(): Promise<SqlConnection> {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), this.timeout);
    try {
      const client = await this.pool.reserve({ signal: abort.signal });
      return new SqlConnection(client, this.dialect, this.timeout + MARGIN);
    } catch (error) {
      throw abort.signal.aborted ? unavailable(error) : sqlError(error);
    } finally {
      clearTimeout(timer);
    }
  }
}

/**
 * The statements that begin a writing transaction. They also set MySQL's time-outs, as the pool has no hook for new
 * connections.
 */
function beginning(dialect: Dialect, version: string, timeout: number): string {
  if (dialect === 'postgres') return 'BEGIN ISOLATION LEVEL READ COMMITTED';
  const seconds = Math.ceil(timeout / SECOND);
  const limits = [`innodb_lock_wait_timeout = ${BUSY_TIMEOUT / SECOND}`];
  // MySQL itself can limit only SELECT, by a setting of another name.
  if (/mariadb/i.test(version)) limits.push(`max_statement_time = ${seconds}`);
  return `SET SESSION ${limits.join(', ')}; SET TRANSACTION ISOLATION LEVEL READ COMMITTED; START TRANSACTION`;
}

function tlsOptions(server: DatabaseServer) {
  if (server.tls === 'disable') return false;
  const client =
    server.certificateFile === undefined || server.keyFile === undefined
      ? {}
      : { cert: readPem(server.certificateFile), key: readPem(server.keyFile) };
  if (server.tls === 'require') return { ...client, rejectUnauthorized: false };
  return {
    ...client,
    rejectUnauthorized: true,
    ...(server.authorityFile === undefined ? {} : { ca: readPem(server.authorityFile) }),
    ...(server.tls === 'verify-ca' ? { checkServerIdentity: () => undefined } : {}),
  };
}

function readPem(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

/** What is no server of this kind keeps Bun's client waiting: one look tells. Throws `database-unusable` then. */
async function orOther<T>(server: DatabaseServer, connecting: Promise<T>): Promise<T> {
  const other = Promise.withResolvers<never>();
  const look = async () => {
    const fault = await diagnoseConnection(server).catch(() => undefined);
    if (fault?.isOther === true) other.reject(notThere(server, fault));
  };
  const timer = setTimeout(() => void look(), LOOK_AFTER);
  try {
    return await Promise.race([connecting, other.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Returns the error for a failed first connection, in the server's words if it sent any. */
async function refusal(server: DatabaseServer, cause: unknown): Promise<unknown> {
  if (cause instanceof SignetError || !(cause instanceof Error)) return cause;
  const why = printable(cause.message, 200);
  if (isConnectionLoss(cause) && !isTlsFailure(cause)) {
    const fault = hasAnswered(cause) ? undefined : await diagnoseConnection(server).catch(() => undefined);
    if (fault?.isOther === true) return notThere(server, fault, cause);
    const { why: reason = why, next } = fault ?? {};
    return unavailable(cause).reworded(
      `the database ${server} cannot be reached: ${reason}`,
      next === undefined ? {} : { next },
    );
  }
  return new SignetError('database-unusable', `cannot use the database ${server}: ${why}`, {
    cause,
    next: nextStep(server, cause),
  });
}

function notThere(server: DatabaseServer, { why, next }: ConnectionFault, cause?: unknown): SignetError {
  return new SignetError('database-unusable', `cannot use the database ${server}: ${why}`, { cause, next });
}

function nextStep({ tls }: DatabaseServer, cause: Error): string {
  if (isOtherHost(cause)) {
    return 'Write the host into the URL as its certificate names it, or let its authority do: ?sslmode=verify-ca';
  }
  if (isTlsFailure(cause)) return 'Name the PEM file of the authority that signed its certificate: ?sslrootcert=FILE';
  // All that MySQL's client reports if the server has no TLS, or if the login is not allowed without TLS.
  if (!hasAnswered(cause)) {
    return tls === 'disable'
      ? 'The server takes this login over TLS only: set up TLS there, and take sslmode=disable out of the URL.'
      : 'Set up TLS at the database server, or add ?sslmode=disable to the URL if the line to it is safe.';
  }
  if (isLoginFailure(cause)) return 'Check user and password in the URL, and from where the server lets that user in.';
  if (isUnknownDatabase(cause))
    return 'Check the name of the database in the URL, or make that database and let the user in.';
  return 'Check user, password and name of the database, and what the user may do there.';
}
