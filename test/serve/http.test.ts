import { beforeAll, describe, expect, test } from 'bun:test';
import { connect as connectPlainly } from 'node:net';
import { SignetError } from '../../src/core/errors/index.ts';
import { DAY } from '../../src/core/time.ts';
import { bodyOf, readBody } from '../../src/http/body.ts';
import { AuthorizationRequired } from '../../src/http/gate.ts';
import {
  exchange,
  open,
  rawRequest,
  received,
  request,
  startTestServer,
  type TestServer,
  testParts,
} from './fixture.ts';

const HOST = 'Host: localhost';

/** A promise and what ends it. */
function gateway(): { readonly opened: Promise<void>; open(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: () => resolve() };
}

/** Waits for something that another task brings about. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await Bun.sleep(2);
}

describe('the base route', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });

  test('answers strangers with the challenge of protocol B.4, byte for byte', async () => {
    const response = await request(server, '/v2/');
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe(
      `Bearer realm="https://localhost:${server.port}/auth/token",service="signet",scope="registry:catalog:*"`,
    );
    expect(response.headers.get('docker-distribution-api-version')).toBe('registry/2.0');
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(await response.text()).toBe(
      '{"errors":[{"code":"UNAUTHORIZED","message":"authentication required","detail":[{"Type":"registry","Class":"","Name":"catalog","Action":"*"}]}]}\n',
    );
  });

  test('takes any valid token, and says what is wrong with another', async () => {
    const token = await tokenOf(server);
    const response = await request(server, '/v2/', { headers: { Authorization: `Bearer ${token}` } });
    expect([response.status, await response.text()]).toEqual([200, '{}']);
    const wrong = await request(server, '/v2/', { headers: { Authorization: `Bearer ${token}x` } });
    expect(wrong.status).toBe(401);
    expect(wrong.headers.get('www-authenticate')).toEndWith(',scope="registry:catalog:*",error="invalid_token"');
  });

  test('uses the name that the client uses, in lower case', async () => {
    const names = [`127.0.0.1:${server.port}`, `[::1]:${server.port}`, `LOCALHOST:${server.port}`, 'localhost'];
    for (const name of names) {
      const answer = await exchange(server, rawRequest('GET /v2/', `Host: ${name}`));
      expect(answer).toStartWith('HTTP/1.1 401 ');
      expect(answer).toContain(`Bearer realm="https://${name.toLowerCase()}/auth/token",`);
    }
  });

  test('challenges the trust server and the registry alike', async () => {
    const gun = `localhost:${server.port}/alice/app`;
    const trust = await request(server, `/v2/${gun}/_trust/tuf/root.json`);
    const registry = await request(server, '/v2/alice/app/manifests/latest');
    const start = `Bearer realm="https://localhost:${server.port}/auth/token",service="signet",scope="repository`;
    expect(trust.headers.get('www-authenticate')).toBe(`${start}:${gun}:pull"`);
    expect(registry.headers.get('www-authenticate')).toBe(`${start}:alice/app:pull"`);
    expect([trust.status, registry.status]).toEqual([401, 401]);
  });

  test('has nothing to write to', async () => {
    const response = await request(server, '/v2/', { method: 'POST' });
    expect([response.status, response.headers.get('allow'), await response.text()]).toEqual([405, 'GET, HEAD', '']);
  });
});

describe('a Host header', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ names: [{ host: 'registry.example.com', port: undefined }] });
  });

  test('of another host is refused, without a challenge that would lead there', async () => {
    const hosts = [
      'evil.example.com',
      'registry.example.com.evil.example.com',
      'registry.example.com:1',
      `evil.example.com:${server.port}`,
      'localhost@evil.example.com',
      'localhost/evil.example.com',
      'localhost#evil',
      'localhost"',
      'localhost, evil.example.com',
      'localhost:5000 ',
      'xn--80ak6aa92e.com',
      '127.0.0.1.evil.example.com',
      '0x7f000001',
      '0.0.0.0',
    ];
    for (const host of hosts) {
      const answer = await exchange(server, rawRequest('GET /v2/', `Host: ${host}`));
      expect([host, answer.split('\r\n')[0]]).toEqual([host, 'HTTP/1.1 421 Misdirected Request']);
      expect(answer.toLowerCase()).not.toContain('www-authenticate');
      expect(answer).not.toContain('evil');
    }
  });

  test('that is missing, empty or twice there is refused', async () => {
    expect(await exchange(server, 'GET /v2/ HTTP/1.0\r\n\r\n')).toStartWith('HTTP/1.1 400 ');
    expect(await exchange(server, rawRequest('GET /v2/', 'Host:'))).toStartWith('HTTP/1.1 400 ');
    expect(await exchange(server, rawRequest('GET /v2/'))).toStartWith('HTTP/1.1 400 ');
    const twice = await exchange(server, rawRequest('GET /v2/', HOST, 'Host: evil.example.com'));
    expect(twice).toMatch(/^HTTP\/1\.1 4(00|21) /);
    expect(twice).not.toContain('evil');
  });

  test('that is malformed is refused, whatever the request line says', async () => {
    for (const target of ['/v2/', '//[', '//evil.example.com/v2/', 'http://[/', 'x:y', '/%zz']) {
      const answer = await exchange(server, rawRequest(`GET ${target}`, 'Host: a b'));
      expect([target, answer]).toEqual([target, expect.stringMatching(/^HTTP\/1\.1 4(00|21) /)]);
      expect(answer.toLowerCase()).not.toContain('www-authenticate');
    }
  });

  test('is what counts: neither the request line nor another header stands for it', async () => {
    const absolute = await exchange(server, rawRequest('GET https://evil.example.com/v2/', HOST));
    expect(absolute).toContain('realm="https://localhost/auth/token"');
    const forwarded = await exchange(server, rawRequest('GET /v2/', HOST, 'X-Forwarded-Host: evil.example.com'));
    expect(forwarded).toContain('realm="https://localhost/auth/token"');
  });

  test('of a configured name is taken, at the port of the server and at the default one', async () => {
    for (const name of ['registry.example.com', `Registry.Example.com:${server.port}`]) {
      expect(await exchange(server, rawRequest('GET /v2/', `Host: ${name}`))).toStartWith('HTTP/1.1 401 ');
    }
  });

  test('does not matter to probes', async () => {
    for (const path of ['/_signet/health', '/_notary_server/health', '/metrics']) {
      const answer = await exchange(server, rawRequest(`GET ${path}`, 'Host: 10.1.2.3:5000'));
      expect([path, answer.split('\r\n')[0]]).toEqual([path, 'HTTP/1.1 200 OK']);
    }
  });
});

describe('a path', () => {
  const seen: string[] = [];
  let server: TestServer;
  beforeAll(async () => {
    const openParts = testParts(async ({ url }) => {
      seen.push(url.pathname);
      return new Response('ok');
    });
    server = await startTestServer({}, { openParts });
  });

  test('with two meanings reaches no part', async () => {
    const paths = ['/test//a', '//test/a', '/test/a%2fb', '/test/%2E%2e%2Fa', '/test/a%5Cb', '/test/a%00', '/test/%zz'];
    for (const path of [...paths, `/test/${'a'.repeat(5000)}`]) {
      const answer = await exchange(server, rawRequest(`GET ${path}`, HOST));
      expect([path, answer.split('\r\n')[0]]).toEqual([path, 'HTTP/1.1 400 Bad Request']);
    }
    expect(seen).toEqual([]);
  });

  test('with dot segments is resolved before anyone sees it', async () => {
    for (const path of ['/v2/../test/a', '/test/./a', '/x/%2e%2e/test/a', '/test\\a']) {
      expect(await exchange(server, rawRequest(`GET ${path}`, HOST))).toStartWith('HTTP/1.1 200 ');
    }
    expect(seen.splice(0)).toEqual(['/test/a', '/test/a', '/test/a', '/test/a']);
    expect(await exchange(server, rawRequest('GET /test/../v3', HOST))).toStartWith('HTTP/1.1 404 ');
    expect(seen).toEqual([]);
  });

  test('of no one is not found, in the words of Notary; other methods get an empty 405', async () => {
    for (const method of ['GET', 'POST', 'PUT', 'DELETE']) {
      const response = await request(server, '/v3/', { method });
      expect([method, response.status, await response.text()]).toEqual([
        method,
        404,
        '{"errors":[{"code":"METADATA_NOT_FOUND","message":"You have requested metadata that does not exist."}]}\n',
      ]);
    }
    for (const method of ['PATCH', 'OPTIONS', 'TRACE']) {
      const answer = await exchange(server, rawRequest(`${method} /v3/`, HOST));
      expect([method, answer.split('\r\n')[0]]).toEqual([method, 'HTTP/1.1 405 Method Not Allowed']);
      expect(answer).toEndWith('\r\n\r\n');
    }
  });

  test('at the top says what this is', async () => {
    const response = await request(server, '/');
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(await response.text()).toStartWith('Signet: a registry of images and a server of their trust data');
  });
});

describe('an answer', () => {
  test('to HEAD has the headers of GET and no body, errors included', async () => {
    const openParts = testParts(async ({ url }) => {
      if (url.pathname.endsWith('/error')) throw new SignetError('name-invalid', 'wrong name');
      return new Response('content');
    });
    const server = await startTestServer({}, { openParts });
    for (const [path, status, length] of [
      ['/test/ok', 200, 7],
      ['/test/error', 400, 60],
      ['/v2/', 200, 2],
      ['/v3/', 404, 104],
      ['/_signet/health', 200, 2],
    ] as const) {
      const answer = await exchange(server, rawRequest(`HEAD ${path}`, HOST));
      expect([path, answer.split(' ')[1]]).toEqual([path, String(status)]);
      expect([path, /content-length: (\d+)/i.exec(answer)?.[1]]).toEqual([path, String(length)]);
      expect(answer).toEndWith('\r\n\r\n');
    }
  });

  test('says nothing of what broke inside; the log does, under the id of the answer', async () => {
    const openParts = testParts(async () => {
      throw new TypeError('/var/lib/signet is not a function', { cause: new Error('because') });
    });
    const server = await startTestServer({}, { openParts });
    const response = await request(server, '/test/a');
    const id = response.headers.get('x-request-id') ?? '';
    expect(response.status).toBe(500);
    expect(await response.text()).toBe(
      `{"errors":[{"code":"UNKNOWN","message":"unknown error","detail":{"id":"${id}"}}]}\n`,
    );
    const [line = '{}'] = server.logged.filter((text) => text.includes(id));
    expect(JSON.parse(line)).toMatchObject({
      level: 'error',
      msg: 'a request failed',
      id,
      method: 'GET',
      path: '/test/a',
      cause: 'Error: because',
    });
    expect(line).toContain('TypeError: /var/lib/signet is not a function');
  });

  test('cannot be taken for another type of content, and has an id of its own', async () => {
    const server = await startTestServer({}, { openParts: testParts(async () => new Response('<script>')) });
    const [one, two] = await Promise.all([request(server, '/test/a'), request(server, '/test/a')]);
    expect(one.headers.get('x-content-type-options')).toBe('nosniff');
    expect(one.headers.get('x-request-id')).not.toBe(two.headers.get('x-request-id'));
  });
});

describe('a body', () => {
  async function reading() {
    let outcome = '';
    const openParts = testParts(async (call) => {
      try {
        const { length } = await readBody(call, 1024, { tooLarge: () => new SignetError('blob-too-large', 'never') });
        outcome = `read ${length}`;
        return new Response(outcome);
      } catch (error) {
        outcome = String(error);
        throw error;
      }
    });
    const server = await startTestServer({ idleTimeout: 1, accessLog: 'stderr' }, { openParts });
    return { server, outcome: () => outcome };
  }

  test('as long as the part allows is read, a longer one refused, declared or not', async () => {
    const { server, outcome } = await reading();
    expect(await (await request(server, '/test/a', { method: 'POST', body: 'a'.repeat(1024) })).text()).toBe(
      'read 1024',
    );
    const declared = await request(server, '/test/a', { method: 'POST', body: 'a'.repeat(1025) });
    expect([declared.status, await declared.text()]).toEqual([
      413,
      '{"errors":[{"code":"TOO_LARGE","message":"the body of the request is larger than 1024 bytes"}]}\n',
    ]);
    expect(outcome()).toBe('read 1024');
    const chunked = [
      'POST /test/a HTTP/1.1',
      HOST,
      'Transfer-Encoding: chunked',
      '',
      '401',
      'a'.repeat(1025),
      '0',
      '',
      '',
    ];
    const socket = await open(server);
    socket.write(chunked.join('\r\n'));
    const [answer = ''] = await Promise.race([firstData(socket), received(socket).then((text) => [text])]);
    expect(answer).toStartWith('HTTP/1.1 413 ');
  });

  test('that comes too slowly is cut off', async () => {
    const { server, outcome } = await reading();
    const socket = await open(server);
    const closed = received(socket);
    socket.write(['POST /test/a HTTP/1.1', HOST, 'Content-Length: 1024', '', 'a'].join('\r\n'));
    const trickle = setInterval(() => socket.write('a'), 200);
    expect(await closed).not.toContain('200 OK');
    clearInterval(trickle);
    await until(() => outcome() !== '');
    expect(outcome()).not.toStartWith('read');
  }, 30_000);

  test('that breaks off is no error of the server', async () => {
    const { server, outcome } = await reading();
    const socket = await open(server);
    socket.write(['POST /test/a HTTP/1.1', HOST, 'Content-Length: 1024', '', 'abc'].join('\r\n'));
    await Bun.sleep(50);
    socket.destroy();
    await until(() => outcome() !== '');
    expect(outcome()).not.toStartWith('read');
    await until(() => server.logged.some((line) => line.includes('"status":499')));
    expect(server.logged.filter((line) => line.includes('"error"'))).toEqual([]);
  });

  test('or a request, or a handshake, that does not come at all is cut off too', async () => {
    const { server } = await reading();
    const silent = connectPlainly({ host: '127.0.0.1', port: server.port });
    const handshaken = await open(server);
    const half = await open(server);
    half.write('GET /test/a HTTP/1.1\r\nHost: local');
    const closed = [received(silent), received(handshaken), received(half)];
    expect(await Promise.all(closed)).toEqual(['', '', '']);
  }, 30_000);

  test('of the registry may be larger than what the runtime takes by default', async () => {
    const openParts = testParts(
      async (call) => {
        let size = 0;
        for await (const piece of bodyOf(call)) size += piece.length;
        return new Response(`read ${size}`);
      },
      { body: { limit: Number.POSITIVE_INFINITY, memory: 0 } },
    );
    const server = await startTestServer({}, { openParts });
    const megabytes = new ReadableStream({
      pull(controller) {
        controller.enqueue(new Uint8Array(2 ** 20));
        sent++;
        if (sent === 160) controller.close();
      },
    });
    let sent = 0;
    const response = await request(server, '/test/a', { method: 'POST', body: megabytes });
    expect(await response.text()).toBe(`read ${160 * 2 ** 20}`);
  }, 60_000);
});

test('TLS before 1.2 is refused', async () => {
  const server = await startTestServer({}, { openParts: testParts(async () => new Response('ok')) });
  const socket = connectPlainly({ host: '127.0.0.1', port: server.port });
  const answer = received(socket);
  socket.write(clientHello(Buffer.from('0302', 'hex')));
  const [fatal, protocolVersion] = [2, 70];
  expect([...Buffer.from(await answer, 'latin1')].slice(-2)).toEqual([fatal, protocolVersion]);
});

describe('too many requests', () => {
  test('are turned away while the others run, probes excepted', async () => {
    const door = gateway();
    let running = 0;
    const openParts = testParts(async () => {
      running++;
      await door.opened;
      return new Response('ok');
    });
    const server = await startTestServer({ maxRequests: 2 }, { openParts });
    const first = [request(server, '/test/a'), request(server, '/test/a')];
    await until(() => running === 2);
    const third = await request(server, '/test/a');
    expect([third.status, third.headers.get('retry-after')]).toEqual([503, '1']);
    expect(await third.text()).toBe(
      '{"errors":[{"code":"UNAVAILABLE","message":"the server is busy, try again soon"}]}\n',
    );
    expect((await request(server, '/_signet/health')).status).toBe(200);
    door.open();
    expect(await Promise.all(first.map(async (response) => (await response).status))).toEqual([200, 200]);
    expect((await request(server, '/test/a')).status).toBe(200);
  });
});

describe('stopping', () => {
  async function slowServer(shutdownGrace: number) {
    const door = gateway();
    let running = 0;
    const openParts = testParts(async () => {
      running++;
      await door.opened;
      return new Response('done');
    });
    const server = await startTestServer({ shutdownGrace }, { openParts });
    const answer = request(server, '/test/slow').then(
      (response) => response.text(),
      () => 'cut off',
    );
    await until(() => running === 1);
    return { server, answer, open: door.open };
  }

  test('lets a running request end, accepts nothing more, and closes idle connections', async () => {
    const { server, answer, open: openDoor } = await slowServer(60);
    const idle = await open(server);
    const closed = received(idle);
    const stopped = server.stop();
    expect(await open(server).catch(({ code }) => code)).toBe('ECONNREFUSED');
    openDoor();
    expect(await answer).toBe('done');
    await stopped;
    expect(await closed).toBe('');
  });

  test('cuts a request off that does not end within the grace period', async () => {
    const { server, answer, open: openDoor } = await slowServer(0);
    await server.stop();
    expect(await answer).toBe('cut off');
    openDoor();
  });

  test('waits for requests that came before a new certificate', async () => {
    let now = Date.now();
    const door = gateway();
    let running = 0;
    const openParts = testParts(async () => {
      running++;
      await door.opened;
      return new Response('done');
    });
    const server = await startTestServer({}, { now: () => now, openParts });
    const answer = request(server, '/test/slow').then((response) => response.text());
    await until(() => running === 1);
    now += 370 * DAY;
    await server.reload();
    const stopped = server.stop();
    door.open();
    expect(await answer).toBe('done');
    await stopped;
  });
});

describe('health and metrics', () => {
  test('are those of all parts', async () => {
    const server = await startTestServer();
    for (const path of ['/_signet/health', '/_notary_server/health']) {
      const response = await request(server, path);
      expect([response.status, await response.text()]).toEqual([200, '{}']);
    }
    await request(server, `/v2/localhost:${server.port}/a/_trust/tuf/root.json`);
    const response = await request(server, '/metrics');
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    const text = await response.text();
    for (const line of [
      'signet_http_requests_total{part="health",method="GET",status="200"} 2',
      'signet_http_requests_total{part="trust",method="GET",status="401"} 1',
      'signet_http_request_duration_seconds_count{part="health"} 2',
      'signet_http_requests_in_flight 1',
      '# TYPE notary_server_http_requests_total counter',
    ]) {
      expect(text).toContain(`${line}\n`);
    }
    expect(text).toMatch(/^process_resident_memory_bytes \d+$/m);
    for (const line of text.trimEnd().split('\n')) {
      expect(line).toMatch(
        /^(?:# (?:HELP|TYPE) [a-z_]+ .+|[a-z_]+(?:\{[a-z]+="[^"]*"(?:,[a-z]+="[^"]*")*\})? [0-9.e+-]+)$/,
      );
    }
  });

  test('metrics can be kept for this machine, or for administrators', async () => {
    const proxied = { listen: { host: '127.0.0.1', port: 0 }, tls: false, behindProxy: true };
    const local = await startTestServer({ ...proxied, metrics: 'local' });
    const from = (address: string) =>
      fetch(`${local.url}/metrics`, { headers: { 'X-Forwarded-For': address } }).then(({ status }) => status);
    expect([await from('127.0.0.1'), await from('::1'), await from('::ffff:127.0.0.1')]).toEqual([200, 200, 200]);
    expect([await from('192.0.2.7'), await from('2001:db8::1')]).toEqual([404, 404]);

    const guarded = await startTestServer({ metrics: 'admin' });
    const stranger = await request(guarded, '/metrics');
    expect(stranger.status).toBe(401);
    expect(stranger.headers.get('www-authenticate')).toEndWith('scope="registry:catalog:*"');
    const { name = '', password = '' } = guarded.administrator ?? {};
    const Authorization = `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
    const admin = await request(guarded, '/metrics', { headers: { Authorization } });
    expect([admin.status, await admin.text()]).toEqual([200, expect.stringContaining('signet_http_requests_total')]);
    expect((await request(guarded, '/_signet/health')).status).toBe(200);
  });

  test('show what is wrong', async () => {
    const open = testParts(async () => new Response());
    const openParts = async () => ({
      ...(await open()),
      health: async () => new Map([['DB operational', 'it is gone']]),
    });
    const server = await startTestServer({}, { openParts });
    const response = await request(server, '/_signet/health');
    expect([response.status, await response.text()]).toEqual([503, '{"DB operational":"it is gone"}']);
  });
});

describe('the logs', () => {
  test('never hold a password or a token, whichever way it came and whatever became of it', async () => {
    const server = await startTestServer({ accessLog: 'stderr', logLevel: 'debug' });
    const { password = '' } = server.administrator ?? {};
    const basic = Buffer.from(`admin:${password}`).toString('base64');
    const secrets = [password, basic];
    const get = await request(server, '/auth/token?service=signet&offline_token=true&account=admin', {
      headers: { Authorization: `Basic ${basic}` },
    });
    const answer = (await get.json()) as { token: string; refresh_token: string };
    secrets.push(answer.token, answer.refresh_token);
    const form = (fields: Record<string, string>) =>
      request(server, '/auth/token', { method: 'POST', body: new URLSearchParams({ service: 'signet', ...fields }) });
    await form({ grant_type: 'password', username: 'admin', password });
    await form({ grant_type: 'refresh_token', refresh_token: answer.refresh_token });
    await form({ grant_type: 'password', username: 'admin', password: 'wrong-secret' });
    await request(server, `/auth/token?password=${password}&refresh_token=${answer.refresh_token}`);
    await request(server, '/v2/', { headers: { Authorization: `Bearer ${answer.token}` } });
    await request(server, '/v2/', { headers: { Authorization: 'Bearer wrong-secret' } });
    await request(server, '/v2/', { headers: { Authorization: `Basic ${basic}`, Cookie: 'wrong-secret' } });
    await server.stop();
    const log = server.logged.join('');
    expect(server.logged.filter((line) => line.includes('"msg":"request"'))).toHaveLength(8);
    expect(log).toContain('"user":"admin"');
    expect(secrets.every((secret) => secret.length > 10)).toBe(true);
    for (const secret of [...secrets, 'wrong-secret', encodeURIComponent(basic)]) expect(log).not.toContain(secret);
  });

  test('of requests that a part turned down carry no more than the rest', async () => {
    const openParts = testParts(async () => {
      throw new AuthorizationRequired([{ type: 'repository', name: 'a', actions: ['pull'] }], 'invalid_token');
    });
    const server = await startTestServer({}, { openParts });
    expect((await request(server, '/test/a')).status).toBe(401);
    expect(server.logged.filter((line) => line.includes('failed'))).toEqual([]);
  });
});

/** The beginning of a handshake of a client that knows no higher version of TLS. */
function clientHello(version: Buffer): Buffer {
  const random = Buffer.alloc(32, 7);
  const suites = Buffer.from('0006c009c00a002f', 'hex');
  const groups = Buffer.from('000a00060004001d0017', 'hex');
  const points = Buffer.from('000b00020100', 'hex');
  const extensions = Buffer.concat([groups, points]);
  const noSession = Buffer.of(0);
  const noCompression = Buffer.of(1, 0);
  const body = Buffer.concat([
    version,
    random,
    noSession,
    suites,
    noCompression,
    uint16(extensions.length),
    extensions,
  ]);
  const message = Buffer.concat([Buffer.of(1, 0), uint16(body.length), body]);
  return Buffer.concat([Buffer.from('160301', 'hex'), uint16(message.length), message]);
}

function uint16(value: number): Buffer {
  return Buffer.of(value >> 8, value & 0xff);
}

/** The next bytes on a connection. */
function firstData(socket: Awaited<ReturnType<typeof open>>): Promise<string[]> {
  return new Promise((resolve) => socket.once('data', (chunk: Buffer) => resolve([chunk.toString('latin1')])));
}

async function tokenOf(server: TestServer): Promise<string> {
  const { name = '', password = '' } = server.administrator ?? {};
  const headers = { Authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}` };
  const response = await request(server, '/auth/token?service=signet', { headers });
  return ((await response.json()) as { token: string }).token;
}
