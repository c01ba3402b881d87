import { networkOf } from '../../accounts/login/network.ts';
import { SignetError } from '../../core/errors/index.ts';
import type { Instant } from '../../core/time.ts';
import { limitBody } from '../../http/body-limit.ts';
import { AuthorizationRequired, type Gate, type Handler } from '../../http/gate.ts';
import { isStorageError, storageError } from '../../store/storage-error.ts';
import type { AccessRecord } from '../observe/access-log.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import { errorResponse, isExpected, type Realm } from './error-response.ts';
import { countUntilTaken } from './large-answer.ts';
import { checkPath } from './request-path.ts';
import { type Share, type Shares, serverBusy } from './shares.ts';

/** One part of the server and the requests that it is asked about. */
export interface ServerPart {
  /** Label of its metrics. */
  readonly name: string;
  readonly handler: Handler;
  takes(path: string): boolean;
  /** Longest body of a request, in bytes. */
  readonly bodyLimit: number;
  /** How much of a body it keeps in memory at most, in bytes: 0 where it only passes bodies on. */
  readonly memory: number;
  /** `probe`: asked by machines that know no name of this server, so the Host header is not looked at. */
  readonly access: 'gate' | 'open' | 'probe';
  /** Whether a request begins, or goes on with, what takes several: a server that stops lets that come to its end. */
  readonly step?: (path: string) => 'begins' | 'goes-on' | undefined;
}

interface ApplicationOptions {
  /** The first part that takes a path answers it. */
  readonly parts: readonly ServerPart[];
  gateFor(request: Request): Promise<Gate>;
  /** The gate of parts that decide nothing by it. */
  readonly openGate: Gate;
  /** Every `host[:port]` that may stand in a Host header. */
  readonly authorities: ReadonlySet<string>;
  realmOf(host: string): Realm;
  /** Remembers where a request came from. */
  readonly addresses: WeakMap<Request, string>;
  readonly maxRequests: number;
  readonly shares: Shares;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly logAccess: (exchange: AccessRecord) => void;
  readonly now: () => Instant;
}

/** What is found out about a request while it is answered. */
interface Progress {
  readonly id: string;
  readonly url: URL;
  readonly host: string;
  part: string;
  user: string | undefined;
  realm: Realm | undefined;
}

/** Stands for the host of a request without a usable Host header; such a request is refused, and logged. */
const NO_HOST = 'http://invalid';
/** Stands for a URL that cannot be parsed; `checkPath` refuses it. */
const NO_URL = new URL('http://invalid//');

/** What logs and metrics show for a client that did not wait for the end; nobody receives it. */
const CLIENT_GONE = 499;

/** How long a server that stops waits for the next step of what takes several requests, in milliseconds. */
const NEXT_STEP = 2000;
/** What a step is answered that others follow. */
const MORE_TO_COME: readonly number[] = [202, 204];

/** Answers every request of the server: checks what no part may see, asks the part, turns errors into answers. */
export class Application {
  private readonly options: ApplicationOptions;
  private readonly run = crypto.randomUUID().slice(0, 8);
  private count = 0;
  private isStopping = false;
  private stepsRunning = 0;
  private lastStep = Number.NEGATIVE_INFINITY;

  constructor(options: ApplicationOptions) {
    this.options = options;
  }

  /** From now on only what has begun goes on; all else is answered `server-stopping`. */
  beginStop(): void {
    this.isStopping = true;
  }

  /** Whether something takes several requests, of which one is running or the next one about to come. */
  get isAmidSteps(): boolean {
    return this.stepsRunning > 0 || performance.now() - this.lastStep < NEXT_STEP;
  }

  /** The whole answer to one request from `address`. Never throws. */
  async answer(request: Request, address: string): Promise<Response> {
    const { metrics, now, logAccess } = this.options;
    const [at, start] = [now(), performance.now()];
    const progress = this.begin(request);
    metrics.begin();
    const response = await this.respond(request, address, progress);
    const duration = performance.now() - start;
    const { method, headers } = request;
    const bytes = lengthOf(response);
    metrics.end({
      part: progress.part,
      method,
      status: response.status,
      seconds: duration / 1000,
      received: Number(headers.get('content-length') ?? 0),
      sent: bytes ?? 0,
    });
    const agent = headers.get('user-agent') ?? '-';
    logAccess({ ...progress, at, address, method, agent, status: response.status, bytes, duration });
    return response;
  }

