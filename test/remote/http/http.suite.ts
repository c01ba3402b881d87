import { describe, expect, test } from 'bun:test';
import type { SignetError } from '../../../src/core/errors/index.ts';
import { HttpClient, type HttpOptions } from '../../../src/remote/http/http.ts';
import type { HttpRequest } from '../../../src/remote/http/http-message.ts';
import type { Connection } from '../../../src/remote/transport/connection.ts';
import { failure } from '../../support/failure.ts';
import { makeAuthority } from '../certificates.ts';
import { serve, serveBytes, serveSocket } from '../servers.ts';

const LIMIT = 1000;

const authority = makeAuthority('the authority');
const stranger = makeAuthority('another authority');
const certificate = authority.issue(['localhost']);

function trusting(...certificates: string[]): Connection {
  return { authorities: certificates.map((pem) => Buffer.from(pem)), identities: [], verify: true, address: undefined };
}

function get(origin: string, path = '/', more: Partial<HttpRequest> = {}): HttpRequest {
  return { method: 'GET', url: new URL(path, origin), limit: LIMIT, ...more };
}

/** What the client does, whether every request of the same moment has a connection of its own or they share one. */
export function httpSuite(pipelined: boolean): void {
  function client(options: Partial<HttpOptions> & { connection?: Partial<Connection> } = {}): HttpClient {
    const { connection, ...rest } = options;
    const full = { ...trusting(authority.cert), ...connection };
    return new HttpClient({
      userAgent: 'test',
      connectionFor: async () => full,
      sleep: async () => {},
      pipelined,
      ...rest,
    });
  }

  describe('an answer', () => {
    test('has status, headers, body and address', async () => {
      const server = serve(() => new Response('hello', { status: 203, headers: { 'X-Made-By': 'test' } }), certificate);
      const answer = await client().send(get(server.origin, '/a?b=c', { headers: { 'X-Asked-By': 'me' } }));
      expect(answer.status).toBe(203);
      expect(answer.headers.get('x-made-by')).toBe('test');
      expect(answer.body.toString()).toBe('hello');
      expect(answer.url.href).toBe(`${server.origin}/a?b=c`);
      const [request] = server.requests;
      expect(request?.headers.get('user-agent')).toBe('test');
      expect(request?.headers.get('accept-encoding')).toBe('identity');
      expect(request?.headers.get('x-asked-by')).toBe('me');
    });

    test('may have any status', async () => {
      const server = serve((_, url) => new Response('no', { status: Number(url.pathname.slice(1)) }));
      for (const status of [301, 400, 401, 404, 418, 500]) {
        expect((await client().send(get(server.origin, `/${status}`))).status).toBe(status);
      }
    });

    test('to HEAD has no body, whatever length it declares', async () => {
      const server = serve(() => new Response('x'.repeat(LIMIT * 2)));
      const answer = await client().send(get(server.origin, '/', { method: 'HEAD' }));
      expect(answer.body).toHaveLength(0);
      expect(answer.headers.get('content-length')).toBe(String(LIMIT * 2));
    });

    test('comes to a body that was sent', async () => {
      const server = serve(async (request) => new Response(`got ${await request.text()}`));
      const answer = await client().send(get(server.origin, '/', { method: 'POST', body: Buffer.from('this') }));
      expect(answer.body.toString()).toBe('got this');
    });

    test('uses one connection again', async () => {
      const server = await serveSocket((socket) => {
        socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
      });
      const http = client();
      for (let count = 0; count < 5; count++) await http.send(get(server.origin));
      expect(server.connections).toBe(1);
    });
  });

  describe('a body', () => {
    test('of exactly the limit is read', async () => {
      const server = serve(() => new Response('x'.repeat(LIMIT)));
      expect((await client().send(get(server.origin))).body).toHaveLength(LIMIT);
    });

    test('whose declared length is above the limit fails before it is read', async () => {
      const server = await serveBytes(`HTTP/1.1 200 OK\r\nContent-Length: ${LIMIT + 1}\r\n\r\n`, 'hang');
      const error = await failure(client().send(get(server.origin)), 'response-too-large');
      expect(error.detail).toEqual({ limit: LIMIT });
    });

    test('without an end fails at the limit', async () => {
      const endless = () =>
        new ReadableStream({
          pull: async (controller) => {
            controller.enqueue(new Uint8Array(64));
            await Bun.sleep(0);
          },
        });
      const server = serve(() => new Response(endless()), certificate);
      await failure(client().send(get(server.origin)), 'response-too-large');
    });

    test('that is properly packed is refused unopened', async () => {
      const packed = Bun.gzipSync('x'.repeat(100));
      const server = serve(() => new Response(packed, { headers: { 'Content-Encoding': 'gzip' } }));
      const error = await failure(client().send(get(server.origin)), 'response-invalid');
      expect(error.message).toBe(`${server.origin} answers in an encoding that was not asked for`);
    });

    test('of a failure that is far too long is left out', async () => {
      const server = serve(() => new Response('x'.repeat(1_000_000), { status: 404 }));
      const answer = await client().send(get(server.origin));
      expect(answer.status).toBe(404);
      expect(answer.body).toHaveLength(0);
    });

    test.each([
      ['shorter than declared', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc', 'network-unreachable'],
      ['with a cut chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc', 'network-unreachable'],
      ['with a bad chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nabc', 'response-invalid'],
      [
        'with two lengths',
        'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nabcde',
        'response-invalid',
      ],
      [
        'that is packed',
        'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Encoding: gzip\r\n\r\nabc',
        'response-invalid',
      ],
      ['of something that is not HTTP', 'SSH-2.0-OpenSSH_9.2\r\n', 'response-invalid'],
      ['after no answer at all', '', 'network-unreachable'],
      ['after huge headers', `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(3_000_000)}\r\n\r\n`, 'response-invalid'],
      ['after many headers', `HTTP/1.1 200 OK\r\n${'X: a\r\n'.repeat(5000)}\r\n`, 'response-invalid'],
    ] as const)('%s fails', async (_, bytes, code) => {
      const server = await serveBytes(bytes);
      await failure(client().send(get(server.origin)), code);
    });
  });

  describe('time', () => {
    const timeouts = { answer: 300, idle: 300, total: 5000 };

    test('runs out before the answer', async () => {
      const server = await serveSocket(() => {});
      await failure(client({ timeouts }).send(get(server.origin)), 'network-timeout');
    });

    test('runs out in the middle of the head', async () => {
      const server = await serveBytes('HTTP/1.1 200 OK\r\nContent-', 'hang');
      await failure(client({ timeouts }).send(get(server.origin)), 'network-timeout');
    });

    test('runs out in the middle of the body', async () => {
      const server = await serveBytes('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc', 'hang');
      await failure(client({ timeouts }).send(get(server.origin)), 'network-timeout');
    });

    test('runs out in all where the body comes drop by drop', async () => {
      const server = await serveSocket((socket) => {
        socket.once('data', () => {
          socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n');
          const drops = setInterval(() => socket.write('x'), 20);
          socket.once('close', () => clearInterval(drops));
        });
      });
      const http = client({ timeouts: { answer: 1000, idle: 1000, total: 200 } });
      await failure(http.send(get(server.origin)), 'network-timeout');
    });

    test('is not used up by a slow body that keeps coming', async () => {
      const server = await serveSocket((socket) => {
        socket.once('data', async () => {
          socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n');
          for (let count = 0; count < 10; count++) {
            await Bun.sleep(50);
            socket.write('x');
          }
        });
      });
      expect((await client({ timeouts }).send(get(server.origin))).body.toString()).toBe('xxxxxxxxxx');
    });
  });

  describe('repetition', () => {
    test.each([429, 502, 503, 504])('of a request answered with %d, until it succeeds', async (status) => {
      let count = 0;
      const server = serve(() => new Response('', { status: ++count < 4 ? status : 200 }));
      expect((await client().send(get(server.origin))).status).toBe(200);
      expect(server.requests).toHaveLength(4);
    });

    test('ends after three times with the last answer', async () => {
      const server = serve(() => new Response('', { status: 503 }));
      expect((await client().send(get(server.origin))).status).toBe(503);
      expect(server.requests).toHaveLength(4);
    });

    test('does not happen for other failures', async () => {
      const server = serve(() => new Response('', { status: 500 }));
      expect((await client().send(get(server.origin))).status).toBe(500);
      expect(server.requests).toHaveLength(1);
    });

    test('never happens to a POST', async () => {
      const server = serve(() => new Response('', { status: 503 }));
      expect((await client().send(get(server.origin, '/', { method: 'POST' }))).status).toBe(503);
      expect(server.requests).toHaveLength(1);
      const closing = await serveBytes('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n');
      await failure(client().send(get(closing.origin, '/', { method: 'POST' })), 'network-unreachable');
      expect(closing.connections).toBe(1);
    });

    test('follows a connection that breaks', async () => {
      let count = 0;
      const server = await serveSocket((socket) => {
        socket.once('data', () => {
          socket.end(
            ++count < 3
              ? 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab'
              : 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
          );
        });
      });
      expect((await client().send(get(server.origin))).body.toString()).toBe('ok');
      expect(server.connections).toBe(3);
    });

    test('waits longer each time, and as long as the server asks', async () => {
      const waits: number[] = [];
      const sleep = async (milliseconds: number) => {
        waits.push(milliseconds);
      };
      const busy = serve(() => new Response('', { status: 503 }));
      await client({ sleep }).send(get(busy.origin));
      expect(waits).toHaveLength(3);
      for (const [index, base] of [100, 200, 400].entries()) {
        expect(waits[index]).toBeGreaterThanOrEqual(base / 2);
        expect(waits[index]).toBeLessThanOrEqual(base * 1.5);
      }
      waits.length = 0;
      const polite = serve(() => new Response('', { status: 429, headers: { 'Retry-After': '7' } }));
      await client({ sleep }).send(get(polite.origin));
      expect(waits).toEqual([7000, 7000, 7000]);
    });

    test('is given up where the server asks for a long wait', async () => {
      const server = serve(() => new Response('', { status: 429, headers: { 'Retry-After': '3600' } }));
      expect((await client().send(get(server.origin))).status).toBe(429);
      expect(server.requests).toHaveLength(1);
    });

    test('cannot fix a port if no one listens, which is tried twice', async () => {
      for (const method of ['GET', 'POST'] as const) {
        const waits: number[] = [];
        const sleep = async (milliseconds: number) => void waits.push(milliseconds);
        const error = await failure(
          client({ sleep }).send(get('http://127.0.0.1:1', '/', { method })),
          'network-unreachable',
        );
        expect(error.message).toBe('cannot reach http://127.0.0.1:1: connection refused');
        expect(waits).toHaveLength(1);
      }
    });

    test.each([
      ['closed', 'end'],
      ['reset', 'resetAndDestroy'],
    ] as const)('follows a TLS handshake that is %s', async (_, end) => {
      for (const [method, connections] of [
        ['GET', 4],
        ['POST', 1],
      ] as const) {
        const server = await serveSocket((socket) => socket.once('data', () => socket[end]()));
        const request = get(`https://localhost:${server.port}`, '/', { method });
        await failure(client().send(request), 'network-unreachable');
        expect(server.connections).toBe(connections);
      }
    });

    test('follows an answer that stops in the middle, once', async () => {
      const server = await serveBytes('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc', 'hang');
      const error = await failure(client({ timeouts: { idle: 100 } }).send(get(server.origin)), 'network-timeout');
      expect(error.message).toBe(`${server.origin} did not answer in time`);
      expect(server.connections).toBe(2);
    });

    test('does not follow an answer that does not begin: who is silent stays so', async () => {
      const server = await serveSocket(() => {});
      await failure(client({ timeouts: { answer: 100 } }).send(get(server.origin)), 'network-timeout');
      expect(server.connections).toBe(1);
    });

    test('of a POST that may take effect twice follows what a GET follows', async () => {
      let count = 0;
      const server = serve(() => new Response('', { status: ++count < 3 ? 503 : 200 }));
      const request = get(server.origin, '/', { method: 'POST', body: Buffer.from('x'), mayTakeEffectTwice: true });
      expect((await client().send(request)).status).toBe(200);
      expect(server.requests).toHaveLength(3);
    });

    test('cannot fix a name that does not exist', async () => {
      const error = await failure(client().send(get('https://no-such-host.invalid')), 'network-unreachable');
      expect(error.message).toStartWith('cannot reach https://no-such-host.invalid: the name ');
    });
  });

  describe('TLS', () => {
    test('refuses a certificate of an unknown authority, and keeps the reason', async () => {
      const server = serve(() => new Response('x'), certificate);
      const error = await failure(client({ connection: trusting() }).send(get(server.origin)), 'tls-untrusted');
      expect(error.message).toStartWith(`the certificate of ${server.origin} is not trusted: `);
      expect(error.cause).toBeInstanceOf(Error);
      expect(error.next).toBe(
        'If the server is the right one, put the certificate of its authority among the authorities of this system.',
      );
      expect(server.requests).toHaveLength(0);
    });

    test('refuses it also where other authorities are trusted', async () => {
      const server = serve(() => new Response('x'), certificate);
      await failure(client({ connection: trusting(stranger.cert) }).send(get(server.origin)), 'tls-untrusted');
    });

    test('refuses a certificate for another name', async () => {
      const server = serve(() => new Response('x'), authority.issue(['elsewhere.example']));
      await failure(client().send(get(server.origin)), 'tls-untrusted');
    });

    test('takes a certificate for an address where the address is asked for, and only there', async () => {
      const [forAddress, forName] = [authority.issue(['127.0.0.1']), certificate].map((pair) =>
        serve(() => new Response('x'), pair),
      );
      const at = (server = forAddress) => client().send(get(`https://127.0.0.1:${server?.port}`));
      expect((await at()).status).toBe(200);
      await failure(at(forName), 'tls-untrusted');
    });

    test('refuses an expired certificate', async () => {
      const server = serve(() => new Response('x'), authority.issue(['localhost'], { days: -2 }));
      await failure(client().send(get(server.origin)), 'tls-untrusted');
    });

    test('is not switched off by the environment', async () => {
      process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
      try {
        const server = serve(() => new Response('x'), certificate);
        await failure(client({ connection: trusting() }).send(get(server.origin)), 'tls-untrusted');
      } finally {
        delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
      }
    });

    test('accepts anything where verification is off, without harm to connections that verify', async () => {
      const server = serve(() => new Response('x'), certificate);
      const careless = client({ connection: { ...trusting(), verify: false } });
      expect((await careless.send(get(server.origin))).status).toBe(200);
      await failure(client({ connection: trusting() }).send(get(server.origin)), 'tls-untrusted');
    });

    test('shows a client certificate where there is one', async () => {
      const { cert, key } = authority.issue(['client']);
      const server = serve(() => new Response('welcome'), { ...certificate, ca: authority.cert, requestCert: true });
      const identities = [{ certificate: Buffer.from(cert), key: Buffer.from(key) }];
      const answer = await client({ connection: { identities } }).send(get(server.origin));
      expect(answer.body.toString()).toBe('welcome');
      const error = await client()
        .send(get(server.origin))
        .catch((reason: SignetError) => reason);
      expect(['tls-failed', 'network-unreachable']).toContain((error as SignetError).code);
    });

    test('is not spoken by a plain server', async () => {
      const server = serve(() => new Response('x'));
      await failure(client().send(get(`https://localhost:${server.port}`)), 'tls-failed');
    });

    test('connects to the pinned address, under the name of the URL', async () => {
      const server = serve((request) => new Response(request.headers.get('host')), authority.issue(['pinned.example']));
      const origin = `https://pinned.example:${server.port}`;
      const answer = await client({ connection: { address: '127.0.0.1' } }).send(get(origin));
      expect(answer.body.toString()).toBe(`pinned.example:${server.port}`);
    });

    test('settings are asked for once per origin', async () => {
      const asked: string[] = [];
      const connectionFor = async (origin: URL) => {
        asked.push(origin.origin);
        return trusting(authority.cert);
      };
      const [one, two] = [serve(() => new Response('x'), certificate), serve(() => new Response('x'), certificate)];
      const http = client({ connectionFor });
      for (const { origin } of [one, two, one, two]) await http.send(get(origin, '/path'));
      expect(asked).toEqual([one.origin, two.origin]);
    });
  });

  describe('redirects', () => {
    const to = (location: string, status = 302) => new Response('', { status, headers: { Location: location } });
    const secret = { Authorization: 'Bearer secret' };

    test('are answers where they were not asked for', async () => {
      const server = serve(() => to('/next'));
      expect((await client().send(get(server.origin))).status).toBe(302);
      expect(server.requests).toHaveLength(1);
    });

    test('within the origin keep the credentials', async () => {
      const server = serve((_, url) => (url.pathname === '/' ? to('/next') : new Response('there')), certificate);
      const answer = await client().send(get(server.origin, '/', { headers: secret, redirects: 1 }));
      expect(answer.body.toString()).toBe('there');
      expect(answer.url.pathname).toBe('/next');
      expect(server.requests.map((request) => request.headers.get('authorization'))).toEqual([
        'Bearer secret',
        'Bearer secret',
      ]);
    });

    test('to another port, host or scheme leave the credentials behind', async () => {
      const target = serve(() => new Response('there'), certificate);
      const plain = serve(() => new Response('there'));
      for (const destination of [target, plain]) {
        const server = serve(() => to(`${destination.origin}/next`), certificate);
        const answer = await client().send(get(server.origin, '/', { headers: secret, redirects: 1 }));
        expect(answer.url.origin).toBe(destination.origin);
        expect(destination.requests).toHaveLength(1);
        expect(destination.requests[0]?.headers.has('authorization')).toBe(false);
      }
    });

    test('do not bring the credentials back on the way home', async () => {
      let home = '';
      const away = serve(() => to(`${home}/end`), certificate);
      const server = serve((_, url) => (url.pathname === '/' ? to(away.origin) : new Response('end')), certificate);
      home = server.origin;
      await client().send(get(server.origin, '/', { headers: secret, redirects: 2 }));
      expect(server.requests.map((request) => request.headers.get('authorization'))).toEqual(['Bearer secret', null]);
    });

    test.each([
      ['without a location', () => to('')],
      ['to something that is no address', () => to('https://')],
      ['to an address without TLS', () => to('http://example.com/')],
      ['to a file', () => to('file:///etc/passwd')],
      ['with a user name', () => to('https://user:pass@localhost/')],
    ])('%s are refused', async (_, answer) => {
      const server = serve(answer, certificate);
      const error = await failure(client().send(get(server.origin, '/', { redirects: 3 })), 'redirect-refused');
      expect(error.message).not.toContain('pass');
    });

    test('without end are refused', async () => {
      const server = serve(() => to('/'));
      await failure(client().send(get(server.origin, '/', { redirects: 3 })), 'redirect-refused');
      expect(server.requests).toHaveLength(4);
    });

    test('of a POST are refused', async () => {
      const server = serve(() => to('/', 307));
      await failure(client().send(get(server.origin, '/', { method: 'POST', redirects: 1 })), 'redirect-refused');
    });
  });

  describe('proxies of the environment', () => {
    test('are not used for loopback', async () => {
      const proxy = await serveBytes('HTTP/1.1 403 Forbidden\r\n\r\n');
      process.env.HTTPS_PROXY = proxy.origin;
      try {
        const server = serve(() => new Response('direct'), certificate);
        expect((await client().send(get(server.origin))).body.toString()).toBe('direct');
        expect(proxy.connections).toBe(0);
      } finally {
        delete process.env.HTTPS_PROXY;
      }
    });

    test('are used for other hosts, and their refusal has a name', async () => {
      const proxy = await serveBytes('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n');
      process.env.HTTPS_PROXY = proxy.origin.replace('://', '://user:secret@');
      try {
        const error = await failure(client().send(get('https://registry.example')), 'network-unreachable');
        expect(error.message).toBe(
          `cannot reach https://registry.example through the proxy ${proxy.origin}: the proxy refuses to connect to it`,
        );
        expect(proxy.connections).toBe(1);
      } finally {
        delete process.env.HTTPS_PROXY;
      }
    });
  });
}
