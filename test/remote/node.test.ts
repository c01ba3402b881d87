import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { findProgram } from '../support/clis.ts';
import { run } from '../support/run.ts';
import { temporaryFolder } from '../support/temp.ts';
import { makeAuthority } from './certificates.ts';
import type { Errand } from './node-client.ts';
import { serve, serveBytes, serveSocket } from './servers.ts';

const authority = makeAuthority('the authority');
const stranger = makeAuthority('another authority');
const certificate = authority.issue(['localhost']);
const authorities = [authority.cert];
const SCRIPT = join(import.meta.dir, 'node-client.ts');

test('the HTTP client does the same under Node as under Bun', async () => {
  const echo = serve(
    async (request) => new Response(`${request.method} ${request.headers.get('host')} ${await request.text()}`),
    certificate,
  );
  const plain = serve(() => new Response('plain'));
  const pinned = serve((request) => new Response(request.headers.get('host')), authority.issue(['pinned.example']));
  const mutual = serve(() => new Response('welcome'), { ...certificate, ca: authority.cert, requestCert: true });
  const redirecting = serve(
    (_, url) => (url.pathname === '/' ? Response.redirect('/there', 302) : new Response('there')),
    certificate,
  );
  const once = await serveSocket((socket) => {
    socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
  });
  const expected: [Errand, string][] = [
    [{ url: echo.origin, authorities }, `200 GET localhost:${echo.port} `],
    [{ url: echo.origin, authorities, method: 'POST', body: 'text' }, `200 POST localhost:${echo.port} text`],
    [{ url: echo.origin, authorities, method: 'HEAD' }, '200 '],
    [{ url: echo.origin }, 'tls-untrusted'],
    [{ url: echo.origin, authorities: [stranger.cert] }, 'tls-untrusted'],
    [{ url: echo.origin, authorities: [stranger.cert, authority.cert] }, `200 GET localhost:${echo.port} `],
    [{ url: echo.origin, verify: false }, `200 GET localhost:${echo.port} `],
    [{ url: `https://127.0.0.1:${echo.port}`, authorities }, 'tls-untrusted'],
    [
      { url: `https://pinned.example:${pinned.port}`, authorities, address: '127.0.0.1' },
      `200 pinned.example:${pinned.port}`,
    ],
    [{ url: mutual.origin, authorities, identity: authority.issue(['client']) }, '200 welcome'],
    [{ url: redirecting.origin, authorities }, '302 '],
    [{ url: redirecting.origin, authorities, redirects: 1 }, '200 there'],
    [{ url: plain.origin }, '200 plain'],
    [{ url: once.origin }, '200 ok'],
    [{ url: `https://localhost:${plain.port}` }, 'tls-failed'],
    [{ url: 'http://127.0.0.1:1' }, 'network-unreachable'],
    [{ url: 'https://no-such-host.invalid' }, 'network-unreachable'],
    [{ url: (await serveBytes('')).origin }, 'network-unreachable'],
    [{ url: (await serveBytes('SSH-2.0-OpenSSH\r\n')).origin }, 'response-invalid'],
    [{ url: (await serveBytes('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc')).origin }, 'network-unreachable'],
    [{ url: (await serveBytes('HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\nabc')).origin }, 'response-too-large'],
    [{ url: (await serveBytes(`HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(5000)}`)).origin }, 'response-too-large'],
    [{ url: (await serveBytes(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(3_000_000)}\r\n\r\n`)).origin }, 'response-invalid'],
    [
      { url: (await serveBytes('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc', 'hang')).origin, patience: 500 },
      'network-timeout',
    ],
    [{ url: (await serveSocket(() => {})).origin, patience: 500 }, 'network-timeout'],
  ];
  const stdin = JSON.stringify(expected.map(([errand]) => errand));
  const outcomes = expected.map(([, outcome]) => outcome);

  const withBun = await run([process.execPath, SCRIPT], { stdin });
  expect(JSON.parse(withBun.stdout)).toEqual(outcomes);
  expect(once.connections).toBe(1);

  const bundle = await Bun.build({ entrypoints: [SCRIPT], outdir: temporaryFolder(), target: 'node', format: 'esm' });
  const withNode = await run([findProgram('node'), bundle.outputs[0]?.path ?? ''], { stdin });
  expect(withNode.stderr).toBe('');
  expect(JSON.parse(withNode.stdout)).toEqual(outcomes);
  expect(once.connections).toBe(2);
}, 60_000);