  private begin(request: Request): Progress {
    const host = request.headers.get('host') ?? '';
    const url = URL.parse(request.url, NO_HOST) ?? NO_URL;
    return { id: `${this.run}-${++this.count}`, url, host, part: 'none', user: undefined, realm: undefined };
  }

  private async respond(request: Request, address: string, progress: Progress): Promise<Response> {
    const response = await this.dispatch(request, address, progress).catch((thrown: unknown) => {
      if (request.signal.aborted && isAbort(thrown)) return new Response(null, { status: CLIENT_GONE });
      const error = storageError(thrown);
      if (!isExpected(error) || isStorageError(error)) this.report(error, request, progress);
      return errorResponse(error, progress.realm, progress.id);
    });
    response.headers.set('X-Request-Id', progress.id);
    response.headers.set('X-Content-Type-Options', 'nosniff');
    if (progress.url.pathname.startsWith('/v2/')) {
      response.headers.set('Docker-Distribution-Api-Version', 'registry/2.0');
    }
    return response;
  }

  private async dispatch(request: Request, address: string, progress: Progress): Promise<Response> {
    const { metrics, maxRequests, parts, shares } = this.options;
    const path = progress.url.pathname;
    checkPath(path);
    const part = parts.find((candidate) => candidate.takes(path));
    progress.part = part?.name ?? 'none';
    const step = part?.step?.(path);
    if (this.isStopping && step !== 'goes-on') return stopping();
    if (part?.access === 'probe') return this.ask(part, request, address, progress);
    if (metrics.running > maxRequests) throw serverBusy();
    progress.realm = this.admitHost(progress.host);
    if (part === undefined) return notFound(request.method);
    const share = shares.enter(networkOf(address));
    if (step !== undefined) this.stepsRunning++;
    try {
      const response = await this.ask(part, request, address, progress, share);
      if (step !== undefined && MORE_TO_COME.includes(response.status)) this.lastStep = performance.now();
      return response;
    } finally {
      if (step !== undefined) this.stepsRunning--;
      share.leave();
    }
  }

  private async ask(
    part: ServerPart,
    request: Request,
    address: string,
    progress: Progress,
    share?: Share,
  ): Promise<Response> {
    const { openGate, gateFor, addresses } = this.options;
    const keep = (bytes: number) => share?.keep(Math.min(bytes, part.memory));
    const limited = limitBody(request, part.bodyLimit, part.memory === 0 ? undefined : keep);
    addresses.set(limited, address);
    const gate = part.access === 'gate' ? await gateFor(limited) : openGate;
    progress.user = gate.subject;
    const response = (await part.handler(limited, progress.url, gate)) ?? notFound(request.method);
    return share === undefined ? response : countUntilTaken(response, share, request);
  }

  /** The realm for challenges, under the name that the client used. Throws `host-malformed` or `host-unknown`. */
  private admitHost(header: string): Realm {
    if (header === '') throw new SignetError('host-malformed', 'the request has no Host header');
    const host = header.toLowerCase();
    if (!this.options.authorities.has(host)) {
      throw new SignetError(
        'host-unknown',
        'this server has no such name; its operator can add it: signet serve --name HOST:PORT',
      );
    }
    return this.options.realmOf(host);
  }

  private report(error: unknown, { method }: Request, { id, url }: Progress): void {
    if (error instanceof AuthorizationRequired) return;
    const description = error instanceof Error ? (error.stack ?? String(error)) : String(error);
    const cause = error instanceof Error && error.cause !== undefined ? String(error.cause) : undefined;
    this.options.log.error('a request failed', { id, method, path: url.pathname, error: description, cause });
  }
}

function stopping(): Response {
  const error = new SignetError('server-stopping', 'the server is stopping', { detail: { retryAfter: 1 } });
  const response = errorResponse(error, undefined, '');
  response.headers.set('Connection', 'close');
  return response;
}

/** What reading the body of a client that went away throws. */
function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

/** Length of the body, where the part has said it. */
function lengthOf(response: Response): number | undefined {
  const declared = response.headers.get('content-length');
  return declared === null ? undefined : Number(declared);
}

/** As Notary's server answers what it has no route for: unknown methods with 405 and no body (protocol B.2). Throws `route-unknown`. */
function notFound(method: string): Response {
  if (['GET', 'HEAD', 'POST', 'PUT', 'DELETE'].includes(method)) {
    throw new SignetError('route-unknown', 'You have requested metadata that does not exist.');
  }
  return new Response(null, { status: 405, headers: { 'Content-Length': '0' } });
}
