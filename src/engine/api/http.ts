import { collectBytes } from '../../core/collected-bytes.ts';
import { SignetError } from '../../core/errors/index.ts';

export interface EngineRequest {
  readonly method: 'GET' | 'POST';
  /** Path and query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

export interface EngineResponse {
  readonly status: number;
  /** A header's value by its lower-case name. */
  header(name: string): string | undefined;
  readonly body: AsyncIterable<Uint8Array>;
}

/** Sends one HTTP request through a unix socket. Rejects with the runtime's own error if the connection fails. */
export async function sendRequest(socketPath: string, request: EngineRequest): Promise<EngineResponse> {
  return process.versions.bun === undefined ? sendWithNode(socketPath, request) : sendWithBun(socketPath, request);
}

/** Reads the whole body. Throws `engine-response-invalid` past `maxBytes`. */
export function readResponseBody(response: EngineResponse, maxBytes: number): Promise<Buffer> {
  const tooLarge = () =>
    new SignetError('engine-response-invalid', `the engine answers with more than ${maxBytes} bytes`);
  return collectBytes(response.body, { limit: maxBytes, tooLarge });
}

/** Bun's own fetch supports unix sockets, and saves the 30 ms that loading node:http takes. */
async function sendWithBun(
  socketPath: string,
  { method, path, headers, signal }: EngineRequest,
): Promise<EngineResponse> {
  const response = await fetch(`http://docker${path}`, {
    method,
    unix: socketPath,
    redirect: 'manual',
    // A push may be silent for as long as the registry needs.
    timeout: false,
    ...(headers && { headers }),
    ...(signal && { signal }),
  });
  return {
    status: response.status,
    header: (name) => response.headers.get(name) ?? undefined,
    body: response.body ?? noBytes(),
  };
}

async function sendWithNode(socketPath: string, { signal, ...request }: EngineRequest): Promise<EngineResponse> {
  const http = await import('node:http');
  return new Promise((settle, fail) => {
    const options = { ...request, socketPath, agent: false as const, ...(signal && { signal }) };
    const sent = http.request({ ...options, headers: { Host: 'docker', ...request.headers } }, (response) => {
      settle({
        status: response.statusCode ?? 0,
        header: (name) => String(response.headers[name] ?? '') || undefined,
        body: response,
      });
    });
    sent.once('error', fail);
    sent.end();
  });
}

async function* noBytes(): AsyncGenerator<Uint8Array> {}
