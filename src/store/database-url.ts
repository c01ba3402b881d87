import { SignetError } from '../core/errors/index.ts';

/** The databases that are servers. MariaDB is spoken to as MySQL is. */
export type Dialect = 'postgres' | 'mysql';

/**
 * How the connection to a database server is protected. `disable`: not at all. `require`: encrypted, without checking the certificate.
 * `verify-ca`: by a certificate of a known authority. `verify-full`: by one for this host.
 */
type TlsMode = 'disable' | 'require' | 'verify-ca' | 'verify-full';

/** A database in a file of this machine. */
interface DatabaseFile {
  readonly kind: 'sqlite';
  readonly path: string;
}

/** Where a database is, as `parseDatabaseUrl` reads it. Printed as text it has no password. */
export type DatabaseUrl = DatabaseFile | DatabaseServer;

interface ServerFields {
  readonly dialect: Dialect;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** The name of the database. */
  readonly name: string;
  readonly tls: TlsMode;
  /** PEM file of the authorities to believe, in the place of the system's. */
  readonly authorityFile: string | undefined;
  /** PEM files that show the server who Signet is. */
  readonly certificateFile: string | undefined;
  readonly keyFile: string | undefined;
  /** A socket of this machine in the place of host and port: a file, or for PostgreSQL its folder. */
  readonly socket: string | undefined;
}

/** A database of a server, and how to get in. However it is printed, the password does not show. */
export class DatabaseServer {
  readonly kind = 'server';
  readonly dialect: Dialect;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly name: string;
  readonly tls: TlsMode;
  readonly authorityFile: string | undefined;
  readonly certificateFile: string | undefined;
  readonly keyFile: string | undefined;
  readonly socket: string | undefined;
  readonly #password: string;

  constructor({ password, ...fields }: ServerFields) {
    this.dialect = fields.dialect;
    this.host = fields.host;
    this.port = fields.port;
    this.user = fields.user;
    this.name = fields.name;
    this.tls = fields.tls;
    this.authorityFile = fields.authorityFile;
    this.certificateFile = fields.certificateFile;
    this.keyFile = fields.keyFile;
    this.socket = fields.socket;
    this.#password = password;
  }

  /** For the connection alone. A method, so that nothing that lists properties finds it. */
  revealPassword(): string {
    return this.#password;
  }

  /** `postgres://signet@db.example.com:5432/signet`: everything but the password and how the connection is protected. */
  toString(): string {
    const [user, name] = [this.user, this.name].map(encodeURIComponent);
    const host = this.host.includes(':') ? `[${this.host}]` : this.host;
    return `${this.dialect}://${user}@${this.socket === undefined ? `${host}:${this.port}` : 'localhost'}/${name}`;
  }

