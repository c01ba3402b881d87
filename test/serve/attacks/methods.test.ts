import { expect, test } from 'bun:test';
import { basic, PASSWORDS, Target } from './target.ts';
import { exchange, HOST, request } from './wire.ts';

// Requests that are HTTP, and nothing that this server does.

const target = await Target.start();
const access = await target.bearer('mallory', 'repository:mallory/app:*', `repository:${target.gun('mallory/app')}:*`);
const AUTHORIZATION = `Authorization: ${access.Authorization}`;
const paths = [
  '/',
  '/v2/',
  '/auth/token',
  '/metrics',
  '/_signet/health',
  '/v2/mallory/app/manifests/x',
  '/v2/mallory/app/tags/list',
  '/v2/mallory/app/blobs/uploads/',
  `/v2/${target.gun('mallory/app')}/_trust/tuf/`,
  `/v2/${target.gun('mallory/app')}/_trust/tuf/root.json`,
];
const methods = ['OPTIONS', 'TRACE', 'CONNECT', 'PATCH', 'PROPFIND', 'MOVE', 'LOCK', 'PURGE', 'SEARCH', 'LINK'];

test('methods that no one has use for', async () => {
  await target.withstands(async () => {
    for (const method of methods) {
      for (const path of paths) {
        const { statuses, text } = await exchange(
          target,
          request(`${method} ${path}`, HOST, AUTHORIZATION, 'X-Echo: echoed'),
        );
        expect([method, path, statuses]).toEqual([method, path, [expect.any(Number)]]);
        expect([method, path, [400, 404, 405].includes(statuses[0] ?? 0)]).toEqual([method, path, true]);
        expect(text).not.toContain('echoed');
        expect(text.toLowerCase()).not.toContain('access-control-');
      }
    }
  });
}, 60_000);

test('methods that are none', async () => {
  for (const method of ['get', 'GETX', 'G'.repeat(300), '', 'GET,POST', 'POST\t', '__proto__']) {
    const { statuses, isClosed } = await exchange(target, request(`${method} /v2/`, HOST), 2);
    expect([method, statuses.every((status) => status >= 400), isClosed]).toEqual([method, true, true]);
  }
});

test('a method in a header is not looked at', async () => {
  await target.withstands(async () => {
    const hers = '/v2/mallory/app/manifests/x';
    for (const name of ['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override']) {
      const { statuses } = await exchange(target, request(`GET ${hers}`, HOST, AUTHORIZATION, `${name}: DELETE`));
      expect(statuses).toEqual([404]);
    }
  });
}, 60_000);

test('neither WebSocket nor HTTP/2 is switched to', async () => {
  const webSocket = ['Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='];
  const http2 = ['Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__'];
  for (const path of paths) {
    for (const headers of [webSocket, http2, ['Upgrade: TLS/1.2']]) {
      const { statuses } = await exchange(target, request(`GET ${path}`, HOST, 'Connection: Upgrade', ...headers));
      expect([path, statuses.includes(101), statuses.length]).toEqual([path, false, 1]);
    }
  }
});

test('the request’s line and headers name no other host, and no other address of the token service', async () => {
  const tries: readonly (readonly [target: string, headers: readonly string[]])[] = [
    ['https://evil.example.com/v2/', []],
    ['http://localhost@evil.example.com/v2/', []],
    ['/v2/', ['X-Forwarded-Host: evil.example.com']],
    ['/v2/', ['X-Forwarded-Proto: http', 'X-Forwarded-Port: 1']],
    ['/v2/', ['Forwarded: host=evil.example.com;proto=http']],
    ['/v2/', ['X-Original-URL: /v2/_catalog', 'X-Rewrite-URL: /v2/_catalog']],
  ];
  for (const [line, headers] of tries) {
    const { statuses, text } = await exchange(target, request(`GET ${line}`, HOST, ...headers));
    expect([line, headers, statuses]).toEqual([line, headers, [401]]);
    expect(text).toContain('Bearer realm="https://localhost/auth/token",service="signet",scope="registry:catalog:*"');
  }
  for (const host of [
    'evil.example.com',
    'localhost:1',
    'localhost, evil.example.com',
    'localhost@evil.example.com',
    '',
  ]) {
    const { statuses, text } = await exchange(target, request('GET /v2/', `Host: ${host}`));
    expect([host, [400, 421].includes(statuses[0] ?? 0)]).toEqual([host, true]);
    expect(text.toLowerCase()).not.toContain('www-authenticate');
  }
});

test('an expectation is met or passed over, and no body is waited for that no one wants', async () => {
  const { Authorization } = basic('mallory', PASSWORDS.mallory);
  const head = [
    'PUT /v2/alice/app/manifests/x HTTP/1.1',
    HOST,
    `Authorization: ${Authorization}`,
    'Content-Length: 100',
  ];
  const { statuses } = await exchange(target, [...head, 'Expect: 100-continue', '', ''].join('\r\n'));
  expect(statuses.filter((status) => status !== 100)).toEqual([401]);
});
