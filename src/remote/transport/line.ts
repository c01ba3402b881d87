import { ResponseReader, type ResponseSink } from './response-reader.ts';
import type { WireRequest, WireResponse } from './wire.ts';

/** A connected socket, as Bun has it. */
interface LineSocket {
  /** Returns how many bytes were accepted; `drain` is called when it accepts more. */
  write(bytes: Uint8Array): number;
  terminate(): void;
  ref(): void;
  unref(): void;
}

/** Events of a socket. `handshake` occurs only with TLS. */
export interface LineEvents {
  open(socket: LineSocket): void;
  handshake(socket: LineSocket, success: boolean, error: Error | null): void;
  data(socket: LineSocket, bytes: Uint8Array): void;
  drain(socket: LineSocket): void;
  close(): void;
  error(socket: LineSocket, error: Error): void;
}

interface Exchange {
  readonly method: string;
  readonly resolve: (response: WireResponse) => void;
  readonly reject: (error: unknown) => void;
  body: ReadableStreamDefaultController<Uint8Array> | undefined;
}

/**
 * One HTTP/1.1 connection with pipelining (RFC 9112, 9.3.2): files that are requested at the same time arrive after one
 * round trip, without further connections. Pipelines only GET requests, and only once a first response has shown that
 * the server keeps the connection.
 *
 * Measured with `bench/latency.ts` at 50 ms of round trip: `trust inspect` of a repository that is not cached takes 300
 * ms from Notary's own server, and 500 ms over the connections that `fetch` or `node:https` keep alive, because those
 * open another connection for each concurrent request. Notary's server does not support HTTP/2, which would do the
 * same. For a single request, of a cached repository or to Signet's server, a line is no faster.
 */
export class Line implements ResponseSink {
  private readonly reader = new ResponseReader(this);
  private readonly underway: Exchange[] = [];
  private readonly unsent: Uint8Array[] = [];
  private readonly isSecure: boolean;
  private socket: LineSocket | undefined;
  private isProven = false;
  private state: 'open' | 'closed' | 'closed while pipelining' = 'open';

  constructor(isSecure: boolean) {
    this.isSecure = isSecure;
  }

  get isOpen(): boolean {
    return this.state === 'open';
  }

  /** Whether the connection ended while several requests were pending. */
  get brokeWhilePipelining(): boolean {
    return this.state === 'closed while pipelining';
  }

  /** Whether a request can be sent now. */
  takes(method: string): boolean {
    if (!this.isOpen) return false;
    return this.underway.length === 0 || (this.isProven && [...this.underway, { method }].every(isGet));
  }

  /** Sends a request. Rejects with the socket's error, or with code `ECONNRESET` if the connection ends early. */
  send(request: WireRequest): Promise<WireResponse> {
    return new Promise((resolve, reject) => {
      const exchange: Exchange = { method: request.method, resolve, reject, body: undefined };
      this.underway.push(exchange);
      request.signal.addEventListener('abort', () => this.abandon(exchange, request.signal.reason), { once: true });
      this.unsent.push(headOf(request), ...(request.body === undefined ? [] : [request.body]));
      this.socket?.ref();
      this.flush();
    });
  }

  /** A response that no one reads any more would block all that follow. */
  private abandon(exchange: Exchange, reason: unknown): void {
    if (!this.underway.includes(exchange)) return;
    exchange.reject(reason);
    exchange.body?.error(reason);
    this.fail(broken());
  }

  /** Closes the connection, and rejects all pending requests with `error`. */
  fail(error: unknown): void {
    if (!this.isOpen) return;
    this.state = this.underway.length > 1 ? 'closed while pipelining' : 'closed';
    this.socket?.terminate();
    for (const { body, reject } of this.underway.splice(0)) {
      reject(error);
      body?.error(error);
    }
  }

  readonly events: LineEvents = {
    open: (socket) => {
      if (!this.isSecure) this.begin(socket);
    },
    handshake: (socket, success, error) => {
      if (success) this.begin(socket);
      else this.refuse(socket, error ?? broken());
    },
    data: (_, bytes) => {
      if (!this.isOpen) return;
      try {
        this.reader.push(bytes);
      } catch (error) {
        this.fail(error);
      }
    },
    drain: () => this.flush(),
    close: () => {
      this.reader.close();
      this.fail(broken());
    },
    error: (_, error) => this.fail(error),
  };

  // Called by the reader

  head(status: number, headers: Headers): void {
    const [exchange] = this.underway;
    if (exchange === undefined) throw broken();
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        exchange.body = controller;
      },
      cancel: () => this.fail(broken()),
    });
    exchange.resolve({ status, headers, body });
  }

  data(bytes: Uint8Array): void {
    this.underway[0]?.body?.enqueue(bytes);
  }

  end(isLast: boolean): void {
    this.underway.shift()?.body?.close();
    this.isProven = true;
    if (isLast) this.fail(broken());
    else if (this.underway.length === 0) this.socket?.unref();
  }

  // Sending

  private begin(socket: LineSocket): void {
    this.socket = socket;
    if (this.isOpen) this.flush();
    else socket.terminate();
  }

  private refuse(socket: LineSocket, error: Error): void {
    this.fail(error);
    socket.terminate();
  }

  private flush(): void {
    for (let next = this.unsent[0]; next !== undefined && this.socket !== undefined; next = this.unsent[0]) {
      const written = this.socket.write(next);
      if (written < next.length) {
        this.unsent[0] = next.subarray(Math.max(0, written));
        return;
      }
      this.unsent.shift();
    }
  }
}

function isGet({ method }: { readonly method: string }): boolean {
  return method === 'GET';
}

function headOf({ method, url, headers, body }: WireRequest): Buffer {
  const lines = [`${method} ${url.pathname}${url.search} HTTP/1.1`, `Host: ${url.host}`];
  for (const [name, value] of headers) lines.push(`${name}: ${value}`);
  if (body !== undefined) lines.push(`Content-Length: ${body.length}`);
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

function broken(): Error {
  return Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' });
}
