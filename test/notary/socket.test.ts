import { afterAll, beforeAll, expect, test } from 'bun:test';
import { connect } from 'node:net';
import { ask } from '../support/routes.ts';
import { form, GUN, Owner, TestServer } from './fixture.ts';

// What stands in a Response is not always what travels, so these look at the bytes on the wire.

const server = new TestServer();
let listener: ReturnType<typeof Bun.serve>;
beforeAll(async () => {
  await new Owner(server).publishFirst();
  const fetch = async (request: Request) => {
    const response = await ask(server.server.routes, request);
    return response ?? new Response('elsewhere', { status: 421 });
  };
  listener = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch });
});
afterAll(() => listener.stop(true));

interface Wire {
  readonly status: string;
  readonly headers: readonly string[];
  readonly body: string;
}

function exchange(method: string, path: string, headers: readonly string[] = [], body = ''): Promise<Wire> {
  const head = [`${method} ${path} HTTP/1.1`, 'Host: localhost', 'Connection: close', ...headers, '', ''].join('\r\n');
  return new Promise((resolve, reject) => {
    const socket = connect(listener.port ?? 0, '127.0.0.1', () => socket.write(head + body));
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(Buffer.from(chunk)));
    socket.on('error', reject);
    socket.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      const end = text.indexOf('\r\n\r\n');
      const [status = '', ...fields] = text.slice(0, end).split('\r\n');
      resolve({ status, headers: fields.map((field) => field.toLowerCase()), body: text.slice(end + 4) });
    });
  });
}

const BASE = `/v2/${GUN}/_trust/tuf/`;

test('metadata has a length and the one type', async () => {
  const { status, headers, body } = await exchange('GET', `${BASE}timestamp.json`);
  expect(status).toBe('HTTP/1.1 200 OK');
  expect(headers.filter((field) => field.startsWith('content-'))).toEqual(
    expect.arrayContaining(['content-type: text/plain; charset=utf-8', `content-length: ${body.length}`]),
  );
  expect(headers.filter((field) => field.startsWith('content-type'))).toHaveLength(1);
});

test('a publish in chunks is taken, and answered with an empty body', async () => {
  const { body, headers } = form([], 'b');
  const chunks = [...body].map((byte) => `1\r\n${String.fromCharCode(byte)}\r\n`).join('');
  const type = `Content-Type: ${headers['Content-Type']}`;
  const reply = await exchange('POST', BASE, [type, 'Transfer-Encoding: chunked'], `${chunks}0\r\n\r\n`);
  expect([reply.status, reply.body]).toEqual(['HTTP/1.1 200 OK', '']);
  expect(reply.headers).toContain('content-length: 0');
  expect(reply.headers.some((field) => field.startsWith('content-type'))).toBe(false);
});

test('deleting, and methods that are not allowed, are answered with an empty body', async () => {
  for (const [method, status] of [
    ['DELETE', 'HTTP/1.1 200 OK'],
    ['PATCH', 'HTTP/1.1 405 Method Not Allowed'],
    ['OPTIONS', 'HTTP/1.1 405 Method Not Allowed'],
  ] as const) {
    const reply = await exchange(method, `/v2/nothing/here/_trust/tuf/`);
    expect([reply.status, reply.body]).toEqual([status, '']);
    expect(reply.headers).toContain('content-length: 0');
  }
});

test('HEAD is not found, and has no body', async () => {
  const reply = await exchange('HEAD', `${BASE}root.json`);
  expect([reply.status, reply.body]).toEqual(['HTTP/1.1 404 Not Found', '']);
});

test.each([
  '/v2/../../etc/passwd',
  '/v2/a/_trust/tuf/../../../../../etc/passwd',
  '/v2/%2e%2e/%2e%2e/etc/_trust/tuf/root.json',
  '/v2/..%2f..%2fetc/_trust/tuf/root.json',
  '/v2/a/_trust/tuf/targets/..%2f..%2froot.json',
  '/v2/a/_trust/tuf/targets/%00.json',
  '/v2/a\\..\\b/_trust/tuf/root.json',
  `/v2/${GUN}/_trust/tuf/_trust/tuf/root.json`,
])('%s leads to no file', async (path) => {
  const { status, body } = await exchange('GET', path);
  expect(status).toMatch(/^HTTP\/1\.1 (404|421) /);
  expect(body).not.toContain('signed');
});
