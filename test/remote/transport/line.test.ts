import { expect, test } from 'bun:test';
import type { Socket } from 'node:net';
import { HttpClient } from '../../../src/remote/http/http.ts';
import type { HttpRequest } from '../../../src/remote/http/http-message.ts';
import { failure } from '../../support/failure.ts';
import { type SocketServer, serveSocket } from '../servers.ts';

const client = () => new HttpClient({ userAgent: 'test', sleep: async () => {}, pipelined: true });

function request({ origin }: SocketServer, path: string, more: Partial<HttpRequest> = {}): HttpRequest {
  return { method: 'GET', url: new URL(path, origin), limit: 1000, ...more };
}

/** Hands over the path of every request without a body, with its socket. */
function serveRequests(handle: (path: string, socket: Socket) => void): Promise<SocketServer> {
  return serveSocket((socket) => {
    let text = '';
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
      for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n')) {
        const [, path = ''] = /^GET (\S+) HTTP/.exec(text) ?? [];
        text = text.slice(end + 4);
        handle(path, socket);
      }
    });
  });
}

const answer = (body: string) => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const reply = (socket: Socket, body: string) => socket.write(answer(body));

/** Keeps every answer after the first back until `count` requests have come, and then gives them by their order. */
function serveTogether(count: number): Promise<SocketServer> {
  const waiting: [string, Socket][] = [];
  let isFirst = true;
  return serveRequests((path, socket) => {
    if (isFirst) {
      isFirst = false;
      reply(socket, path);
      return;
    }
    waiting.push([path, socket]);
    if (waiting.length === count) for (const [name, to] of waiting) reply(to, name);
  });
}

const paths = (count: number) => Array.from({ length: count }, (_, index) => `/${index}`);

test('requests of the same moment follow each other on one connection, and get their own answers', async () => {
  const server = await serveTogether(8);
  const http = client();
  await http.send(request(server, '/first'));
  const answers = await Promise.all(paths(8).map((path) => http.send(request(server, path))));
  expect(answers.map(({ body }) => body.toString())).toEqual(paths(8));
  expect(server.connections).toBe(1);
});

test('before a first answer no one knows whether the server keeps the connection', async () => {
  const server = await serveRequests((path, socket) => void reply(socket, path));
  const http = client();
  const answers = await Promise.all(paths(2).map((path) => http.send(request(server, path))));
  expect(answers.map(({ body }) => body.toString())).toEqual(paths(2));
  expect(server.connections).toBe(2);
});

test('a POST has its body, and the connection where it is free', async () => {
  const received: Buffer[] = [];
  const body = Buffer.alloc(3_000_000, 'x');
  const server = await serveSocket((socket) => {
    let length = 0;
    socket.on('data', (bytes) => {
      received.push(Buffer.from(bytes));
      length += bytes.length;
      if (length > body.length) reply(socket, 'done');
    });
  });
  const http = client();
  const done = await http.send(request(server, '/', { method: 'POST', body }));
  expect(done.body.toString()).toBe('done');
  const [head = '', rest] = Buffer.concat(received).toString('latin1').split('\r\n\r\n');
  expect(head).toStartWith('POST / HTTP/1.1\r\n');
  expect(head).toContain(`\r\nContent-Length: ${body.length}`);
  expect(rest === body.toString('latin1')).toBe(true);
});

test('a POST does not follow a request that has no answer yet', async () => {
  const waiting: Socket[] = [];
  const server = await serveSocket((socket) => {
    socket.on('data', (bytes) => {
      if (bytes.toString('latin1').startsWith('GET /slow')) waiting.push(socket);
      else reply(socket, bytes.toString('latin1').slice(0, 4));
    });
  });
  const http = client();
  await http.send(request(server, '/first'));
  const slow = http.send(request(server, '/slow'));
  expect((await http.send(request(server, '/', { method: 'POST' }))).body.toString()).toBe('POST');
  expect(server.connections).toBe(2);
  for (const socket of waiting) reply(socket, 'late');
  expect((await slow).body.toString()).toBe('late');
  expect((await http.send(request(server, '/', { method: 'POST' }))).body.toString()).toBe('POST');
  expect(server.connections).toBe(2);
});

test('a server that does not take pipelined requests gets them one by one', async () => {
  // It answers the first request that it finds, forgets those behind it, and closes.
  const server = await serveSocket((socket) => {
    let answered = 0;
    socket.on('data', (bytes) => {
      const requests = bytes.toString('latin1').split('\r\n\r\n').slice(0, -1);
      const [, path = ''] = /^GET (\S+)/.exec(requests[0] ?? '') ?? [];
      reply(socket, path);
      answered++;
      if (requests.length > 1 || (answered > 1 && path !== '/first')) socket.end();
    });
  });
  const http = client();
  await http.send(request(server, '/first'));
  const answers = await Promise.all(paths(5).map((path) => http.send(request(server, path))));
  expect(answers.map(({ body }) => body.toString())).toEqual(paths(5));
});

test('an answer that is too long costs the others nothing but time', async () => {
  const server = await serveRequests((path, socket) => void reply(socket, path === '/long' ? 'x'.repeat(2000) : path));
  const http = client();
  await http.send(request(server, '/first'));
  const [long, ...others] = ['/long', ...paths(3)].map((path) => http.send(request(server, path)));
  await failure(long ?? Promise.resolve(), 'response-too-large');
  expect((await Promise.all(others)).map(({ body }) => body.toString())).toEqual(paths(3));
});

test('an answer that no one asked for ends the connection', async () => {
  const twice = await serveRequests((path, socket) => void socket.write(answer(path) + answer('evil')));
  const http = client();
  for (const path of paths(3)) expect((await http.send(request(twice, path))).body.toString()).toBe(path);
  expect(twice.connections).toBe(3);
});
