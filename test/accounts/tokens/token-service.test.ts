import { beforeEach, expect, test } from 'bun:test';
import { parseUserName } from '../../../src/accounts/identity/user-name.ts';
import { parseScope } from '../../../src/core/scope.ts';
import { AuthorizationRequired, OPEN_GATE } from '../../../src/http/gate.ts';
import { ask as answerOf } from '../../support/routes.ts';
import { addUser, basic, failure, NOON, PASSWORD, type World, world } from '../world.ts';

const REALM = 'https://localhost:5000/auth/token';

let made: World;
beforeEach(async () => {
  made = world();
  await addUser(made.store, 'alice', { grants: { 'team/*': 'pull' } });
});

async function ask(request: Request): Promise<Response> {
  const response = await answerOf(made.accounts.routes, request, OPEN_GATE, made.address);
  if (response === undefined) throw new Error('not a path of the token service');
  return response;
}

const get = (query: string, authorization?: string) =>
  ask(new Request(`${REALM}${query}`, { headers: authorization === undefined ? {} : { authorization } }));
const post = (fields: Record<string, string>) =>
  ask(new Request(REALM, { method: 'POST', body: new URLSearchParams(fields) }));

/** Which of the scopes the token of an answer opens. */
async function opens(response: Response, ...scopes: string[]): Promise<boolean[]> {
  expect(response.status).toBe(200);
  const { token } = (await response.json()) as { token: string };
  const gate = await made.accounts.gateFor(
    new Request(REALM, { headers: { authorization: `Bearer ${token}` } }),
    made.address,
  );
  return Promise.all(scopes.map((scope) => gate.allows(parseScope(scope))));
}

test('answers only its own path', async () => {
  for (const path of ['/auth/token/', '/auth', '/v2/', '/auth/tokens', '/Auth/token']) {
    const url = `https://localhost:5000${path}`;
    expect(await answerOf(made.accounts.routes, new Request(url))).toBeUndefined();
  }
});

test('answers docker login with a token and, as it asks, a refresh token', async () => {
  const response = await get('?account=alice&client_id=docker&offline_token=true&service=signet', basic('alice'));
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
  expect(response.headers.get('cache-control')).toBe('no-store');
  const body = (await response.json()) as Record<string, unknown>;
  expect(body).toEqual({
    token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
    access_token: body.token,
    scope: '',
    expires_in: 300,
    issued_at: '2026-11-23T12:00:00Z',
    refresh_token: expect.stringMatching(/^[\w-]{43}$/),
  });
});

test('gives no refresh token unasked, nor to anyone', async () => {
  expect(await (await get('', basic('alice'))).json()).not.toHaveProperty('refresh_token');
  expect(await (await get('?offline_token=true')).json()).not.toHaveProperty('refresh_token');
});

test('grants what there is of what was asked, and says so', async () => {
  const response = await get(
    '?service=signet&scope=repository:alice/app:pull,push&scope=repository:team/app:pull,push%20repository:bob/app:pull&scope=registry:catalog:*',
    basic('alice'),
  );
  const copy = response.clone();
  expect(await opens(response, 'repository:alice/app:pull,push', 'repository:team/app:pull')).toEqual([true, true]);
  expect(((await copy.json()) as { scope: string }).scope).toBe(
    'repository:alice/app:pull,push repository:team/app:pull',
  );
});

test('a token opens nothing that was not asked for', async () => {
  const response = await get('?scope=repository:alice/app:pull', basic('alice'));
  expect(
    await opens(
      response,
      'repository:alice/app:pull',
      'repository:alice/app:push',
      'repository:alice/app:*',
      'repository:alice/other:pull',
      'repository:localhost:5000/alice/app:pull',
      'registry:catalog:*',
    ),
  ).toEqual([true, false, false, false, false, false]);
});

test('as many scopes as may be asked for, as long as they may be, make a token that is accepted', async () => {
  const names = Array.from({ length: 32 }, (_, index) => `alice/${String(index).padStart(249, 'a')}`);
  const scopes = names.map((name) => `repository:${name}:pull,push,delete`);
  const response = await get(`?${scopes.map((scope) => `scope=${scope}`).join('&')}`, basic('alice'));
  expect(await opens(response, ...scopes)).toEqual(Array(32).fill(true));
});

test('anyone gets a token, for what is public', async () => {
  const response = await get('?scope=repository:library/busybox:pull,push&scope=repository:alice/app:pull');
  expect(await opens(response, 'repository:library/busybox:pull', 'repository:library/busybox:push')).toEqual([
    true,
    false,
  ]);
});

