import { createServer, type Server, type Socket } from 'node:net';
import { atEnd } from '../support/cleanup.ts';
import type { Pair } from './certificates.ts';

/** A server on loopback that ends with the tests. */
export interface TestServer {
  /** `https://localhost:1234` or `http://127.0.0.1:1234`. */
  readonly origin: string;
  readonly port: number;
  /** Every request that has arrived, in order. */
  readonly requests: Request[];
}

/** A server below HTTP, which counts its connections. */
export interface SocketServer extends TestServer {
  readonly connections: number;
}

type Answer = (request: Request, url: URL) => Response | Promise<Response>;

/** Serves over TLS as `localhost` where a certificate is given, in plain HTTP as 127.0.0.1 otherwise. */
export function serve(answer: Answer, tls?: Pair & { ca?: string; requestCert?: boolean }): TestServer {
  const requests: Request[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    idleTimeout: 0,
    ...(tls === undefined ? {} : { tls: { rejectUnauthorized: tls.requestCert === true, ...tls } }),
    fetch: async (request) => {
      const { url, method, headers } = request;
      const bytes = await request.arrayBuffer();
      const whole = () => new Request(url, { method, headers, ...(bytes.byteLength === 0 ? {} : { body: bytes }) });
      requests.push(whole());
      return answer(whole(), new URL(url));
    },
  });
  atEnd(() => server.stop(true));
  const port = server.port ?? 0;
  return { origin: tls === undefined ? `http://127.0.0.1:${port}` : `https://localhost:${port}`, port, requests };
}

/** A server that answers every request with these very bytes, then does what `after` says (default: close). */
export async function serveBytes(bytes: string, after: 'close' | 'hang' = 'close'): Promise<SocketServer> {
  return serveSocket((socket) => {
    socket.once('data', () => {
      socket.write(bytes, () => {
        if (after === 'close') socket.end();
      });
    });
  });
}

/** A server that hands each connection over. */
export async function serveSocket(onConnection: (socket: Socket) => void): Promise<SocketServer> {
  const sockets = new Set<Socket>();
  const state = { origin: '', port: 0, requests: [], connections: 0 };
  const server: Server = createServer((socket) => {
    state.connections++;
    sockets.add(socket);
    socket.on('error', () => {});
    onConnection(socket);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  atEnd(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  state.port = typeof address === 'object' && address !== null ? address.port : 0;
  state.origin = `http://127.0.0.1:${state.port}`;
  return state;
}
