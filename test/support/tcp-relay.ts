import { connect, createServer, type Socket } from 'node:net';
import { atEnd } from './cleanup.ts';

/** One address behind which the server changes, as behind a name in DNS. */
export interface TcpRelay {
  /** `https://localhost:40123` */
  readonly origin: string;
  /** `localhost:40123` */
  readonly host: string;
  /** How many connections there have been. */
  connections(): number;
  /** Lets new connections go to the server of that origin; those that are open go on to their end. */
  switchTo(origin: string): void;
}

/** Starts a relay of bytes on a free port of localhost, which leads nowhere yet. */
export async function startTcpRelay(): Promise<TcpRelay> {
  let port = 0;
  let connections = 0;
  const open = new Set<Socket>();
  const server = createServer((client) => {
    connections++;
    const upstream = connect(port, '127.0.0.1');
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => open.delete(socket));
      socket.pipe(other);
    }
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  atEnd(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  const address = server.address();
  const host = `localhost:${typeof address === 'object' ? address?.port : 0}`;
  return {
    origin: `https://${host}`,
    host,
    connections: () => connections,
    switchTo: (next) => {
      port = Number(new URL(next).port);
    },
  };
}
