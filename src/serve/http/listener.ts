import { SignetError } from '../../core/errors/index.ts';
import { SECOND } from '../../core/time.ts';
import { type Address, formatHostName } from '../settings/host-name.ts';
import type { ServerCertificate } from '../tls/server-certificate.ts';
import { sharePort } from './shared-port.ts';

/** Time between two looks at whether requests are still running, in milliseconds. */
const POLL = 20;
/** If a port cannot be shared, connections that came up to now are accepted in this time, in milliseconds. */
const ACCEPTING = 10;

export interface ListenOptions {
  readonly address: Address;
  /** Undefined for plain HTTP. */
  readonly certificate: ServerCertificate | undefined;
  /** In seconds. */
  readonly idleTimeout: number;
  /** Answers until `answerWith` is called. */
  answer: Answerer['answer'];
}

/** What answers requests. */
export interface Answerer {
  /** `peer` is the IP address of the other end of the connection. */
  answer(request: Request, peer: string): Promise<Response>;
}

/** One server of Bun's, with one certificate. */
interface Door {
  readonly server: Bun.Server<undefined>;
  /** Its connections end with their next answer; others are for the next door. */
  isLeaving: boolean;
}

/**
 * An open port. The transport, Bun's, sees to TLS 1.2 and later, to the size of headers, and to connections that are
 * silent or slow: what delivers less than 16 KiB of a request within the idle timeout is cut off.
 */
export class Listener {
  readonly port: number;
  private readonly options: ListenOptions;
  private answerer: Answerer;
  private certificate: ServerCertificate | undefined;
  /** Undefined while nothing is accepted. */
  private current: Door | undefined;
  /** The door of the former certificate, for the connections that came through it. */
  private former: Door | undefined;
  /** Those that accept nothing any more, whose last requests are still running. */
  private readonly closing = new Map<Door, Promise<void>>();
  private replacing = Promise.resolve();
  private isStopping = false;

  /** Throws `address-in-use` or `address-unavailable`. */
  constructor(options: ListenOptions) {
    this.options = options;
    this.answerer = options;
    this.certificate = options.certificate;
    const { host, port } = options.address;
    this.current = this.open({ host, port });
    this.port = this.current.server.port ?? port;
  }

  /**
   * Uses another certificate for new connections; none is refused or cut off. The connections that are there end with
   * their next answer, or when they are idle. If the system cannot share a port, it is
   * closed and opened again within one turn, and what has not been accepted by then is reset.
   */
  replaceCertificate(certificate: ServerCertificate): Promise<void> {
    const replaced = this.replacing.then(() => this.replace(certificate));
    this.replacing = replaced.catch(() => {});
    return replaced;
  }

  /** From now on requests are for `answerer`. */
  answerWith(answerer: Answerer): void {
    this.answerer = answerer;
  }

  /** Accepts nothing more: new connections are refused. Those on which nothing is asked are closed. */
  pause(): void {
    for (const door of [this.current, this.former]) if (door !== undefined) void this.shut(door);
    [this.current, this.former] = [undefined, undefined];
  }

  /** Accepts connections again after `pause`. Throws `address-in-use` or `address-unavailable`. */
  resume(): void {
    if (!this.isStopping) this.current ??= this.open(this.address);
  }

  /**
   * Goes on while `isWorking` says so, then accepts nothing more and waits for running requests, at most `grace` seconds
   * for both; then every connection is closed. Bun itself would also wait for connections without a request.
   */
  async stop(grace: number, isWorking: () => boolean = () => false): Promise<void> {
    const deadline = performance.now() + grace * SECOND;
    while (isWorking() && performance.now() < deadline) await Bun.sleep(POLL);
    this.isStopping = true;
    for (const door of [this.current, this.former]) if (door !== undefined) this.close(door);
    const doors = [...this.closing.keys()];
    while (doors.some(isBusy) && performance.now() < deadline) await Bun.sleep(POLL);
    for (const { server } of doors) void server.stop(true);
    await Promise.all(this.closing.values());
  }

  private get address(): Address {
    return { host: this.options.address.host, port: this.port };
  }

  private async replace(certificate: ServerCertificate): Promise<void> {
    this.certificate = certificate;
    // There are two on a port at most: the program that chooses between them knows no more.
    if (this.former !== undefined) this.close(this.former);
    this.former = undefined;
    const shared = await sharePort(this.port);
    if (shared === undefined) await Bun.sleep(ACCEPTING);
    const { current } = this;
    if (current === undefined || this.isStopping) return;
    if (shared === undefined) {
      this.close(current);
      this.current = this.open(this.address);
      return;
    }
    this.current = this.open(this.address, true);
    shared.chooseSecond();
    current.isLeaving = true;
    this.former = current;
    this.closeLater(current);
  }

  /** By then the idle timeout has closed idle connections. */
  private closeLater(door: Door): void {
    const timer = setTimeout(
      () => {
        if (this.former !== door) return;
        this.former = undefined;
        this.close(door);
      },
      2 * this.options.idleTimeout * SECOND,
    );
    timer.unref();
  }

  /** Accepts nothing more. Requests in progress end on the connections that they came on. */
  private close(door: Door): void {
    door.isLeaving = true;
    this.closing.set(
      door,
      door.server.stop().finally(() => this.closing.delete(door)),
    );
  }

  /** Closes, and once no request is running, all connections as well. */
  private async shut(door: Door): Promise<void> {
    this.close(door);
    while (isBusy(door)) await Bun.sleep(POLL);
    void door.server.stop(true);
  }

  private open({ host, port }: Address, isShared = false): Door {
    const { idleTimeout } = this.options;
    const { certificate } = this;
    try {
      const server = Bun.serve({
        hostname: host,
        port,
        idleTimeout,
        // Each route limits its bodies; the registry takes images of any size.
        maxRequestBodySize: Number.MAX_SAFE_INTEGER,
        development: false,
        // Said, because `development: false` turns it on: another server on the port would go unnoticed.
        reusePort: isShared,
        ...(certificate === undefined ? {} : { tls: { cert: certificate.chain, key: certificate.key } }),
        fetch: async (request, connection) => {
          const response = await this.answerer.answer(request, connection.requestIP(request)?.address ?? '');
          if (door.isLeaving) response.headers.set('Connection', 'close');
          return response;
        },
        error: () => new Response(null, { status: 500 }),
      });
      const door: Door = { server, isLeaving: false };
      return door;
    } catch (cause) {
      throw refused({ host, port }, cause);
    }
  }
}

function isBusy({ server }: Door): boolean {
  return server.pendingRequests > 0;
}

function refused(address: Address, cause: unknown): unknown {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  const where = formatHostName(address);
  if (code === 'EADDRINUSE') return new SignetError('address-in-use', `another process listens on ${where}`, { cause });
  const names = ['EADDRNOTAVAIL', 'EACCES', 'EAFNOSUPPORT', 'ENOTFOUND'];
  if (typeof code !== 'string' || !names.includes(code)) return cause;
  return new SignetError('address-unavailable', `cannot listen on ${where}: ${code}`, { cause });
}
