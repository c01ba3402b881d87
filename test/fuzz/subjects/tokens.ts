import { deepStrictEqual, strictEqual } from 'node:assert';
import { parseAuthorization } from '../../../src/accounts/login/authorization.ts';
import { AccessTokens } from '../../../src/accounts/tokens/access-tokens.ts';
import { parseTokenKey } from '../../../src/accounts/tokens/token-key.ts';
import { readTokenRequest } from '../../../src/accounts/tokens/token-request.ts';
import { parseScope } from '../../../src/core/scope.ts';
import { parseTime } from '../../../src/core/time.ts';
import { parseTokenAnswer } from '../../../src/remote/auth/token.ts';
import { vector } from '../../core/keys/support.ts';
import { callOf } from '../../support/routes.ts';
import { Refused, type Subject } from '../engine.ts';
import { anyOf, bytes, words } from '../mutate.ts';
import { json } from '../mutate-json.ts';

const NOW = parseTime('2026-11-23T12:00:00Z');
const PIECES = [
  ...[
    'Bearer ',
    'Basic ',
    ' ',
    '=',
    '==',
    ':',
    'YTpi',
    '&',
    '+',
    '%2f',
    '%00',
    '%zz',
    ',',
    '*',
    'é',
    '\u0001',
    '\u{1f433}',
  ],
  ...[
    'grant_type=password',
    'scope=repository:a/b:pull',
    'refresh_token=',
    'username=',
    'access_type=offline',
    'service=',
  ],
];
const ACCESS = [parseScope('repository:alice/app:pull')];
const encode = (text: string | Buffer) => Buffer.from(text as string).toString('base64url');

/** A token says what was put into it when it was issued, or it is none. */
async function accessToken(): Promise<Subject> {
  const key = parseTokenKey(vector('keys/ec-pkcs8.pem'));
  const settings = { issuer: 'us', service: 'svc', key, tokenLifetime: 300, now: () => NOW };
  const issued = await new AccessTokens(settings).issue(undefined, ACCESS);
  const part = json([
    '"none"',
    '"HS256"',
    '"ES384"',
    '9999999999',
    '["svc","x"]',
    '"alice"',
    '{"alg":"none"}',
    '[]',
    '["*"]',
  ]);
  return {
    seeds: [Buffer.from(issued)],
    mutate: anyOf(bytes, words([`${encode('{"alg":"none"}')}.`, '.', '=', '_', '-', 'A']), (input, dice, others) => {
      const parts = input.toString('latin1').split('.');
      const at = dice.below(parts.length);
      const changed = part(Buffer.from(parts[at] ?? '', 'base64url'), dice, others);
      return Buffer.from(parts.with(at, encode(changed)).join('.'), 'latin1');
    }),
    refusals: [],
    check: async (input) => {
      const claims = await new AccessTokens(settings).verify(input.toString('latin1'));
      if (claims === undefined) throw new Refused();
      deepStrictEqual(claims, { user: undefined, access: ACCESS, expires: NOW + 300_000 });
    },
  };
}

const authorization: Subject = {
  seeds: ['Basic YWxpY2U6c2VjcmV0', 'Bearer a.b.c', 'basic OmE='].map((text) => Buffer.from(text)),
  mutate: anyOf(words(PIECES), bytes),
  refusals: [],
  check: (input) => {
    const text = input.toString('latin1');
    const read = parseAuthorization(text);
    if (read.scheme === 'malformed') throw new Refused();
    if (read.scheme === 'bearer') strictEqual(`Bearer ${read.token}`.toLowerCase(), text.toLowerCase());
    if (read.scheme !== 'basic') return;
    const { name, password } = read.credentials;
    strictEqual(Buffer.concat([Buffer.from(`${name}:`), password]).toString('base64'), text.slice('basic '.length));
  },
};

const tokenRequest: Subject = {
  seeds: [
    'grant_type=password&username=alice&password=x&service=s&scope=repository:a/b:pull+registry:catalog:*',
    'grant_type=refresh_token&refresh_token=r.t&access_type=offline&client_id=docker',
  ].map((text) => Buffer.from(text)),
  mutate: anyOf(words(PIECES), bytes),
  refusals: ['token-request-invalid', 'name-invalid', 'too-large', 'json-malformed'],
  check: async (input) => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const url = new URL('https://h/auth/token');
    const posted = new Request(url.href, { method: 'POST', body: new Uint8Array(input), headers });
    const read = await readTokenRequest(callOf(posted));
    strictEqual(read.proof.kind === 'none', false, 'a form without a proof is accepted');
  },
};

const tokenAnswer: Subject = {
  seeds: [
    '{"token":"abc","access_token":"d.e.f","expires_in":300,"issued_at":"2026-11-23T11:59:00Z","refresh_token":"r"}',
    '{"access_token":"x=="}',
  ].map((text) => Buffer.from(text)),
  mutate: anyOf(json(['"2026-11-23T12:00:00Z"', '"0001-01-01T00:00:00Z"', '300', '"a b"', '"\\n"']), bytes),
  refusals: ['response-invalid'],
  check: (input) => {
    const { token, refreshToken } = parseTokenAnswer(input, NOW);
    const texts = [token.value, ...(refreshToken === undefined ? [] : [refreshToken.toString('utf8')])];
    for (const text of texts)
      strictEqual(new Headers({ authorization: `Bearer ${text}` }).get('authorization'), `Bearer ${text}`);
    strictEqual(token.expires <= NOW + 24 * 3600 * 1000, true, 'a token lives longer than a day');
  },
};

export const TOKEN_SUBJECTS = {
  'access-token': accessToken,
  authorization: () => authorization,
  'token-request': () => tokenRequest,
  'token-answer': () => tokenAnswer,
};
