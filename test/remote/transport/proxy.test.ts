import { describe, expect, test } from 'bun:test';
import { connect as connectPlain, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createServer as createTls } from 'node:tls';
import { proxyFor } from '../../../src/remote/transport/proxy.ts';
import { atEnd } from '../../support/cleanup.ts';
import { findProgram } from '../../support/clis.ts';
import { failure } from '../../support/failure.ts';
import { run } from '../../support/run.ts';
import { temporaryFolder } from '../../support/temp.ts';
import { makeAuthority } from '../certificates.ts';
import { serve } from '../servers.ts';

describe('the proxy of the environment', () => {
  const target = (text = 'https://registry.example') => new URL(text);

  test.each([
    ['https://proxy.example:3128', 'https://proxy.example:3128/'],
    ['http://proxy.example:3128', 'http://proxy.example:3128/'],
    ['proxy.example:3128', 'http://proxy.example:3128/'],
    ['proxy.example', 'http://proxy.example/'],
    ['192.0.2.1:3128', 'http://192.0.2.1:3128/'],
    ['[2001:db8::1]:3128', 'http://[2001:db8::1]:3128/'],
    ['user:pass@proxy.example:3128', 'http://user:pass@proxy.example:3128/'],
  ])('%s is %s', (value, proxy) => {
    expect(proxyFor(target(), { HTTPS_PROXY: value })?.href).toBe(proxy);
  });

  test('has its variable for each scheme, in either case, in capitals first', () => {
    const env = { HTTPS_PROXY: 'a.example', https_proxy: 'b.example', http_proxy: 'c.example', ALL_PROXY: 'd.example' };
    expect(proxyFor(target(), env)?.hostname).toBe('a.example');
    expect(proxyFor(target('http://registry.example'), env)?.hostname).toBe('c.example');
    expect(proxyFor(target(), { HTTPS_PROXY: '', https_proxy: 'b.example' })?.hostname).toBe('b.example');
    expect(proxyFor(target(), { HTTP_PROXY: 'c.example', ALL_PROXY: 'd.example' })).toBeUndefined();
  });

  test('that speaks something else is named', async () => {
    const error = await failure(
      () => proxyFor(target(), { HTTPS_PROXY: 'socks5://u:secret@x:1' }),
      'proxy-unsupported',
    );
    expect(error.message).toBe('HTTPS_PROXY names a proxy that speaks socks5; Signet knows http and https');
  });

  test.each(['bla bla', 'http://a b', 'u:secret@:x'])('that is no address (%s) is refused', async (value) => {
    const error = await failure(() => proxyFor(target(), { HTTPS_PROXY: value }), 'proxy-unsupported');
    expect(error.message).toBe('what HTTPS_PROXY holds is not the address of a proxy');
  });

  test.each(['localhost', '127.0.0.1', '127.9.9.9', '[::1]'])('is never used for %s', (host) => {
    expect(proxyFor(target(`https://${host}:5000`), { HTTPS_PROXY: 'proxy' })).toBeUndefined();
  });

  test.each([
    ['*', 'https://registry.example', true],
    ['registry.example', 'https://registry.example', true],
    ['REGISTRY.example', 'https://registry.example', true],
    ['example', 'https://registry.example', true],
    ['gistry.example', 'https://registry.example', false],
    ['.example', 'https://registry.example', true],
    ['.registry.example', 'https://registry.example', false],
    ['*.registry.example', 'https://registry.example', false],
    ['*.example', 'https://registry.example', true],
    ['a.example, registry.example ,b.example', 'https://registry.example', true],
    ['registry.example:443', 'https://registry.example', true],
    ['registry.example:5000', 'https://registry.example', false],
    ['registry.example:5000', 'https://registry.example:5000', true],
    ['.example:5000', 'https://registry.example:5000', true],
    ['192.0.2.1', 'https://192.0.2.1', true],
    ['192.0.2.1:5000', 'https://192.0.2.1', false],
    ['192.0.2.1:5000', 'https://192.0.2.1:5000', true],
    ['192.0.2.0/24', 'https://192.0.2.77:5000', true],
    ['192.0.3.0/24', 'https://192.0.2.77', false],
    ['192.0.2.64/26', 'https://192.0.2.77', true],
    ['192.0.2.128/25', 'https://192.0.2.77', false],
    ['0.0.0.0/0', 'https://192.0.2.77', true],
    ['::/0', 'https://192.0.2.77', false],
    ['192.0.2.0/33', 'https://192.0.2.77', false],
    ['2001:db8:0:0::5', 'https://[2001:db8::5]', true],
    ['2001:db8::6', 'https://[2001:db8::5]', false],
    ['2001:db8::/32', 'https://[2001:db8::5]', true],
    ['[2001:db8::5]:5000', 'https://[2001:db8::5]:5000', true],
    ['2001:db8::5', 'https://[2001:db8::5]', true],
    ['.2.1', 'https://192.0.2.1', false],
    [':5000', 'https://registry.example:5000', false],
    [',', 'https://registry.example', false],
  ])('NO_PROXY=%s for %s', (list, url, isDirect) => {
    const env = { HTTPS_PROXY: 'http://proxy.example', no_proxy: list };
    expect(proxyFor(target(url), env) === undefined).toBe(isDirect);
  });
});