test('knows the password grant', async () => {
  const response = await post({
    grant_type: 'password',
    username: 'alice',
    password: PASSWORD,
    service: 'signet',
    client_id: 'docker',
    access_type: 'offline',
    scope: 'repository:alice/app:pull repository:alice/b:push',
  });
  const body = (await response.clone().json()) as Record<string, string>;
  expect(body.refresh_token).toHaveLength(43);
  expect(body.scope).toBe('repository:alice/app:pull repository:alice/b:push');
  expect(await opens(response, 'repository:alice/app:pull', 'repository:alice/b:push')).toEqual([true, true]);
});

test('a refresh token brings tokens until the password changes', async () => {
  const { refresh_token } = (await (await get('?offline_token=true', basic('alice'))).json()) as {
    refresh_token: string;
  };
  const fields = { grant_type: 'refresh_token', refresh_token, service: 'signet', scope: 'repository:alice/app:push' };
  const first = await post(fields);
  expect(await first.clone().json()).not.toHaveProperty('refresh_token');
  expect(await opens(first, 'repository:alice/app:push')).toEqual([true]);
  await made.store.updateUser(parseUserName('alice'), { passwordHash: 'new' }, NOON);
  const refused = await post(fields);
  expect(refused.status).toBe(401);
  expect(((await refused.json()) as { details: string }).details).toBe(
    'the login has expired or was ended, log in again',
  );
});

test('a refresh token is no access token, and the other way round', async () => {
  const body = (await (await get('?offline_token=true', basic('alice'))).json()) as Record<string, string>;
  const gate = await made.accounts.gateFor(
    new Request(REALM, { headers: { authorization: `Bearer ${body.refresh_token}` } }),
    made.address,
  );
  expect(await failure(gate.require())).toMatchObject({ reason: 'invalid_token' });
  const response = await post({ grant_type: 'refresh_token', refresh_token: body.token ?? '' });
  expect(response.status).toBe(401);
});

test.each([
  ['alice', 'wrong horse'],
  ['nobody', PASSWORD],
  ['docker.io', PASSWORD],
])('%p with %p is refused in words that docker shows', async (name, password) => {
  const refusals = [
    await get('?service=signet&scope=repository:library/busybox:pull', basic(name, password)),
    await post({ grant_type: 'password', username: name, password: `${password}2` }),
  ];
  for (const response of refusals) {
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toStartWith('Basic realm=');
    expect(await response.json()).toEqual({
      errors: [{ code: 'UNAUTHORIZED', message: 'incorrect username or password' }],
      details: 'incorrect username or password',
    });
  }
});

test('too many failures are told to wait', async () => {
  for (let guess = 0; guess < 5; guess++) await get('', basic('alice', `guess number ${guess}`));
  const response = await get('', basic('alice'));
  expect(response.status).toBe(429);
  expect(response.headers.get('retry-after')).toBe('1');
  expect(await response.json()).toEqual({
    errors: [{ code: 'TOOMANYREQUESTS', message: 'too many failed logins, try again in 1 s' }],
    details: 'too many failed logins, try again in 1 s',
  });
  made.elapsed += 1000;
  expect((await get('', basic('alice'))).status).toBe(200);
});

test('each address is slowed down for itself', async () => {
  await addUser(made.store, 'bob');
  for (let guess = 0; guess < 5; guess++) await get('', basic(`user${guess}`));
  expect((await get('', basic('bob'))).status).toBe(429);
  made.address = '192.0.2.2';
  expect((await get('', basic('bob'))).status).toBe(200);
});

test('tokens for another service are not made here', async () => {
  const response = await get('?service=registry.docker.io', basic('alice'));
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ errors: [{ code: 'INVALID_PARAMETERS' }] });
});

test('a disabled user gets nothing', async () => {
  await made.store.updateUser(parseUserName('alice'), { disabled: true }, NOON);
  expect((await get('', basic('alice'))).status).toBe(401);
});

test('other methods are refused', async () => {
  for (const method of ['PUT', 'DELETE', 'HEAD', 'OPTIONS']) {
    const response = await ask(new Request(REALM, { method }));
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, POST']);
  }
});

test('tokens live as long as the settings say', async () => {
  made = world({ tokenLifetime: 60, store: made.store });
  const response = await get('?scope=repository:alice/app:pull', basic('alice'));
  const { token, expires_in } = (await response.json()) as { token: string; expires_in: number };
  expect(expires_in).toBe(60);
  made.now += 60_000;
  const gate = await made.accounts.gateFor(
    new Request(REALM, { headers: { authorization: `Bearer ${token}` } }),
    made.address,
  );
  expect(await failure(gate.require())).toBeInstanceOf(AuthorizationRequired);
});
