import { expect, test } from 'bun:test';
import { readTokenRequest, type TokenRequest } from '../../../src/accounts/tokens/token-request.ts';
import { parseScope } from '../../../src/core/scope.ts';
import { callOf } from '../../support/routes.ts';
import { basic, codeOf } from '../world.ts';

const REALM = 'https://localhost:5000/auth/token';
const FORM = 'application/x-www-form-urlencoded';

function get(query: string, authorization?: string): Promise<TokenRequest> {
  const headers = authorization === undefined ? undefined : { authorization };
  return readTokenRequest(callOf(new Request(`${REALM}${query}`, { headers })));
}

function post(body: string | Uint8Array<ArrayBuffer> | ReadableStream, type: string = FORM): Promise<TokenRequest> {
  const request = new Request(REALM, { method: 'POST', body, headers: { 'content-type': type } });
  return readTokenRequest(callOf(request));
}

const PASSWORD_GRANT = 'grant_type=password&username=alice&password=secret';

test('reads what docker login sends', async () => {
  const query = '?account=alice&client_id=docker&offline_token=true&service=signet';
  expect(await get(query, basic('alice', 'secret'))).toEqual({
    service: 'signet',
    scopes: [],
    offline: true,
    proof: { kind: 'password', credentials: { name: 'alice', password: Buffer.from('secret') } },
  });
});

test('reads an anonymous request', async () => {
  expect(await get('')).toEqual({ service: undefined, scopes: [], offline: false, proof: { kind: 'none' } });
});

test('reads scopes as repeated parameters and with spaces between them', async () => {
  const scopes = ['repository:alice/app:pull,push', 'repository:[::1]:5000/alice/app:*', 'registry:catalog:*'].map(
    parseScope,
  );
  const [first, second, third] = [
    'repository%3Aalice%2Fapp%3Apull%2Cpush',
    'repository:[::1]:5000/alice/app:*',
    'registry:catalog:*',
  ];
  expect((await get(`?scope=${first}&scope=${second}+${third}&scope=&scope=+`)).scopes).toEqual(scopes);
  expect((await post(`${PASSWORD_GRANT}&scope=${first}%20${second}%20${third}`)).scopes).toEqual(scopes);
});

test('reads a password and a refresh token from a form', async () => {
  expect(
    await post('grant_type=password&username=%C3%A4lice&password=a%26b%3Dc+d&service=signet&access_type=offline'),
  ).toEqual({
    service: 'signet',
    scopes: [],
    offline: true,
    proof: { kind: 'password', credentials: { name: 'älice', password: Buffer.from('a&b=c d') } },
  });
  expect(await post('grant_type=refresh_token&refresh_token=abc&client_id=docker', `${FORM}; charset=utf-8`)).toEqual({
    service: undefined,
    scopes: [],
    offline: false,
    proof: { kind: 'refresh-token', token: 'abc' },
  });
});

test('the query of a POST counts for nothing', async () => {
  const url = `${REALM}?scope=repository:bob/app:push&service=other`;
  const request = new Request(url, { method: 'POST', body: PASSWORD_GRANT, headers: { 'content-type': FORM } });
  expect(await readTokenRequest(callOf(request))).toMatchObject({ service: undefined, scopes: [] });
});

test.each(['Bearer abc', 'Basic !!!', 'Basic', 'nonsense'])(
  'the Authorization header %p is refused',
  async (header) => {
    expect(await codeOf(get('', header))).toBe('token-request-invalid');
  },
);

test.each([
  '?service=signet&service=other',
  '?account=alice&account=bob',
  '?offline_token=true&offline_token=false',
  `?${'scope=repository:alice/app:pull&'.repeat(33)}`,
])('the query %p is refused', async (query) => {
  expect(await codeOf(get(query))).toBe('token-request-invalid');
});

test.each([
  '?scope=repository',
  '?scope=repository:alice/app:PULL',
  '?scope=:a:pull',
  `?scope=repository:${'a'.repeat(2000)}:pull`,
])('the malformed scope in %p is refused', async (query) => {
  expect(await codeOf(get(query))).toBe('name-invalid');
});

test.each([
  '',
  'username=alice&password=secret',
  'grant_type=authorization_code&code=1',
  'grant_type=password&username=alice',
  'grant_type=password&password=secret',
  'grant_type=refresh_token',
  `${PASSWORD_GRANT}&username=bob`,
  `${PASSWORD_GRANT}&grant_type=refresh_token`,
])('the form %p is refused', async (form) => {
  expect(await codeOf(post(form))).toBe('token-request-invalid');
});

test('only forms are read', async () => {
  for (const type of ['application/json', 'text/plain', `${FORM}x`, 'multipart/form-data; boundary=x']) {
    expect(await codeOf(post(PASSWORD_GRANT, type))).toBe('token-request-invalid');
  }
  expect(await codeOf(post(Buffer.from([0xff, 0xfe])))).toBe('json-malformed');
});

test('a form has an end', async () => {
  let sent = 0;
  const endless = new ReadableStream({
    pull: (controller) => {
      sent += 1024;
      controller.enqueue(Buffer.alloc(1024, 'a'));
    },
  });
  expect(await codeOf(post(endless))).toBe('too-large');
  expect(sent).toBeLessThan(200_000);
});
