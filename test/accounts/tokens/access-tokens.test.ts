import { beforeEach, expect, test } from 'bun:test';
import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { exportJWK, type JWTPayload, SignJWT } from 'jose';
import type { User } from '../../../src/accounts/store/store.ts';
import { AccessTokens } from '../../../src/accounts/tokens/access-tokens.ts';
import { generateTokenKey, parseTokenKey } from '../../../src/accounts/tokens/token-key.ts';
import { parseScope } from '../../../src/core/scope.ts';
import { addUser, NOON, world } from '../world.ts';

const KEY = parseTokenKey(generateTokenKey());
const OTHER_KEY = parseTokenKey(generateTokenKey());
const ACCESS = [parseScope('repository:alice/app:pull,push')];

let now: number;
let tokens: AccessTokens;
let alice: User;
beforeEach(async () => {
  now = NOON;
  tokens = authority({});
  alice = await addUser(world().store, 'alice');
});

function authority(change: Partial<ConstructorParameters<typeof AccessTokens>[0]>): AccessTokens {
  return new AccessTokens({ issuer: 'us', service: 'svc', key: KEY, tokenLifetime: 300, now: () => now, ...change });
}

function decode(token: string): { header: Record<string, unknown>; payload: Record<string, unknown> } {
  const [header = '', payload = ''] = token.split('.');
  const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString());
  return { header: read(header), payload: read(payload) };
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const seconds = (instant: number) => instant / 1000;

test('says who, for whom, how long and what', async () => {
  const { header, payload } = decode(await tokens.issue(alice, ACCESS));
  expect(header).toEqual({ typ: 'JWT', alg: 'ES256' });
  expect(payload).toEqual({
    iss: 'us',
    sub: 'alice',
    aud: 'svc',
    exp: seconds(NOON) + 300,
    nbf: seconds(NOON) - 30,
    iat: seconds(NOON),
    jti: payload.jti,
    stamp: alice.stamp,
    access: [{ type: 'repository', name: 'alice/app', actions: ['pull', 'push'] }],
  });
});

test('no two tokens are the same', async () => {
  expect(await tokens.issue(alice, ACCESS)).not.toBe(await tokens.issue(alice, ACCESS));
});

test('verifies what it issued, at first and when remembered', async () => {
  const token = await tokens.issue(alice, ACCESS);
  const claims = { user: { name: alice.name, stamp: alice.stamp }, access: ACCESS, expires: NOON + 300_000 };
  expect(await tokens.verify(token)).toEqual(claims);
  expect(await tokens.verify(token)).toEqual(claims);
  expect(await authority({}).verify(token)).toEqual(claims);
});

test('an anonymous token names no one', async () => {
  const claims = await tokens.verify(await tokens.issue(undefined, ACCESS));
  expect(claims).toEqual({ user: undefined, access: ACCESS, expires: NOON + 300_000 });
});

test('a token ends, remembered or not', async () => {
  const token = await tokens.issue(alice, ACCESS);
  now = NOON + 299_999;
  expect(await tokens.verify(token)).toBeDefined();
  now = NOON + 300_000;
  expect(await tokens.verify(token)).toBeUndefined();
  expect(await authority({}).verify(token)).toBeUndefined();
});

test('a token of the future does not count yet, except within the skew of clocks', async () => {
  now = NOON + 31_000;
  const early = await tokens.issue(alice, ACCESS);
  now = NOON;
  expect(await tokens.verify(early)).toBeUndefined();
  now = NOON + 1000;
  expect(await tokens.verify(early)).toBeDefined();
});

test.each([
  ['of another issuer', { issuer: 'them' }],
  ['for another service', { service: 'registry' }],
  ['signed by another key', { key: OTHER_KEY }],
])('a token %s is none', async (_, change) => {
  const token = await authority(change).issue(alice, ACCESS);
  expect(await authority(change).verify(token)).toBeDefined();
  expect(await tokens.verify(token)).toBeUndefined();
});

/** A token with our claims, changed by `claims`, signed by `key` under a header with `more`. */
async function forge(claims: JWTPayload, key: KeyObject = KEY, more: Record<string, unknown> = {}): Promise<string> {
  const { payload } = decode(await tokens.issue(alice, ACCESS));
  const merged: JWTPayload = { ...payload, ...claims };
  return new SignJWT(merged).setProtectedHeader({ alg: 'ES256', ...more }).sign(key);
}

test('the forger of these tests makes valid ones with our key', async () => {
  expect(await tokens.verify(await forge({}))).toBeDefined();
});

