import { ResponseReader, type ResponseSink } from './response-reader.ts';
import type { WireRequest, WireResponse } from './wire.ts';

/** A connected socket, as Bun has it. */
interface LineSocket {
  /** Returns how many bytes were taken; `drain` is called when it takes more. */
  write(bytes: Uint8Array): number;
  terminate(): void;
  ref(): void;
  unref(): void;
}

/** What happens on a socket. `handshake` comes with TLS only. */
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
 * One HTTP/1.1 connection, on which requests follow each other without waiting for the answers (RFC 9112, 9.3.2): files
 * that are asked for at the same time arrive after one round trip, with no further connection. Only GET requests do,
 * and only once a first answer has shown that the server keeps the connection.
 *
 * Measured with `bench/latency.ts` over 50 ms of round trip: `trust inspect` of a repository that is not cached takes 300 ms
 * from Notary's own server, and 500 over the connections that `fetch` or `node:https` keep alive, because those open another
 * one for each file that is asked for meanwhile. Notary's server does not speak HTTP/2, which would do the same. In one
 * request, of a cached repository or from Signet's server, a line is no faster.
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

  /** Whether the connection ended while several requests were on their way. */
  get brokeWhilePipelining(): boolean {
    return this.state === 'closed while pipelining';
  }

  /** Whether a request can be sent at this moment. */
  takes(method: string): boolean {
    if (!this.isOpen) return false;
    return this.underway.length === 0 || (this.isProven && [...this.underway, { method }].every(isGet));
  }

  /** Sends a request. Rejects with the socket's error, or one whose code is `ECONNRESET` where the connection ends early. */
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

  /** An answer to which no one listens any more would hold up all that follow. */
  private abandon(exchange: Exchange, reason: unknown): void {
    if (!this.underway.includes(exchange)) return;
    exchange.reject(reason);
    exchange.body?.error(reason);
    this.fail(broken());
  }

  /** Ends the connection, and with `error` whatever was under way on it. */
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

  // What the reader finds

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

  // What is sent

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
