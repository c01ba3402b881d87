import { isIP } from 'node:net';
import { networkOf } from '../../accounts/login/network.ts';
import { SignetError } from '../../core/errors/index.ts';
import type { Instant } from '../../core/time.ts';
import { admitBody } from '../../http/body.ts';
import { AuthorizationRequired, type Gate } from '../../http/gate.ts';
import { checkPath, parsePath } from '../../http/path.ts';
import { authorize, type Match, type RouteGroup } from '../../http/route.ts';
import { RouteTable } from '../../http/route-table.ts';
import { isStorageError, storageError } from '../../store/storage-error.ts';
import type { AccessRecord } from '../observe/access-log.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import { errorResponse, isExpected, type Realm } from './error-response.ts';
import { HttpExchange } from './exchange.ts';
import { countUntilTaken } from './large-answer.ts';
import { type Shares, serverBusy } from './shares.ts';

interface ApplicationOptions {
  readonly routes: readonly RouteGroup[];
  /** What the caller of a request from `address` may do. */
  gateFor(request: Request, address: string): Promise<Gate>;
  /** Every `host[:port]` that may stand in a Host header. */
  readonly authorities: ReadonlySet<string>;
  realmOf(host: string): Realm;
  /** Whether a proxy in front says where requests come from. */
  readonly behindProxy: boolean;
  readonly maxRequests: number;
  readonly shares: Shares;
  readonly metrics: Metrics;
  readonly log: Log;
  /** Undefined if there is no access log. */
  readonly logAccess: ((record: AccessRecord) => void) | undefined;
  readonly now: () => Instant;
}

/** What logs and metrics show for a client that did not wait for the end; it is never sent. */
const CLIENT_GONE = 499;

/** How long a server that stops waits for the next step of what takes several requests, in milliseconds. */
const NEXT_STEP = 2000;
/** The statuses of steps that others follow. */
const MORE_TO_COME: readonly number[] = [202, 204];

const NOTARYS_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'];
/** Answers paths that belong to no group. */
const NOWHERE: Match = {
  group: {
    name: 'none',
    access: 'open',
    body: { limit: Number.POSITIVE_INFINITY, memory: 0 },
    services: undefined,
    routes: [],
  },
  route: undefined,
  name: undefined,
  groups: [],
  methods: [],
};

/** Answers every request of the server: refuses what no route may see, calls the route, turns errors into answers. */
export class Application {
  private readonly options: ApplicationOptions;
  private readonly table: RouteTable;
  private readonly run = crypto.randomUUID().slice(0, 8);
  private count = 0;
  private isStopping = false;
  private stepsRunning = 0;
  private lastStep = Number.NEGATIVE_INFINITY;

  constructor(options: ApplicationOptions) {
    this.options = options;
    this.table = new RouteTable(options.routes);
  }

  /** From now on only what has begun is continued; all else is answered `server-stopping`. */
  beginStop(): void {
    this.isStopping = true;
  }

  /** Whether something takes several requests, of which one is running or the next one about to come. */
  get isAmidSteps(): boolean {
    return this.stepsRunning > 0 || performance.now() - this.lastStep < NEXT_STEP;
  }

  /**
   * The whole answer to one request; `peer` is the other end of its connection. Never throws. A handler is called from
   * here directly: what each request passes is read in this function from top to bottom.
   */
  async answer(request: Request, peer: string): Promise<Response> {
    const exchange = this.begin(request, peer);
    let response: Response;
    try {
      const match = this.admit(exchange);
      const { group, route } = match;
      if (group.access === 'gate') exchange.gate = await this.options.gateFor(request, exchange.address);
      exchange.stage = 'routed';
      if (route === undefined) {
        response = (await group.unmatched?.(exchange, match)) ?? notFound(request.method);
      } else {
        exchange.name = await authorize(route, group.services, exchange);
        exchange.stage = 'admitted';
        response = await route.answer(group.services, exchange);
      }
      if (exchange.share !== undefined) response = countUntilTaken(response, exchange.share, request);
    } catch (thrown) {
      response = this.refuse(thrown, exchange);
    }
    return this.finish(exchange, response);
  }

  private begin(request: Request, peer: string): HttpExchange {
    const { behindProxy, metrics } = this.options;
    metrics.begin();
    return new HttpExchange(`${this.run}-${++this.count}`, request, behindProxy ? forwardedFor(request, peer) : peer);
  }

