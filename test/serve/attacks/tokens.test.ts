import { expect, test } from 'bun:test';
import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomUUID,
} from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type JWTHeaderParameters, type JWTPayload, SignJWT } from 'jose';
import { dataFolder } from '../../../src/serve/data/data-folder.ts';
import { run } from '../../support/run.ts';
import { signetCommand } from '../../support/signet-server.ts';
import { basic, Target } from './target.ts';

// Every token that is not one of this server's, for this user, this repository, this action and this moment.

const target = await Target.start();
const key = createPrivateKey(readFileSync(dataFolder(target.server.data).tokenKey));
const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const SCOPE = `repository:alice/app:pull,push`;
const good = await target.token('alice', SCOPE);
const [goodHeader = '', goodPayload = '', goodSignature = ''] = good.split('.');
const claims = JSON.parse(Buffer.from(goodPayload, 'base64url').toString()) as JWTPayload;
const now = Math.floor(Date.now() / 1000);

const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const publicPem = createPublicKey(key).export({ type: 'spki', format: 'pem' });

function signed(changes: JWTPayload, header: Partial<JWTHeaderParameters> = {}, by: KeyObject = key): Promise<string> {
  return new SignJWT({ ...claims, ...changes }).setProtectedHeader({ typ: 'JWT', alg: 'ES256', ...header }).sign(by);
}

/** Without a claim. */
async function without(name: string): Promise<string> {
  const { [name]: _left, ...rest } = claims;
  return new SignJWT(rest).setProtectedHeader({ typ: 'JWT', alg: 'ES256' }).sign(key);
}

/** Rightly signed, with an extension that whoever does not know it must refuse. */
function extended(): Promise<string> {
  const header = { typ: 'JWT', alg: 'ES256', crit: ['fishy'], fishy: true };
  return new SignJWT(claims).setProtectedHeader(header).sign(key, { crit: { fishy: true } });
}

function hmac(secret: string | Buffer): string {
  const content = `${encoded({ typ: 'JWT', alg: 'HS256' })}.${goodPayload}`;
  return `${content}.${createHmac('sha256', secret).update(content).digest('base64url')}`;
}

const jwk = createPublicKey(stranger).export({ format: 'jwk' }) as Record<string, string>;
const everything = [{ type: 'repository', name: 'alice/app', actions: ['*'] }];
const forged: readonly (readonly [what: string, token: string | Promise<string>])[] = [
  ['without an algorithm', `${encoded({ typ: 'JWT', alg: 'none' })}.${goodPayload}.`],
  ['without an algorithm, in capitals', `${encoded({ typ: 'JWT', alg: 'NONE' })}.${goodPayload}.`],
  ['without an algorithm, with the signature', `${encoded({ alg: 'none' })}.${goodPayload}.${goodSignature}`],
  ['without a signature', `${goodHeader}.${goodPayload}.`],
  ['without anything', '..'],
  ['in two parts', `${goodHeader}.${goodPayload}`],
  ['in four parts', `${good}.${goodSignature}`],
  ['keyed with the public key', hmac(publicPem)],
  ['keyed with the public key without its line feed', hmac(String(publicPem).trim())],
  ['keyed with nothing', hmac('')],
  ['signed by another key', signed({}, {}, stranger)],
  ['signed by another key that it names', signed({}, { kid: 'token.key' }, stranger)],
  ['signed by another key that it brings along', signed({}, { jwk: jwk as never }, stranger)],
  ['signed by another key that is to be fetched', signed({}, { jku: 'https://evil.example.com/keys' }, stranger)],
  ['signed by another key in a certificate', signed({}, { x5c: ['MIIB'] }, stranger)],
  ['signed by another key in a certificate elsewhere', signed({}, { x5u: 'https://evil.example.com/x' }, stranger)],
  ['with an extension that nobody knows', extended()],
  ['with more rights written into it', `${goodHeader}.${encoded({ ...claims, access: everything })}.${goodSignature}`],
  ['with another user written into it', `${goodHeader}.${encoded({ ...claims, sub: 'admin' })}.${goodSignature}`],
  ['with a signature of zeros', `${goodHeader}.${goodPayload}.${Buffer.alloc(64).toString('base64url')}`],
  ['with a signature in DER', `${goodHeader}.${goodPayload}.${Buffer.alloc(72, 0x30).toString('base64url')}`],
  ['that has expired', signed({ exp: now - 1, iat: now - 400, nbf: now - 400 })],
  ['that is not valid yet', signed({ nbf: now + 100 })],
  ['for another service', signed({ aud: 'another' })],
  ['by another issuer', signed({ iss: 'another' })],
  ['without a service', without('aud')],
  ['without an issuer', without('iss')],
  ['without an expiry', without('exp')],
  ['without a user', without('sub')],
  ['of a user with another stamp', signed({ stamp: 'another' })],
  ['of a user without a stamp', without('stamp')],
  ['of a user that there is not', signed({ sub: 'nobody-here' })],
  ['of a user whose name is none', signed({ sub: '../alice' })],
  ['whose access is no list', signed({ access: 'all' })],
  ['whose actions are no list', signed({ access: [{ type: 'repository', name: 'alice/app', actions: '*' }] })],
  ['longer than any', `${goodHeader}.${'A'.repeat(14_000)}.${goodSignature}`],
];

