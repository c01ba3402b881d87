import { SignetError } from '../../core/errors/index.ts';
import type { BodyBound, Call } from '../../http/call.ts';
import { AuthorizationRequired, CATALOG } from '../../http/gate.ts';
import type { Match, Route, RouteGroup } from '../../http/route.ts';
import { isLoopbackHost } from '../settings/host-name.ts';
import type { Settings } from '../settings/settings.ts';

/** Names what does not work and how; empty if all is well. */
export type HealthCheck = () => Promise<ReadonlyMap<string, string>>;

type Answer = (call: Call) => Promise<Response>;

const NO_BODY: BodyBound = { limit: 0, memory: 0 };
const HEALTH_PATHS = ['/_signet/health', '/_notary_server/health'] as const;

/**
 * `/v2/`, where clients learn that this is a registry and where its tokens are (protocol B.2, F.5). Any valid token or
 * password will do: `docker login` tries there what it was given, and asks for no scope.
 */
export function baseRoutes(): RouteGroup {
  return group('base', 'gate', reads(['/v2/', '/v2'], answerBase));
}

/** Health (protocol B.11): 200 and `{}`, or 503 and what is wrong by name. */
export function healthRoutes(check: HealthCheck): RouteGroup {
  const answerHealth = async () => {
    const failures = await check();
    return json(failures.size === 0 ? 200 : 503, JSON.stringify(Object.fromEntries(failures)));
  };
  return group('health', 'probe', reads(HEALTH_PATHS, answerHealth));
}

/** `/metrics` in Prometheus' text format, for those that the setting `metrics` names; to others there is no such page. */
export function metricsRoutes(text: () => string, readers: Settings['metrics']): RouteGroup {
  const answerMetrics = async ({ gate, address }: Call) => {
    if (readers === 'admin') await gate.require(CATALOG);
    if (readers === 'local' && !isLoopbackHost(address.replace(/^::ffff:/i, ''))) {
      throw new SignetError('route-unknown', 'the metrics are for this machine alone');
    }
    return respond(200, text(), 'text/plain; version=0.0.4; charset=utf-8');
  };
  return group('metrics', readers === 'admin' ? 'gate' : 'probe', reads(['/metrics'], answerMetrics));
}

/** The page that a person finds at `/`. */
export function homeRoutes(): RouteGroup {
  return group(
    'home',
    'open',
    reads(['/'], async () => respond(200, HOME, 'text/plain; charset=utf-8')),
  );
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

async function answerBase({ gate }: Call): Promise<Response> {
  try {
    await gate.require();
  } catch (error) {
    throw error instanceof AuthorizationRequired ? new AuthorizationRequired([CATALOG], error.reason) : error;
  }
  return json(200, '{}');
}

function group(name: string, access: RouteGroup['access'], routes: readonly Route[]): RouteGroup {
  return { name, access, body: NO_BODY, services: undefined, routes, unmatched };
}

function reads(paths: readonly `/${string}`[], answer: Answer): readonly Route[] {
  return paths.flatMap((path) =>
    (['GET', 'HEAD'] as const).map((method) => ({
      method,
      path,
      answer: (_services: unknown, call: Call) => answer(call),
    })),
  );
}

async function unmatched(_call: Call, { methods }: Match): Promise<Response> {
  return new Response(null, { status: 405, headers: { Allow: methods.join(', '), 'Content-Length': '0' } });
}

function json(status: number, body: string): Response {
  return respond(status, body, 'application/json; charset=utf-8');
}

function respond(status: number, body: string, type: string): Response {
  const headers = { 'Content-Type': type, 'Content-Length': String(Buffer.byteLength(body)) };
  return new Response(body, { status, headers });
}
