import type { Connection } from './connection.ts';
import { Line, type LineEvents } from './line.ts';
import { proxyFor } from './proxy.ts';
import { addressOf, hostOf, type Roots, tlsFiles, type WireRequest, type WireResponse } from './wire.ts';

/** The part of Bun that is used. Node has no counterpart that loads in less time than it would save. */
interface Sockets {
  connect(options: {
    readonly hostname: string;
    readonly port: number;
    readonly tls?: object;
    readonly socket: LineEvents;
  }): Promise<unknown>;
}

const lines = new WeakMap<Connection, Map<string, Line>>();
/** Connections to servers, or something in between, that do not support pipelining. */
const oneByOne = new WeakSet<Connection>();
const METHODS: readonly string[] = ['GET', 'POST'];

/**
 * Sends a request on the line to its origin, which is opened for the first request. Undefined if no line is available,
 * or not at the moment: outside of Bun, through a proxy, for other methods, or while a response must be awaited.
 */
export function sendOnLine(
  request: WireRequest,
  connection: Connection,
  roots: Roots,
): Promise<WireResponse> | undefined {
  const { Bun: sockets } = globalThis as { readonly Bun?: Sockets };
  const target = addressOf(request.url, connection);
  if (sockets === undefined || !METHODS.includes(request.method) || proxyFor(target) !== undefined) return undefined;
  const known = lines.get(connection) ?? new Map<string, Line>();
  lines.set(connection, known);
  const former = known.get(request.url.origin);
  if (former?.brokeWhilePipelining === true) oneByOne.add(connection);
  if (oneByOne.has(connection)) return undefined;
  const line = former?.isOpen === true ? former : open(sockets, request.url, target, connection, roots);
  known.set(request.url.origin, line);
  return line.takes(request.method) ? line.send(request) : undefined;
}

function open(sockets: Sockets, url: URL, target: URL, connection: Connection, roots: Roots): Line {
  const isSecure = target.protocol === 'https:';
  const line = new Line(isSecure);
  const tls = {
    rejectUnauthorized: connection.verify,
    serverName: hostOf(url),
    ...tlsFiles(connection, roots),
  };
  const port = Number(target.port) || (isSecure ? 443 : 80);
  const connected = sockets.connect({
    hostname: hostOf(target),
    port,
    socket: line.events,
    ...(isSecure ? { tls } : {}),
  });
  connected.catch((error: unknown) => line.fail(error));
  return line;
}
