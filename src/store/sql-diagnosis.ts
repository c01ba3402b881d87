import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { DatabaseServer, Dialect } from './database-url.ts';

/** Why there is no connection to a database server, and what to do about it. */
export interface ConnectionFault {
  readonly why: string;
  readonly next: string;
  /** Whether another program answers at the address, so that waiting does not help. */
  readonly isOther: boolean;
}

/** What answers at an address. */
type Answer = Dialect | 'other' | 'nothing';

/** How long to wait for a connection, and then twice for an answer, in milliseconds. */
const CONNECT_MS = 3000;
const ANSWER_MS = 1000;
/** PostgreSQL's SSLRequest: eight bytes long, and its number. A server says S or N. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);
const NAMES: Readonly<Record<Dialect, string>> = { postgres: 'PostgreSQL', mysql: 'MySQL or MariaDB' };
const FAULTS: ReadonlyMap<string, readonly [why: string, next: string]> = new Map([
  ['ECONNREFUSED', ['connection refused', 'Start the database server, or check host and port in the URL.']],
  ['ENOTFOUND', ['the name of its host does not resolve', 'Check the host in the URL.']],
  [
    'EAI_AGAIN',
    ['the name of its host cannot be looked up now', 'Check the host in the URL, and the DNS of this machine.'],
  ],
  [
    'EHOSTUNREACH',
    ['there is no route to its host', 'Check the host in the URL, and the network and firewall between.'],
  ],
  ['ENETUNREACH', ['there is no route to its network', 'Check the host in the URL, and the network of this machine.']],
  ['ETIMEDOUT', ['its host does not answer', 'Check host and port in the URL, and the firewall between.']],
  ['ENOENT', ['there is no such socket', 'Start the database server, or check socket= in the URL.']],
  ['EACCES', ['this user may not use its socket', 'Check who may use the socket and its folder.']],
]);

/**
 * Looks at the address of a database server without logging in. Undefined if a server of the right kind answers there: then
 * the fault lies elsewhere.
 */
export async function diagnoseConnection(server: DatabaseServer): Promise<ConnectionFault | undefined> {
  let socket: Socket;
  try {
    socket = await connected(server);
  } catch (error) {
    const [why, next] = FAULTS.get(codeOf(error)) ?? [];
    return why === undefined || next === undefined ? undefined : { why, next, isOther: false };
  }
  try {
    return faultOf(server, await answerOf(socket));
  } finally {
    socket.destroy();
  }
}

function faultOf({ dialect }: DatabaseServer, answer: Answer): ConnectionFault | undefined {
  if (answer === dialect) return undefined;
  const next = 'Check host and port in the URL.';
  if (answer === 'nothing')
    return { why: 'what is there takes connections, and does not answer', next, isOther: false };
  if (answer === 'other') return { why: `what answers there is not ${NAMES[dialect]}`, next, isOther: true };
  return {
    why: `what answers there is ${NAMES[answer]}, not ${NAMES[dialect]}`,
    next: `Write ${answer}:// in the URL, or the port of ${NAMES[dialect]}.`,
    isOther: true,
  };
}

function connected({ dialect, host, port, socket: path }: DatabaseServer): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const file = path === undefined || dialect === 'mysql' ? path : join(path, `.s.PGSQL.${port}`);
  const socket = connect(file === undefined ? { host, port } : { path: file });
  socket.setTimeout(CONNECT_MS, () => socket.destroy(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })));
  socket.once('connect', () => resolve(socket));
  socket.on('error', reject);
  return promise;
}

/** MySQL speaks first. PostgreSQL waits to be spoken to, as most others do. */
async function answerOf(socket: Socket): Promise<Answer> {
  const greeting = await received(socket);
  if (greeting !== undefined) return isMysql(greeting) ? 'mysql' : 'other';
  socket.write(SSL_REQUEST);
  const answer = await received(socket);
  if (answer === undefined) return 'nothing';
  return /^[SN]$/.test(answer.toString('latin1')) ? 'postgres' : 'other';
}

/** A packet with the number 0 that begins with the version of the protocol, 10, or with an error. */
function isMysql(greeting: Buffer): boolean {
  return greeting[3] === 0 && (greeting[4] === 0x0a || greeting[4] === 0xff);
}

/** What comes first; empty if the connection ends, undefined if nothing comes in time. */
function received(socket: Socket): Promise<Buffer | undefined> {
  const { promise, resolve } = Promise.withResolvers<Buffer | undefined>();
  socket.removeAllListeners('timeout');
  socket.setTimeout(ANSWER_MS, () => resolve(undefined));
  socket.once('data', resolve);
  socket.once('close', () => resolve(Buffer.alloc(0)));
  return promise;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