describe('requests through a proxy', () => {
  const authority = makeAuthority('the authority');
  const site = serve(
    (request) => new Response(`hello from ${request.headers.get('host')}`),
    authority.issue(['site.example']),
  );
  const asked: string[] = [];

  /** A proxy that leads every `CONNECT` to the one site. */
  async function startProxy(isSecure: boolean): Promise<number> {
    const serveProxy = (socket: Socket) => {
      socket.on('error', () => {});
      socket.once('data', (head: Buffer) => {
        const lines = head.toString().split('\r\n');
        asked.push(lines.filter((line) => /^(?:CONNECT|Proxy-Authorization)\b/.test(line)).join(' '));
        const onward = connectPlain(site.port, '127.0.0.1', () => socket.write('HTTP/1.1 200 OK\r\n\r\n'));
        onward.on('error', () => {});
        socket.pipe(onward).pipe(socket);
      });
    };
    const server = isSecure ? createTls(authority.issue(['localhost']), serveProxy) : createServer(serveProxy);
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    atEnd(() => {
      server.close();
    });
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  const script = join(import.meta.dir, '../node-client.ts');

  test.each(['bun', 'node'])('arrive, over TLS and with a login, by %s', async (runtime) => {
    const bundle = await Bun.build({ entrypoints: [script], outdir: temporaryFolder(), target: 'node', format: 'esm' });
    const command =
      runtime === 'bun' ? [process.execPath, script] : [findProgram('node'), bundle.outputs[0]?.path ?? ''];
    const stdin = JSON.stringify([{ url: 'https://site.example/x', authorities: [authority.cert] }]);
    for (const [isSecure, prefix] of [
      [true, 'https://user:p%40ss@'],
      [false, 'http://user:p%40ss@'],
      [false, ''],
    ] as const) {
      asked.length = 0;
      const port = await startProxy(isSecure);
      const env = { PATH: process.env.PATH ?? '', HTTPS_PROXY: `${prefix}localhost:${port}` };
      const { stdout, stderr } = await run(command, { stdin, env });
      expect({ stdout, stderr }).toEqual({ stdout: '["200 hello from site.example"]', stderr: '' });
      const login = prefix === '' ? '' : ` Proxy-Authorization: Basic ${btoa('user:p@ss')}`;
      expect(asked[0]).toBe(`CONNECT site.example:443 HTTP/1.1${login}`);
    }
  });

  test.each(['bun', 'node'])('trust neither proxy nor site without their authority, by %s', async (runtime) => {
    const bundle = await Bun.build({ entrypoints: [script], outdir: temporaryFolder(), target: 'node', format: 'esm' });
    const command =
      runtime === 'bun' ? [process.execPath, script] : [findProgram('node'), bundle.outputs[0]?.path ?? ''];
    const stdin = JSON.stringify([
      { url: 'https://site.example/x', authorities: [makeAuthority('a stranger').cert] },
      { url: 'https://other.example/x', authorities: [authority.cert] },
    ]);
    for (const isSecure of [true, false]) {
      const env = {
        PATH: process.env.PATH ?? '',
        HTTPS_PROXY: `${isSecure ? 'https' : 'http'}://localhost:${await startProxy(isSecure)}`,
      };
      expect((await run(command, { stdin, env })).stdout).toBe('["tls-untrusted","tls-untrusted"]');
    }
  });
});
