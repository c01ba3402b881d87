import { isSignetError, SignetError } from '../../core/errors/index.ts';
import { LIMITS } from '../../core/limits.ts';
import { SECOND } from '../../core/time.ts';
import { type Connection, type ConnectionFor, PLAIN_CONNECTION } from '../transport/connection.ts';
import {
  isUntrustedCertificate,
  networkError,
  retriesAfter,
  stalledError,
  timeoutError,
} from '../transport/network-errors.ts';
import { exchange } from '../transport/transport.ts';
import { readCapped } from './body.ts';
import type { HttpAnswer, HttpRequest } from './http-message.ts';
import { isRedirect, redirectRequest } from './redirect.ts';
import { backOff, retryAfter } from './retry.ts';
import { Stopwatch } from './stopwatch.ts';

/** Milliseconds. */
interface Timeouts {
  /** From the start of the request to the head of the response, including the connection. */
  readonly answer: number;
  /** Between two pieces of the body. */
  readonly idle: number;
  /** For everything, including retries and redirects. */
  readonly total: number;
}

export interface HttpOptions {
  readonly userAgent: string;
  readonly connectionFor?: ConnectionFor;
  readonly timeouts?: Partial<Timeouts>;
  /** Pipelines requests of the same moment on one connection if possible (`Line`), rather than opening one for each. */
  readonly pipelined?: boolean;
  /** Waits that many milliseconds. */
  readonly sleep?: (milliseconds: number) => Promise<void>;
}

const TIMEOUTS: Timeouts = { answer: 30 * SECOND, idle: 30 * SECOND, total: 300 * SECOND };
const REPEATABLE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'PUT', 'DELETE']);
const BUSY: ReadonlySet<number> = new Set([429, 502, 503, 504]);
const MAX_REPETITIONS = 3;
const MAX_WAIT = 10 * SECOND;
/** Bytes per second of the slowest connection to support; sending a body extends the time limit accordingly. */
const SLOWEST_UPLOAD = 64 * 1024;

/**
 * The only HTTP client: every wait has a time limit, every body a cap, every origin its own TLS settings.
 *
 * Requests that may be sent twice are retried up to three times on connection faults and on 429, 502, 503 and 504;
 * others only if they cannot have arrived (`retriesAfter`). Any status is a response; errors are
 * `network-unreachable`, `network-timeout`, `tls-untrusted`, `tls-failed`, `response-invalid`, `response-too-large` and
 * `redirect-refused`, with the transport's error as cause.
 */
export class HttpClient {
  private readonly userAgent: string;
  private readonly connectionFor: ConnectionFor;
  private readonly timeouts: Timeouts;
  private readonly pipelined: boolean;
  private readonly sleep: (milliseconds: number) => Promise<void>;
  private readonly connections = new Map<string, Promise<Connection>>();

  constructor(options: HttpOptions) {
    this.userAgent = options.userAgent;
    this.connectionFor = options.connectionFor ?? (async () => PLAIN_CONNECTION);
    this.timeouts = { ...TIMEOUTS, ...options.timeouts };
    this.pipelined = options.pipelined ?? false;
    this.sleep = options.sleep ?? ((milliseconds) => new Promise((wake) => setTimeout(wake, milliseconds)));
  }

  async send(request: HttpRequest): Promise<HttpAnswer> {
    const deadline = performance.now() + this.timeouts.total;
    const redirects = request.redirects ?? 0;
    let current = request;
    for (let followed = 0; ; followed++) {
      const answer = await this.sendRepeatedly(current, deadline);
      if (redirects === 0 || !isRedirect(answer.status)) return answer;
      if (followed === redirects) {
        throw new SignetError('redirect-refused', `${request.url.origin} redirects more than ${redirects} times`);
      }
      current = redirectRequest(current, answer);
    }
  }

  private async sendRepeatedly(request: HttpRequest, deadline: number): Promise<HttpAnswer> {
    const mayTakeEffectTwice = request.mayTakeEffectTwice ?? REPEATABLE.has(request.method);
    for (let repetition = 0; ; repetition++) {
      let wait = backOff(repetition);
      try {
        const answer = await this.sendOnce(request, deadline);
        if (!mayTakeEffectTwice || repetition >= MAX_REPETITIONS || !BUSY.has(answer.status)) return answer;
        wait = retryAfter(answer.headers) ?? wait;
        if (wait > MAX_WAIT) return answer;
      } catch (error) {
        const fault = error instanceof SignetError ? error.cause : undefined;
        if (repetition >= retriesAfter(fault, mayTakeEffectTwice)) throw error;
      }
      await this.sleep(wait);
    }
  }

  private async sendOnce(request: HttpRequest, deadline: number): Promise<HttpAnswer> {
    const connection = await this.connectionTo(request.url);
    const stopwatch = new Stopwatch(deadline);
    let hasBegun = false;
    stopwatch.allow(this.timeouts.answer + ((request.body?.length ?? 0) / SLOWEST_UPLOAD) * SECOND);
    try {
      const { status, headers, body } = await exchange(
        {
          method: request.method,
          url: request.url,
          headers: this.headersOf(request),
          body: request.body,
          signal: stopwatch.signal,
          mayFollow: this.pipelined,
        },
        connection,
      );
      hasBegun = true;
      const arrived = () => stopwatch.allow(this.timeouts.idle);
      arrived();
      refuseEncoded(headers, request.url);
      const succeeded = status >= 200 && status < 300;
      const declared = request.method === 'HEAD' ? null : headers.get('content-length');
      const reading = readCapped(body, declared, succeeded ? request.limit : LIMITS.errorBody, arrived);
      return { status, headers, body: succeeded ? await reading : await orEmpty(reading), url: request.url };
    } catch (error) {
      if (stopwatch.hasRunOut) throw hasBegun ? stalledError(request.url) : timeoutError(request.url, error);
      if (error instanceof SignetError) throw error;
      if (!isUntrustedCertificate(error)) throw networkError(error, request.url);
      const { untrustedError } = await import('../transport/certificate-fault.ts');
      throw await untrustedError(error, request.url, connection);
    } finally {
      stopwatch.stop();
    }
  }

  private connectionTo(url: URL): Promise<Connection> {
    const known = this.connections.get(url.origin);
    if (known !== undefined) return known;
    const connection = this.connectionFor(url);
    this.connections.set(url.origin, connection);
    return connection;
  }

  private headersOf(request: HttpRequest): Headers {
    const headers = new Headers(request.headers);
    headers.set('User-Agent', this.userAgent);
    headers.set('Accept-Encoding', 'identity');
    return headers;
  }
}

/** A compressed body could unpack to any size, so none is accepted. */
function refuseEncoded(headers: Headers, url: URL): void {
  const encoding = headers.get('content-encoding');
  if (encoding !== null && encoding.toLowerCase() !== 'identity') {
    throw new SignetError('response-invalid', `${url.origin} answers in an encoding that was not asked for`);
  }
}

async function orEmpty(reading: Promise<Buffer>): Promise<Buffer> {
  try {
    return await reading;
  } catch (error) {
    if (isSignetError(error, 'response-too-large')) return Buffer.alloc(0);
    throw error;
  }
}
