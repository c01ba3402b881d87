import { SignetError } from '../core/errors/index.ts';
import { SECOND } from '../core/time.ts';
import { type Address, formatHostName } from './host-name.ts';
import type { ServerCertificate } from './server-certificate.ts';

/** Time between two looks at whether requests are still running, in milliseconds. */
const POLL = 20;

export interface ListenOptions {
  readonly address: Address;
  /** Undefined for plain HTTP. */
  readonly certificate: ServerCertificate | undefined;
  /** In seconds. */
  readonly idleTimeout: number;
  /** `peer` is the IP address of the other end of the connection. */
  answer(request: Request, peer: string): Promise<Response>;
}

/**
 * An open port. The transport, Bun's, sees to TLS 1.2 and later, to the size of headers, and to connections that are
 * silent or slow: what delivers less than 16 KiB of a request within the idle timeout is cut off.
 */
export class Listener {
  private readonly options: ListenOptions;
  private server: Bun.Server<undefined>;
  /** The server and those of former certificates whose last requests are still running. */
  private readonly servers = new Set<Bun.Server<undefined>>();
  private readonly ending = new Set<Promise<void>>();
  private isStopping = false;

  /** Throws `address-in-use` or `address-unavailable`. */
  constructor(options: ListenOptions) {
    this.options = options;
    this.server = this.open(options.address, options.certificate);
  }

  get port(): number {
    return this.server.port ?? this.options.address.port;
  }

  /**
   * Uses another certificate for new connections. The port is closed and opened again for it, within the same turn,
   * since Bun cannot change it otherwise: what the system has not handed over by then is reset. Requests in progress end
   * on the connections they came on.
   */
  async replaceCertificate(certificate: ServerCertificate): Promise<void> {
    if (this.isStopping) return;
    const { port } = this;
    this.retire(this.server);
    this.server = this.open({ host: this.options.address.host, port }, certificate);
  }

  /**
   * Accepts nothing more and waits for running requests, at most `grace` seconds; then every connection is closed. Bun
   * itself would also wait for connections on which nobody has asked for anything yet.
   */
  async stop(grace: number): Promise<void> {
    this.isStopping = true;
    const deadline = performance.now() + grace * SECOND;
    this.retire(this.server);
    while (this.isBusy && performance.now() < deadline) await Bun.sleep(POLL);
    for (const server of this.servers) void server.stop(true);
    await Promise.all(this.ending);
  }

  private get isBusy(): boolean {
    return [...this.servers].some(({ pendingRequests }) => pendingRequests > 0);
  }

  private retire(server: Bun.Server<undefined>): void {
    const ended = server.stop().finally(() => {
      this.ending.delete(ended);
      this.servers.delete(server);
    });
    this.ending.add(ended);
  }

  private open({ host, port }: Address, certificate: ServerCertificate | undefined): Bun.Server<undefined> {
    const { answer, idleTimeout } = this.options;
    try {
      const server = Bun.serve({
        hostname: host,
        port,
        idleTimeout,
        // Bodies are limited part by part; the registry takes images of any size.
        maxRequestBodySize: Number.MAX_SAFE_INTEGER,
        development: false,
        // Said, because `development: false` turns it on: another server on the port would go unnoticed.
        reusePort: false,
        ...(certificate === undefined ? {} : { tls: { cert: certificate.chain, key: certificate.key } }),
        fetch: (request, connection) => answer(request, connection.requestIP(request)?.address ?? ''),
        error: () => new Response(null, { status: 500 }),
      });
      this.servers.add(server);
      return server;
    } catch (cause) {
      throw refused({ host, port }, cause);
    }
  }
}

function refused(address: Address, cause: unknown): unknown {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  const where = formatHostName(address);
  if (code === 'EADDRINUSE') return new SignetError('address-in-use', `another process listens on ${where}`, { cause });
  const names = ['EADDRNOTAVAIL', 'EACCES', 'EAFNOSUPPORT', 'ENOTFOUND'];
  if (typeof code !== 'string' || !names.includes(code)) return cause;
  return new SignetError('address-unavailable', `cannot listen on ${where}: ${code}`, { cause });
}
