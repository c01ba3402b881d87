import type { Scope } from '../../core/scope.ts';
import { AuthorizationRequired, type Handler } from '../../http/gate.ts';
import type { ServerPart } from './application.ts';

/** Names what does not work and how; empty where all is well. */
export type HealthCheck = () => Promise<ReadonlyMap<string, string>>;

const CATALOG: Scope = { type: 'registry', name: 'catalog', actions: ['*'] };
const HEALTH_PATHS = ['/_signet/health', '/_notary_server/health'];

/**
 * `/v2/`, where clients learn that this is a registry and where its tokens are (protocol B.2, F.5). Any valid token or
 * password will do: `docker login` tries there what it was given, and asks for no scope.
 */
export function baseRoute(): ServerPart {
  return {
    name: 'base',
    access: 'gate',
    bodyLimit: 0,
    memory: 0,
    takes: (path) => path === '/v2/' || path === '/v2',
    handler: readOnly(async (_request, _url, gate) => {
      try {
        await gate.require();
      } catch (error) {
        throw error instanceof AuthorizationRequired ? new AuthorizationRequired([CATALOG], error.reason) : error;
      }
      return json(200, '{}');
    }),
  };
}

/** Health (protocol B.11): 200 and `{}`, or 503 and what is wrong by name. */
export function healthRoute(check: HealthCheck): ServerPart {
  return {
    name: 'health',
    access: 'probe',
    bodyLimit: 0,
    memory: 0,
    takes: (path) => HEALTH_PATHS.includes(path),
    handler: readOnly(async () => {
      const failures = await check();
      return json(failures.size === 0 ? 200 : 503, JSON.stringify(Object.fromEntries(failures)));
    }),
  };
}

/** `/metrics` in Prometheus' text format. */
export function metricsRoute(text: () => string): ServerPart {
  return {
    name: 'metrics',
    access: 'probe',
    bodyLimit: 0,
    memory: 0,
    takes: (path) => path === '/metrics',
    handler: readOnly(async () => answer(200, text(), 'text/plain; version=0.0.4; charset=utf-8')),
  };
}

/** The page that a person finds at `/`. */
export function homeRoute(): ServerPart {
  return {
    name: 'home',
    access: 'open',
    bodyLimit: 0,
    memory: 0,
    takes: (path) => path === '/',
    handler: readOnly(async () => answer(200, HOME, 'text/plain; charset=utf-8')),
  };
}

const HOME = `Signet: a registry of images and a server of their trust data (Docker Content Trust).

Use it with docker or signet:

  signet login HOST:PORT
  signet trust sign HOST:PORT/NAME/IMAGE:TAG

Registry and trust server   /v2/
Tokens                      /auth/token
Health                      /_signet/health
Metrics                     /metrics
`;

function readOnly(handler: Handler): Handler {
  return async (request, url, gate) => {
    if (request.method === 'GET' || request.method === 'HEAD') return handler(request, url, gate);
    return new Response(null, { status: 405, headers: { Allow: 'GET, HEAD', 'Content-Length': '0' } });
  };
}

function json(status: number, body: string): Response {
  return answer(status, body, 'application/json; charset=utf-8');
}

function answer(status: number, body: string, type: string): Response {
  const headers = { 'Content-Type': type, 'Content-Length': String(Buffer.byteLength(body)) };
  return new Response(body, { status, headers });
}
