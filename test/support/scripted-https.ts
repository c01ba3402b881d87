import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { Pair } from '../remote/certificates.ts';
import { atEnd } from './cleanup.ts';

/** What a script does with a request: send an HTTP response, or write anything to the connection. */
export type Scripted = Response | ((socket: TLSSocket) => void);
export type Script = (request: Request) => Scripted | Promise<Scripted>;

/** An HTTPS server on localhost that can break every rule of HTTP. */
export interface ScriptedHttps {
  /** `localhost:40123` */
  readonly host: string;
  /** `https://localhost:40123` */
  readonly origin: string;
}

const HEAD_END = '\r\n\r\n';

/**
 * Starts a server that reads one request from each connection and passes it to `script`. It stops after the tests. It
 * listens on both loopback addresses: clients look up `localhost` as ::1 first, where another process might listen on
 * the same port.
 */
export async function startScriptedHttps(pair: Pair, script: Script): Promise<ScriptedHttps> {
  const sockets = new Set<TLSSocket>();
  const onConnection = (socket: TLSSocket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    readRequest(socket, async (request) => perform(socket, request.method, await script(request)));
  };
  const newServer = () => createServer(pair, onConnection).on('tlsClientError', () => {});
  for (;;) {
    const [server, twin] = [newServer(), newServer()];
    const port = portOf(await listening(server, '127.0.0.1', 0));
    const failure = await listening(twin, '::1', port).then(
      () => undefined,
      ({ code }: NodeJS.ErrnoException) => code,
    );
    if (failure === 'EADDRINUSE') {
      server.close();
      continue;
    }
    atEnd(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
      // A machine without IPv6 has no ::1, so no one else can listen there.
      if (failure === undefined) twin.close();
    });
    return { host: `localhost:${port}`, origin: `https://localhost:${port}` };
  }
}

function listening(server: Server, host: string, port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve(server));
  });
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function readRequest(socket: TLSSocket, onRequest: (request: Request) => Promise<void>): void {
  let received = Buffer.alloc(0);
  socket.on('data', (piece: Buffer) => {
    received = Buffer.concat([received, piece]);
    const end = received.indexOf(HEAD_END);
    if (end < 0) return;
    const [line = '', ...fields] = received.toString('latin1', 0, end).split('\r\n');
    const headers = new Headers(fields.map((field) => splitAt(field, field.indexOf(':'))));
    const body = received.subarray(end + HEAD_END.length);
    if (body.length < Number(headers.get('content-length') ?? 0)) return;
    socket.removeAllListeners('data');
    const [method = '', path = ''] = line.split(' ');
    const url = `https://${headers.get('host')}${path}`;
    void onRequest(new Request(url, { method, headers, ...(body.length === 0 ? {} : { body }) }));
  });
}

async function perform(socket: TLSSocket, method: string, scripted: Scripted): Promise<void> {
  if (!(scripted instanceof Response)) return scripted(socket);
  const body = Buffer.from(await scripted.arrayBuffer());
  const headers = new Headers(scripted.headers);
  if (!headers.has('content-length')) headers.set('content-length', String(body.length));
  headers.set('connection', 'close');
  const fields = [...headers].map(([name, value]) => `${name}: ${value}`);
  const head = [`HTTP/1.1 ${scripted.status} -`, ...fields].join('\r\n');
  socket.end(Buffer.concat([Buffer.from(head + HEAD_END, 'latin1'), method === 'HEAD' ? Buffer.alloc(0) : body]));
}

function splitAt(field: string, at: number): [string, string] {
  return [field.slice(0, at), field.slice(at + 1).trim()];
}
