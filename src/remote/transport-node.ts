import { type AgentOptions, Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import type { Connection } from './connection.ts';
import { addressOf, goesDirect, type Roots, type WireRequest, type WireResponse } from './wire.ts';

/** Agents keep connections open between requests; one per way of connecting. */
const agents = new WeakMap<Connection, Map<string, HttpAgent>>();

/** `exchange` for Node, whose `fetch` knows neither own authorities nor client certificates. */
export function sendWithNode(request: WireRequest, connection: Connection, roots: Roots): Promise<WireResponse> {
  const target = addressOf(request.url, connection);
  const options = {
    method: request.method,
    headers: headersOf(request),
    agent: agentFor(connection, target, roots),
    signal: request.signal,
    ...(connection.address === undefined ? {} : { servername: request.url.hostname }),
  };
  return new Promise((resolve, reject) => {
    const outgoing = target.protocol === 'https:' ? requestHttps(target, options) : requestHttp(target, options);
    outgoing.once('error', reject);
    outgoing.once('response', (incoming) => resolve(responseOf(incoming)));
    outgoing.end(request.body);
  });
}

function headersOf(request: WireRequest): Record<string, string> {
  const length = request.body === undefined ? {} : { 'Content-Length': String(request.body.length) };
  return { ...Object.fromEntries(request.headers), Host: request.url.host, ...length };
}

function responseOf(incoming: IncomingMessage): WireResponse {
  const headers = new Headers();
  for (let index = 0; index + 1 < incoming.rawHeaders.length; index += 2) {
    headers.append(incoming.rawHeaders[index] ?? '', incoming.rawHeaders[index + 1] ?? '');
  }
  return { status: incoming.statusCode ?? 0, headers, body: incoming };
}

function agentFor(connection: Connection, target: URL, roots: Roots): HttpAgent {
  const known = agents.get(connection) ?? new Map<string, HttpAgent>();
  agents.set(connection, known);
  const direct = goesDirect(target);
  const kind = `${target.protocol} ${direct} ${roots?.length}`;
  const agent = known.get(kind) ?? makeAgent(connection, target, roots, direct);
  known.set(kind, agent);
  return agent;
}

function makeAgent(connection: Connection, target: URL, roots: Roots, direct: boolean): HttpAgent {
  // Node before 22.21 does not know `proxyEnv` and connects directly.
  const options: AgentOptions = { keepAlive: true, ...(direct ? {} : { proxyEnv: process.env }) };
  if (target.protocol !== 'https:') return new HttpAgent(options);
  return new HttpsAgent({
    ...options,
    rejectUnauthorized: connection.verify,
    ...(roots === undefined ? {} : { ca: [...roots] }),
    cert: connection.identities.map(({ certificate }) => certificate),
    key: connection.identities.map(({ key }) => key),
  });
}