  toJSON(): string {
    return this.toString();
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

/** Where a database is, as people may read it: without a password. */
export function formatDatabaseUrl(url: DatabaseUrl): string {
  return url.kind === 'sqlite' ? `sqlite:${url.path}` : url.toString();
}

const SCHEMES: ReadonlyMap<string, Dialect> = new Map([
  ['postgres', 'postgres'],
  ['postgresql', 'postgres'],
  ['mysql', 'mysql'],
  ['mariadb', 'mysql'],
]);
const PORTS: Readonly<Record<Dialect, number>> = { postgres: 5432, mysql: 3306 };
const TLS_MODES: ReadonlySet<string> = new Set<TlsMode>(['disable', 'require', 'verify-ca', 'verify-full']);
const PARAMETERS = ['sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'socket'] as const;

const SERVER_URL =
  /^([a-z]+):\/\/(?:([^:@/?#]*)(?::([^@/?#]*))?@)?(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)?(?::([0-9]{1,5}))?\/([^/?#]*)(?:\?([^?#]*))?$/;
const SQLITE_URL = /^sqlite:(?!\/\/)(.+)$/s;
const CONTROL = /\p{Cc}/u;
const LOOPBACK = /^(?:localhost|127\.[0-9.]+|::1)$/;
const MAX_LENGTH = 4096;

/**
 * Parses `sqlite:PATH`, `postgres://USER:PASSWORD@HOST[:PORT]/NAME[?PARAMETERS]` or the same with `mysql` (also
 * `postgresql` and `mariadb`). What has a meaning in a URL is written as `%40` in names and passwords. Parameters:
 * `sslmode`, `sslrootcert`, `sslcert`, `sslkey` as PostgreSQL's own programs take them, and `socket`.
 *
 * Without `sslmode` a server on this machine is spoken to in plain text and every other one as by `verify-full`.
 * Throws `database-url-invalid`, which quotes nothing of the text: there is a password in it.
 */
export function parseDatabaseUrl(text: string): DatabaseUrl {
  if (text.length > MAX_LENGTH || CONTROL.test(text)) throw invalid('it is too long or has control characters in it');
  const path = SQLITE_URL.exec(text)?.[1];
  if (path !== undefined) return { kind: 'sqlite', path };
  const [, scheme, user, password, host, port, name, query] = SERVER_URL.exec(text) ?? [];
  if (scheme === undefined) throw invalid('it is none of sqlite:PATH, postgres://… and mysql://…, or not well formed');
  const dialect = SCHEMES.get(scheme);
  if (dialect === undefined) throw invalid('Signet knows sqlite:, postgres:// and mysql://');
  const parameters = parseParameters(query);
  const socket = parameters.get('socket');
  if (host === undefined && socket === undefined) throw invalid('it names no host');
  if (socket !== undefined && !socket.startsWith('/')) throw invalid('socket is not an absolute path');
  const server = {
    dialect,
    host: host?.replace(/^\[|\]$/g, '') ?? 'localhost',
    port: port === undefined ? PORTS[dialect] : Number(port),
    user: decoded(user ?? '', 'the user'),
    password: decoded(password ?? '', 'the password'),
    name: decoded(name ?? '', 'the name of the database'),
    socket,
    authorityFile: parameters.get('sslrootcert'),
    certificateFile: parameters.get('sslcert'),
    keyFile: parameters.get('sslkey'),
  };
  if (server.user === '') throw invalid('it names no user');
  if (server.name === '') throw invalid('it names no database');
  if (server.port === 0 || server.port > 65_535) throw invalid('its port is none');
  if ((server.certificateFile === undefined) !== (server.keyFile === undefined)) {
    throw invalid('sslcert and sslkey belong together');
  }
  const isLocal = socket !== undefined || LOOPBACK.test(server.host);
  return new DatabaseServer({ ...server, tls: tlsMode(parameters, isLocal) });
}

function tlsMode(parameters: ReadonlyMap<string, string>, isLocal: boolean): TlsMode {
  const mode = parameters.get('sslmode');
  const files = ['sslrootcert', 'sslcert'].some((name) => parameters.has(name));
  if (mode === undefined) return isLocal && !files ? 'disable' : 'verify-full';
  // `allow` and `prefer` let an attacker in between choose plain text.
  if (!TLS_MODES.has(mode)) throw invalid(`sslmode is one of ${[...TLS_MODES].join(', ')}`);
  if (mode === 'disable' && files) throw invalid('sslmode=disable has no use for certificates');
  if (mode === 'require' && parameters.has('sslrootcert')) throw invalid('sslrootcert needs sslmode=verify-full');
  return mode as TlsMode;
}

function parseParameters(query: string | undefined): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (const pair of query?.split('&') ?? []) {
    const [, name = '', value = ''] = /^([a-z]+)=([^=]+)$/.exec(pair) ?? [];
    if (!PARAMETERS.some((known) => known === name))
      throw invalid(`its parameters are NAME=VALUE of ${PARAMETERS.join(', ')}`);
    if (parameters.has(name)) throw invalid(`${name} stands in it twice`);
    parameters.set(name, decoded(value, name));
  }
  return parameters;
}

/** Percent-encoding alone: a plus is a plus. */
function decoded(text: string, what: string): string {
  let plain: string;
  try {
    plain = decodeURIComponent(text);
  } catch {
    throw invalid(`${what} is not percent-encoded as it must be`);
  }
  if (CONTROL.test(plain)) throw invalid(`${what} has control characters in it`);
  return plain;
}

function invalid(why: string): SignetError {
  return new SignetError('database-url-invalid', `the database URL cannot be used: ${why}`);
}