test.each([
  ['no expiry', { exp: undefined }],
  ['no beginning', { nbf: undefined }],
  ['no subject', { sub: undefined }],
  ['a subject that cannot be a user', { sub: 'Alice' }],
  ['a user without a stamp', { stamp: undefined }],
  ['a stamp that is no text', { stamp: 1 }],
  ['no access', { access: undefined }],
  ['access that is no list', { access: { type: 'repository' } }],
  ['access without a name', { access: [{ type: 'repository', actions: ['pull'] }] }],
  ['actions that are no list', { access: [{ type: 'repository', name: 'a', actions: 'pull' }] }],
  ['actions that are no texts', { access: [{ type: 'repository', name: 'a', actions: [1] }] }],
  ['access to nothing', { access: [null] }],
])('a token with %s is none, even from our key', async (_, claims) => {
  expect(await tokens.verify(await forge(claims as JWTPayload))).toBeUndefined();
});

test('alg none is no signature', async () => {
  const [, payload, signature] = (await tokens.issue(alice, ACCESS)).split('.');
  for (const alg of ['none', 'None', 'NONE']) {
    const header = encode({ typ: 'JWT', alg });
    for (const tail of ['', signature]) expect(await tokens.verify(`${header}.${payload}.${tail}`)).toBeUndefined();
    expect(await tokens.verify(`${header}.${payload}`)).toBeUndefined();
  }
});

test('our public key is no secret for HMAC', async () => {
  const { payload } = decode(await tokens.issue(alice, ACCESS));
  const publicKey = createPublicKey(KEY);
  const secrets = [
    publicKey.export({ type: 'spki', format: 'pem' }),
    publicKey.export({ type: 'spki', format: 'der' }),
    JSON.stringify(publicKey.export({ format: 'jwk' })),
  ];
  for (const secret of secrets) {
    const signed = `${encode({ typ: 'JWT', alg: 'HS256' })}.${encode(payload)}`;
    const mac = createHmac('sha256', secret).update(signed).digest('base64url');
    expect(await tokens.verify(`${signed}.${mac}`)).toBeUndefined();
  }
});

test('a token does not name the key that verifies it', async () => {
  const jwk = await exportJWK(createPublicKey(OTHER_KEY));
  const der = createPublicKey(OTHER_KEY).export({ type: 'spki', format: 'der' }).toString('base64');
  const headers = [
    { jwk },
    { kid: 'AAAA:BBBB' },
    { kid: '/dev/null' },
    { x5c: [der] },
    { jku: 'https://evil.example/keys' },
  ];
  for (const header of headers) {
    expect(await tokens.verify(await forge({}, OTHER_KEY, header))).toBeUndefined();
  }
});

test('no other algorithm is taken, whoever signed', async () => {
  const ed25519 = generateKeyPairSync('ed25519').privateKey;
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  expect(await tokens.verify(await forge({}, ed25519, { alg: 'EdDSA' }))).toBeUndefined();
  expect(await tokens.verify(await forge({}, rsa, { alg: 'RS256' }))).toBeUndefined();
});

test('a header that must be understood, and is not, voids the token', async () => {
  const { payload } = decode(await tokens.issue(alice, ACCESS));
  const signed = (header: object) => {
    const text = `${encode({ alg: 'ES256', ...header })}.${encode(payload)}`;
    return `${text}.${sign('sha256', Buffer.from(text), { key: KEY, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
  };
  expect(await tokens.verify(signed({}))).toBeDefined();
  expect(await tokens.verify(signed({ crit: ['rule'], rule: 1 }))).toBeUndefined();
});

test('access cannot be widened afterwards', async () => {
  const [header, , signature] = (await tokens.issue(alice, ACCESS)).split('.');
  const { payload } = decode(await tokens.issue(alice, ACCESS));
  const wider = encode({ ...payload, access: [{ type: 'repository', name: 'bob/app', actions: ['*'] }] });
  expect(await tokens.verify(`${header}.${wider}.${signature}`)).toBeUndefined();
});

test('a signature of zeros or of another length is none', async () => {
  const [header, payload] = (await tokens.issue(alice, ACCESS)).split('.');
  for (const length of [0, 1, 63, 64, 65, 72]) {
    const signature = Buffer.alloc(length).toString('base64url');
    expect(await tokens.verify(`${header}.${payload}.${signature}`)).toBeUndefined();
  }
});

test('overlong tokens are not looked at, even our own', async () => {
  const scopes = (count: number) =>
    Array.from({ length: count }, (_, index) => parseScope(`repository:a/${index}:pull`));
  expect(await tokens.verify(await tokens.issue(alice, scopes(100)))).toBeDefined();
  expect(await tokens.verify(await tokens.issue(alice, scopes(1000)))).toBeUndefined();
});
