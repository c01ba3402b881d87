import { join } from 'node:path';
import { atEnd } from '../support/cleanup.ts';
import { temporaryFolder } from '../support/temp.ts';

export interface SeenRequest {
  readonly method: string;
  /** Without the version: `/images/alpine/json`. */
  readonly path: string;
  readonly version: string;
  readonly query: URLSearchParams;
  readonly headers: Headers;
  readonly body: string;
}

export interface FakeEngineOptions {
  /** What the engine says it speaks; null to say nothing. */
  readonly apiVersion?: string | null;
  /** The builder that it asks docker to use: 1 is the classic one, 2 BuildKit. */
  readonly builder?: string;
  /** The answers; what is undefined is not found. */
  readonly answer: (request: SeenRequest) => Response | undefined | Promise<Response | undefined>;
  /** Answers as podman does. */
  readonly isPodman?: boolean;
  /** Listens on TCP, with TLS where certificates are given, instead of a unix socket. */
  readonly tcp?: { readonly cert?: string; readonly key?: string; readonly ca?: string };
}

export interface FakeEngine {
  readonly host: string;
  readonly socketPath: string;
  readonly requests: readonly SeenRequest[];
}

/** An engine that answers as a test tells it to. It ends with the tests of this process. */
export function startFakeEngine({ apiVersion = '1.41', ...options }: FakeEngineOptions): FakeEngine {
  const { answer, tcp } = options;
  const requests: SeenRequest[] = [];
  const socketPath = join(temporaryFolder(), 'engine.sock');
  const tls = tcp?.cert === undefined ? {} : { tls: { cert: tcp.cert, key: tcp.key, ca: tcp.ca, requestCert: true } };
  const server = Bun.serve({
    ...(tcp === undefined ? { unix: socketPath } : { hostname: '127.0.0.1', port: 0, ...tls }),
    fetch: async (request: Request) => {
      const url = new URL(request.url);
      const [, version = '', path = url.pathname] = /^\/v([0-9.]+)(\/.*)$/.exec(url.pathname) ?? [];
      const seen = {
        method: request.method,
        path,
        version,
        query: url.searchParams,
        headers: request.headers,
        body: await request.text(),
      };
      requests.push(seen);
      if (path === '/_ping') return ping(apiVersion, options);
      return (await answer(seen)) ?? Response.json({ message: 'No such image: it' }, { status: 404 });
    },
  });
  atEnd(() => server.stop(true));
  return { host: tcp === undefined ? `unix://${socketPath}` : `tcp://127.0.0.1:${server.port}`, socketPath, requests };
}

/** The answer of a push or pull: each record in a chunk of its own, as engines send them. */
export function stream(...records: readonly (object | string)[]): Response {
  const chunks = records.map((record) => `${typeof record === 'string' ? record : JSON.stringify(record)}\r\n`);
  return new Response(
    new ReadableStream({
      start(controller) {
        for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk));
        controller.close();
      },
    }),
    { headers: { 'Content-Type': 'application/json' } },
  );
}

function ping(apiVersion: string | null, { builder, isPodman }: FakeEngineOptions): Response {
  const version = apiVersion === null ? {} : { 'Api-Version': apiVersion };
  return new Response('OK', {
    headers: {
      ...version,
      ...(builder !== undefined && { 'Builder-Version': builder }),
      ...(isPodman && { 'Libpod-Api-Version': '4.3.1' }),
      Ostype: 'linux',
      'Docker-Experimental': 'false',
    },
  });
}
