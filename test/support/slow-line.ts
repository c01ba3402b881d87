import { connect, createServer, type Socket } from 'node:net';
import { atEnd } from './cleanup.ts';

/** A line to a port of this machine with latency. */
export interface SlowLine {
  readonly port: number;
  /** How many connections were opened since the line was made or `forget` was called. */
  readonly connections: number;
  /** The number of round trips of all connections, including opening them. */
  readonly roundTrips: number;
  forget(): void;
}

/**
 * Opens a port of 127.0.0.1 that forwards all bytes to the port returned by `target`, in order and at any rate, half of
 * `roundTrip` milliseconds later. The system accepts a connection at once, so the client's first bytes are delayed by
 * the round trip that this would take on a real line.
 */
export async function startSlowLine(target: () => number, roundTrip: number): Promise<SlowLine> {
  const count = { connections: 0, roundTrips: 0 };
  const sockets = new Set<Socket>();
  const listener = createServer((client) => {
    const opened = performance.now() + roundTrip;
    const server = connect({ host: '127.0.0.1', port: target(), noDelay: true });
    client.setNoDelay(true);
    count.connections++;
    // The first is that of TCP.
    count.roundTrips++;
    let hasSpoken = false;
    const outward = delayed(server, roundTrip / 2);
    const homeward = delayed(client, roundTrip / 2);
    pass(client, (bytes) => {
      hasSpoken ||= bytes !== undefined;
      outward(bytes, opened);
    });
    pass(server, (bytes) => {
      if (hasSpoken && bytes !== undefined) count.roundTrips++;
      hasSpoken = false;
      homeward(bytes, opened);
    });
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    }
  });
  await new Promise<void>((listening) => listener.listen(0, '127.0.0.1', listening));
  atEnd(() => {
    for (const socket of sockets) socket.destroy();
    listener.close();
  });
  const address = listener.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    get connections() {
      return count.connections;
    },
    get roundTrips() {
      return count.roundTrips;
    },
    forget: () => {
      count.connections = 0;
      count.roundTrips = 0;
    },
  };
}

/** Reports every piece that arrives, and the end as undefined. */
function pass(from: Socket, arrived: (bytes: Buffer | undefined) => void): void {
  from.on('data', arrived);
  from.once('close', () => arrived(undefined));
  from.on('error', () => from.destroy());
}

/** Forwards pieces in order, each `milliseconds` after it arrived, or after `earliest` if it arrived before. */
function delayed(to: Socket, milliseconds: number): (bytes: Buffer | undefined, earliest: number) => void {
  const waiting: { bytes: Buffer | undefined; due: number }[] = [];
  const send = () => {
    for (let next = waiting[0]; next !== undefined && next.due <= performance.now(); next = waiting[0]) {
      waiting.shift();
      if (next.bytes === undefined) to.end();
      else if (to.writable) to.write(next.bytes);
    }
    const [next] = waiting;
    if (next !== undefined) atTime(next.due, send);
  };
  return (bytes, earliest) => {
    const due = Math.max(performance.now(), earliest) + milliseconds;
    waiting.push({ bytes, due });
    if (waiting.length === 1) atTime(due, send);
  };
}

/** Timers fire up to a millisecond late, which would add up over several round trips. */
function atTime(due: number, action: () => void): void {
  const left = due - performance.now();
  if (left > 2) setTimeout(action, Math.floor(left) - 1);
  else setImmediate(action);
}
