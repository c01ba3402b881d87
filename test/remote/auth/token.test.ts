import { describe, expect, test } from 'bun:test';
import type { Login } from '../../../src/core/login.ts';
import { parseTokenAnswer, requestToken, type TokenOptions } from '../../../src/remote/auth/token.ts';
import { HttpClient } from '../../../src/remote/http/http.ts';
import { failure } from '../../support/failure.ts';
import { serve } from '../servers.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');
const SCOPES = [{ type: 'repository', name: 'reg:5000/a/b', actions: ['pull', 'push'] }];

function answer(members: unknown) {
  return parseTokenAnswer(Buffer.from(typeof members === 'string' ? members : JSON.stringify(members)), NOW);
}

function login(more: Partial<Login> = {}): Login {
  return { username: 'alice', password: Buffer.from('s3cret'), identityToken: undefined, ...more };
}

describe('parseTokenAnswer', () => {
  test.each([
    ['token', { token: 'a.b-c_d~e+f/g=' }, 'a.b-c_d~e+f/g=', 60],
    ['access_token', { access_token: 'abc' }, 'abc', 60],
    ['both, of which access_token counts', { token: 'abc', access_token: 'def' }, 'def', 60],
    ['a life', { token: 'abc', expires_in: 300 }, 'abc', 300],
    ['a life below the least', { token: 'abc', expires_in: 5 }, 'abc', 60],
    ['a negative life', { token: 'abc', expires_in: -5 }, 'abc', 60],
    ['a life without end', { token: 'abc', expires_in: 2 ** 52 }, 'abc', 24 * 3600],
    ['null for a life', { token: 'abc', expires_in: null }, 'abc', 60],
    ['a time of issue', { token: 'abc', expires_in: 300, issued_at: '2026-11-23T11:59:00Z' }, 'abc', 240],
    ['a time of issue to come', { token: 'abc', expires_in: 300, issued_at: '2027-01-01T00:00:00Z' }, 'abc', 300],
    [
      'no time of issue, as Go writes it',
      { token: 'abc', expires_in: 300, issued_at: '0001-01-01T00:00:00Z' },
      'abc',
      300,
    ],
    ['unknown members', { token: 'abc', scope: 'x', more: { deep: [1.5] } }, 'abc', 60],
  ])('reads %s', (_, members, value, seconds) => {
    expect(answer(members)).toEqual({ token: { value, expires: NOW + seconds * 1000 }, refreshToken: undefined });
  });

  test('reads a refresh token', () => {
    expect(answer({ token: 'abc', refresh_token: 'r.t' }).refreshToken?.toString()).toBe('r.t');
  });

  test.each([
    ['no token', {}],
    ['an empty token', { token: '', access_token: '' }],
    ['a token that would end the header', { token: 'abc\r\nX-Injected: yes' }],
    ['a token with a space', { token: 'abc def' }],
    ['a token that is too long', { token: 'a'.repeat(40_000) }],
    ['a number for a token', { token: 5 }],
    ['a life that is a text', { token: 'abc', expires_in: '300' }],
    ['a time that is none', { token: 'abc', issued_at: 'yesterday' }],
    ['a member of another case', { token: 'abc', Access_Token: 'def' }],
    ['a refresh token with a line break', { token: 'abc', refresh_token: 'a\nb' }],
    ['an array', []],
    ['no JSON', 'token=abc'],
    ['bytes after the end', '{"token":"abc"}{"token":"def"}'],
    ['a member twice', '{"token":"abc","token":"def"}'],
  ])('refuses %s', async (_, members) => {
    await failure(() => answer(members), 'response-invalid');
  });
});

describe('requestToken', () => {
  const http = new HttpClient({ userAgent: 'test', sleep: async () => {} });
  const ask = (origin: string, more: Partial<TokenOptions> = {}) =>
    requestToken(
      http,
      {
        realm: new URL('/token?kept=yes', origin),
        service: 'a service',
        scopes: SCOPES,
        login: undefined,
        clientId: 'docker',
        ...more,
      },
      NOW,
    );

  test('without a login asks for what everyone may', async () => {
    const service = serve(() => Response.json({ token: 'abc' }));
    expect((await ask(service.origin)).token.value).toBe('abc');
    const [request] = service.requests;
    const url = new URL(request?.url ?? '');
    expect([...url.searchParams]).toEqual([
      ['kept', 'yes'],
      ['service', 'a service'],
      ['scope', 'repository:reg:5000/a/b:pull,push'],
    ]);
    expect(request?.method).toBe('GET');
    expect(request?.headers.has('authorization')).toBe(false);
  });

  test('with a password sends it by Basic authentication, never in the address', async () => {
    const service = serve(() => Response.json({ token: 'abc' }));
    await ask(service.origin, { login: login(), offline: true });
    const [request] = service.requests;
    const url = new URL(request?.url ?? '');
    expect(url.searchParams.get('account')).toBe('alice');
    expect(url.searchParams.get('offline_token')).toBe('true');
    expect(url.searchParams.get('client_id')).toBe('docker');
    expect(url.href).not.toContain('s3cret');
    expect(request?.headers.get('authorization')).toBe(`Basic ${btoa('alice:s3cret')}`);
  });

  test('with an identity token posts it', async () => {
    const service = serve(() => Response.json({ access_token: 'abc', scope: 'x' }));
    await ask(service.origin, { login: login({ identityToken: Buffer.from('r.t') }) });
    const [request] = service.requests;
    expect(request?.method).toBe('POST');
    expect(request?.headers.get('content-type')).toBe('application/x-www-form-urlencoded');
    expect(request?.headers.has('authorization')).toBe(false);
    const form = new URLSearchParams(await request?.text());
    expect([...form].sort()).toEqual([
      ['client_id', 'docker'],
      ['grant_type', 'refresh_token'],
      ['refresh_token', 'r.t'],
      ['scope', 'repository:reg:5000/a/b:pull,push'],
      ['service', 'a service'],
    ]);
  });

  test.each([
    [401, { details: 'incorrect username or password' }, 'unauthorized', ': incorrect username or password'],
    [
      401,
      { errors: [{ code: 'UNAUTHORIZED', message: 'authentication\nrequired' }] },
      'unauthorized',
      ': authentication required',
    ],
    [403, {}, 'unauthorized', ''],
    [500, { error: 'invalid_client' }, 'server-error', ': invalid_client'],
    [302, {}, 'server-error', ''],
  ] as const)('says why the service answers with %d', async (status, body, code, said) => {
    const service = serve(() => Response.json(body, { status }));
    const error = await failure(ask(service.origin, { login: login() }), code);
    expect(error.message).toEndWith(said);
    expect(error.message).toContain(service.origin);
    expect(JSON.stringify(error)).not.toContain('s3cret');
    expect(error.detail.status).toBe(status);
  });

  test('refuses an endless answer', async () => {
    const service = serve(() => new Response(`{"token":"${'a'.repeat(300_000)}"}`));
    await failure(ask(service.origin), 'response-too-large');
  });
});