/** What alice may do with her token, and only she. */
async function statuses(token: string): Promise<readonly number[]> {
  const headers = { Authorization: `Bearer ${token}` };
  const manifests = '/v2/alice/app/manifests';
  const pull = await target.fetch(`${manifests}/1.0`, { headers });
  const push = await target.fetch(`${manifests}/2.0`, { method: 'PUT', body: '{', headers });
  const base = await target.fetch('/v2/', { headers });
  return [pull.status, push.status, base.status];
}

test('a good token is taken', async () => {
  expect(await statuses(good)).toEqual([200, 400, 200]);
  expect(await statuses(await signed({}))).toEqual([200, 400, 200]);
});

test.each(forged)('a token %s is not', async (_what, token) => {
  expect(await statuses(await token)).toEqual([401, 401, 401]);
});

test('thousands of forged tokens leave nothing behind', async () => {
  await target.withstands(async () => {
    for (let round = 0; round < 50; round++) {
      const tokens = await Promise.all(Array.from({ length: 50 }, () => signed({ jti: randomUUID() }, {}, stranger)));
      const answers = await Promise.all(
        tokens.map((token) => target.fetch('/v2/', { headers: { Authorization: `Bearer ${token}` } })),
      );
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
    }
  });
}, 60_000);

test('a token is for what it names, and nothing else', async () => {
  await target.withstands(async () => {
    const trust = `/v2/${target.gun('alice/app')}/_trust/tuf/`;
    const pull = { Authorization: `Bearer ${await target.token('alice', 'repository:alice/app:pull')}` };
    const tries: readonly (readonly [method: string, path: string, status: number])[] = [
      ['GET', '/v2/alice/app/manifests/1.0', 200],
      ['PUT', '/v2/alice/app/manifests/1.0', 401],
      ['DELETE', '/v2/alice/app/manifests/1.0', 401],
      ['POST', '/v2/alice/app/blobs/uploads/', 401],
      ['GET', '/v2/alice/busy/manifests/1.0', 401],
      ['GET', `${trust}root.json`, 401],
      ['GET', `${trust}timestamp.key`, 401],
      ['POST', trust, 401],
      ['POST', `${trust}timestamp.key`, 401],
      ['DELETE', trust, 401],
      ['GET', '/v2/_catalog', 401],
      ['GET', '/v2/_trust/changefeed', 401],
    ];
    for (const [method, path, status] of tries) {
      const response = await target.fetch(path, { method, headers: pull });
      expect([method, path, response.status]).toEqual([method, path, status]);
    }
    const push = await target.bearer('alice', `repository:${target.gun('alice/app')}:pull,push`);
    for (const [method, path] of [
      ['POST', `${trust}timestamp.key`],
      ['DELETE', trust],
    ] as const) {
      expect((await target.fetch(path, { method, headers: push })).status).toBe(401);
    }
  });
}, 60_000);

test('a token ends with its user’s password, and with its user', async () => {
  await target.server.addUser('carol', 'carol is here for a while');
  const login = async (password: string) => {
    const query = 'service=signet&offline_token=true&account=carol&scope=repository:carol/app:pull';
    const response = await target.fetch(`/auth/token?${query}`, { headers: basic('carol', password) });
    return (await response.json()) as { token: string; refresh_token: string };
  };
  const base = async (token: string) =>
    (await target.fetch('/v2/', { headers: { Authorization: `Bearer ${token}` } })).status;
  const redeem = async (refresh_token: string) => {
    const body = new URLSearchParams({ grant_type: 'refresh_token', service: 'signet', refresh_token });
    return (await target.fetch('/auth/token', { method: 'POST', body })).status;
  };
  const user = async (words: readonly string[], stdin = '') => {
    const line = [...signetCommand(), 'user', ...words, '--data', target.server.data];
    expect((await run(line, { stdin })).exitCode).toBe(0);
  };

  const first = await login('carol is here for a while');
  expect([await base(first.token), await redeem(first.refresh_token)]).toEqual([200, 200]);
  expect([await base(first.refresh_token), await redeem(first.token)]).toEqual([401, 401]);
  await user(['passwd', 'carol', '--password-stdin'], 'carol has another password\n');
  expect([await base(first.token), await redeem(first.refresh_token)]).toEqual([401, 401]);

  const second = await login('carol has another password');
  expect([await base(second.token), await redeem(second.refresh_token)]).toEqual([200, 200]);
  await user(['remove', 'carol', '--yes']);
  expect([await base(second.token), await redeem(second.refresh_token)]).toEqual([401, 401]);
  await target.server.addUser('carol', 'carol has another password');
  expect([await base(second.token), await redeem(second.refresh_token)]).toEqual([401, 401]);
}, 60_000);

test('tokens in other places than the header are not looked at', async () => {
  for (const path of [`/v2/?token=${good}`, `/v2/?access_token=${good}`]) {
    expect((await target.fetch(path)).status).toBe(401);
  }
  const cookie = await target.fetch('/v2/', { headers: { Cookie: `token=${good}` } });
  const form = await target.fetch('/v2/alice/app/blobs/uploads/', {
    method: 'POST',
    body: new URLSearchParams({ token: good }),
  });
  const password = await target.fetch('/v2/', { headers: basic('<token>', good) });
  const twice = await target.fetch('/v2/', { headers: { Authorization: `Bearer ${good}, Bearer ${good}` } });
  expect([cookie.status, form.status, password.status, twice.status]).toEqual([401, 401, 401, 401]);
});
