import { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import type { BodyBound, Call } from '../../src/http/call.ts';
import { OPEN_GATE } from '../../src/http/gate.ts';
import type { RouteGroup } from '../../src/http/route.ts';
import type { ServerParts } from '../../src/serve/parts.ts';
import { readSettings } from '../../src/serve/settings/read-settings.ts';
import { type RunningServer, type ServeSettings, type StartOptions, startServer } from '../../src/serve/start.ts';
import { atEnd } from '../support/cleanup.ts';
import { temporaryFolder } from '../support/temp.ts';

/** Default settings on a free port of loopback, with a data folder that does not exist yet. */
export function testSettings(changes: Partial<ServeSettings> = {}): ServeSettings {
  const defaults = readSettings({ folder: '/' });
  return { ...defaults, listen: { host: '127.0.0.1', port: 0 }, data: join(temporaryFolder(), 'data'), ...changes };
}

/** A server that is stopped when the tests end, and what it logged. */
export interface TestServer extends RunningServer {
  readonly settings: ServeSettings;
  readonly logged: string[];
}

export async function startTestServer(
  changes: Partial<ServeSettings> = {},
  dependencies: StartOptions = {},
): Promise<TestServer> {
  const settings = testSettings(changes);
  const logged: string[] = [];
  const log = (line: string) => void logged.push(line);
  const server = await startServer(settings, { environment: {}, log, ...dependencies });
  atEnd(() => server.stop());
  return { ...server, settings, logged };
}

/** Stands for all parts: a few routes below `/test/` with one handler. Its bodies have 1024 bytes at most, if nothing is said. */
export function testParts(
  handler: (call: Call) => Promise<Response>,
  { paths = TEST_PATHS, body = TEST_BODY }: { paths?: readonly `/${string}`[]; body?: BodyBound } = {},
): () => Promise<ServerParts> {
  const answer = (_services: unknown, call: Call) => handler(call);
  const methods = ['GET', 'HEAD', 'POST'] as const;
  const routes = paths.flatMap((path) => methods.map((method) => ({ method, path, answer })));
  const group: RouteGroup = { name: 'test', access: 'gate', body, services: undefined, routes };
  return async () => ({
    routes: [group],
    gateFor: async () => OPEN_GATE,
    health: async () => new Map(),
    administrator: undefined,
    close: async () => {},
  });
}

const TEST_PATHS = ['/test/a', '/test/ok', '/test/error', '/test/slow'] as const;
const TEST_BODY: BodyBound = { limit: 1024, memory: 0 };

/** `fetch` that trusts the server's authority and nothing else. */
export function request(server: RunningServer, path: string, init: BunFetchRequestInit = {}): Promise<Response> {
  return fetch(`${server.url}${path}`, { redirect: 'manual', ...init, tls: { ca: server.caCertificate } });
}

/** A TLS connection to the server on which a test writes bytes of its own. */
export function open(server: RunningServer): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: server.port, ca: server.caCertificate, servername: 'localhost' });
    socket.once('secureConnect', () => resolve(socket));
    socket.once('error', reject);
    atEnd(() => void socket.destroy());
  });
}

/** Sends bytes as they are and returns what comes back until the server closes the connection. */
export async function exchange(server: RunningServer, bytes: string): Promise<string> {
  const socket = await open(server);
  socket.write(Buffer.from(bytes, 'latin1'));
  return received(socket);
}

/** Everything that still arrives on a connection. */
export function received(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
  });
}

/** A request without a body that asks for its connection to be closed. */
export function rawRequest(line: string, ...headers: readonly string[]): string {
  return [`${line} HTTP/1.1`, ...headers, 'Connection: close', '', ''].join('\r\n');
}

/** SHA-256 of the first certificate of a PEM text, in hexadecimal digits. */
export function fingerprintOf(pem: string): string {
  return new X509Certificate(pem).fingerprint256.replaceAll(':', '').toLowerCase();
}

/** The fingerprint of the certificate that a server on this machine shows. */
export function peerCertificate(server: { readonly port: number }, host = '127.0.0.1'): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: server.port, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().fingerprint256.replaceAll(':', '').toLowerCase());
      socket.destroy();
    });
    socket.on('error', reject);
  });
}
