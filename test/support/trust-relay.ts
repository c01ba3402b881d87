import { atEnd } from './cleanup.ts';
import type { SignetServer } from './signet-server.ts';

/** A man in the middle between a client and the trust server, with a certificate that the client accepts. */
export interface TrustRelay {
  readonly origin: string;
  /** From now on, sends every trust file it has seen in the version that it saw first. */
  replay(): void;
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: ArrayBuffer;
}

/** Starts a relay on localhost that forwards everything to `server` and remembers the trust files. */
export function startTrustRelay(server: SignetServer): TrustRelay {
  const seen = new Map<string, Answer>();
  let replays = false;
  const listener = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    tls: { cert: Bun.file(server.certificate), key: Bun.file(server.key) },
    fetch: async (request) => {
      const { pathname, search } = new URL(request.url);
      const old = replays ? seen.get(pathname) : undefined;
      const answer = old ?? (await forward(request, `${server.origin}${pathname}${search}`));
      if (isTrustFile(pathname) && answer.status === 200 && !seen.has(pathname)) seen.set(pathname, answer);
      return new Response(answer.body, answer);
    },
  });
  atEnd(() => listener.stop(true));
  return {
    origin: `https://localhost:${listener.port}`,
    replay: () => {
      replays = true;
    },
  };
}

function isTrustFile(path: string): boolean {
  return /\/_trust\/tuf\/.+\.json$/.test(path);
}

async function forward(request: Request, url: string): Promise<Answer> {
  const headers = new Headers(request.headers);
  headers.set('host', new URL(url).host);
  const body = request.method === 'GET' || request.method === 'HEAD' ? null : await request.arrayBuffer();
  const { method } = request;
  const response = await fetch(url, { method, headers, body, redirect: 'manual', tls: { rejectUnauthorized: false } });
  const kept = new Headers(response.headers);
  for (const name of ['content-encoding', 'content-length', 'transfer-encoding']) kept.delete(name);
  return { status: response.status, headers: kept, body: await response.arrayBuffer() };
}