  /** What answers the request, which has its share of the server from now on. Throws what turns it away. */
  private admit(exchange: HttpExchange): Match {
    const { metrics, maxRequests, shares } = this.options;
    const { request, url, address } = exchange;
    checkPath(url.pathname);
    const match = this.table.find(request.method, parsePath(url.pathname)) ?? NOWHERE;
    exchange.match = match;
    exchange.name = match.name ?? '';
    exchange.groups = match.groups;
    exchange.body = match.route?.body ?? match.group.body;
    const step = match.route?.step;
    if (this.isStopping && step !== 'continues') throw stopping();
    if (match.group.access !== 'probe') {
      if (metrics.running > maxRequests) throw serverBusy();
      exchange.host = this.admitHost(request);
      exchange.share = shares.enter(networkOf(address));
      if (step !== undefined) this.stepsRunning++;
    }
    admitBody(exchange);
    return match;
  }

  /** The host that the client means, in lower case. Throws `host-malformed` or `host-unknown`. */
  private admitHost({ headers }: Request): string {
    const host = headers.get('host')?.toLowerCase() ?? '';
    if (host === '') throw new SignetError('host-malformed', 'the request has no Host header');
    if (!this.options.authorities.has(host)) {
      throw new SignetError(
        'host-unknown',
        'this server has no such name; its operator can add it: signet serve --name HOST:PORT',
      );
    }
    return host;
  }

  /** The answer to a request that failed: its group's own, or else the server's. */
  private refuse(thrown: unknown, exchange: HttpExchange): Response {
    const { id, request, host, match, stage } = exchange;
    const response = stage === 'received' ? undefined : match?.group.errorResponse?.(thrown, exchange);
    if (response !== undefined) return response;
    if (request.signal.aborted && isAbort(thrown)) return new Response(null, { status: CLIENT_GONE });
    const error = storageError(thrown);
    if (!isExpected(error) || isStorageError(error)) this.report(error, exchange);
    return errorResponse(error, host === undefined ? undefined : this.options.realmOf(host), id);
  }

  private report(error: unknown, { id, request, url }: HttpExchange): void {
    if (error instanceof AuthorizationRequired) return;
    const description = error instanceof Error ? (error.stack ?? String(error)) : String(error);
    const cause = error instanceof Error && error.cause !== undefined ? String(error.cause) : undefined;
    const fields = { id, method: request.method, path: url.pathname, error: description, cause };
    this.options.log.error('a request failed', fields);
  }

  /** Gives back what the request held, and tells metrics and logs of it. */
  private finish(exchange: HttpExchange, response: Response): Response {
    const { id, request, url, match, share, stage } = exchange;
    const { headers, status } = response;
    headers.set('X-Request-Id', id);
    headers.set('X-Content-Type-Options', 'nosniff');
    if (url.pathname.startsWith('/v2/')) headers.set('Docker-Distribution-Api-Version', 'registry/2.0');
    if (share !== undefined) {
      share.leave();
      if (match?.route?.step !== undefined) this.endStep(status);
    }
    const duration = performance.now() - exchange.start;
    const declared = headers.get('content-length');
    const bytes = declared === null ? undefined : Number(declared);
    this.options.metrics.end({
      part: match?.group.name ?? 'none',
      method: request.method,
      status,
      seconds: duration / 1000,
      received: Number(request.headers.get('content-length') ?? 0),
      sent: bytes ?? 0,
    });
    const operation = match?.route?.operation;
    if (operation !== undefined && stage === 'admitted') match?.group.observe?.(operation, status, duration);
    this.logAccess(exchange, { status, bytes, duration });
    return response;
  }

  private endStep(status: number): void {
    this.stepsRunning--;
    if (MORE_TO_COME.includes(status)) this.lastStep = performance.now();
  }

  private logAccess(
    { id, request, url, address, gate }: HttpExchange,
    answer: Pick<AccessRecord, 'status' | 'bytes' | 'duration'>,
  ): void {
    const { now, logAccess } = this.options;
    if (logAccess === undefined) return;
    const { method, headers } = request;
    const [host, agent] = [headers.get('host') ?? '', headers.get('user-agent') ?? '-'];
    const at = now() - Math.round(answer.duration);
    logAccess({ id, at, address, user: gate.subject, method, url, host, agent, ...answer });
  }
}

/** The client's address as the proxy in front saw it: the last one, since those before are what the client claims. */
function forwardedFor(request: Request, peer: string): string {
  const last = request.headers.get('x-forwarded-for')?.split(',').at(-1)?.trim() ?? '';
  return isIP(last) === 0 ? peer : last;
}

function stopping(): SignetError {
  return new SignetError('server-stopping', 'the server is stopping', { detail: { retryAfter: 1 } });
}

/** What reading the body of a client that went away throws. */
function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

/** As Notary's server answers what it has no route for: unknown methods with 405 and no body (protocol B.2). Throws `route-unknown`. */
function notFound(method: string): Response {
  if (NOTARYS_METHODS.includes(method)) {
    throw new SignetError('route-unknown', 'You have requested metadata that does not exist.');
  }
  return new Response(null, { status: 405, headers: { 'Content-Length': '0' } });
}
