import { SignetError } from '../core/errors/index.ts';

/** The kinds of database servers. MariaDB uses MySQL's protocol. */
export type Dialect = 'postgres' | 'mysql';

/**
 * How the connection to a database server is protected. `disable`: not at all. `require`: encrypted, without checking
 * the certificate. `verify-ca`: with a certificate of a trusted authority. `verify-full`: with one for this host.
 */
type TlsMode = 'disable' | 'require' | 'verify-ca' | 'verify-full';

/** A database in a local file. */
interface DatabaseFile {
  readonly kind: 'sqlite';
  readonly path: string;
}

/** The location of a database, parsed by `parseDatabaseUrl`. Its text form has no password. */
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
  /** PEM file of the trusted authorities, used instead of the system's. */
  readonly authorityFile: string | undefined;
  /** PEM files of the client certificate and key with which Signet authenticates to the server. */
  readonly certificateFile: string | undefined;
  readonly keyFile: string | undefined;
  /** A local socket, used instead of host and port: a file, or for PostgreSQL its folder. */
  readonly socket: string | undefined;
}

/** A database on a server, with the credentials for it. No way of printing it shows the password. */
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

  /**
   * Returns the password, to be used only for connecting. It is a method so that nothing that lists properties finds
   * it.
   */
  revealPassword(): string {
    return this.#password;
  }

  /** `postgres://signet@db.example.com:5432/signet`: without the password and the TLS settings. */
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

/** Formats a database's location for people, without the password. */
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
 * `postgresql` and `mariadb`). Special characters in names and passwords are percent-encoded, such as `%40`.
 * Parameters: `sslmode`, `sslrootcert`, `sslcert` and `sslkey`, with the meaning they have for PostgreSQL's own
 * programs, and `socket`.
 *
 * Without `sslmode` the connection is in plain text to a server on this machine, and as with `verify-full` to any other
 * one. Throws `database-url-invalid`, which quotes nothing of the text because it contains a password.
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
  // `allow` and `prefer` let an attacker on the network choose plain text.
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

/** Decodes percent-encoding only: a plus is a plus. */
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
