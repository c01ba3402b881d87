import { expect, test } from 'bun:test';
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { temporaryFolder } from '../../support/temp.ts';
import { request, startTestServer } from '../fixture.ts';
import { basic } from './target.ts';

const ISSUER = 'harbor-token-issuer';
const SERVICE = 'harbor-notary';
const UPLOADS = '/v2/library/app/blobs/uploads/';

test('a token of another issuer for its user admin is not one of the admin of this server', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const keys = join(temporaryFolder(), 'issuer.pem');
  writeFileSync(keys, publicKey.export({ type: 'spki', format: 'pem' }));
  const server = await startTestServer({
    ...{ metrics: 'admin', maxUploads: 1, accessLog: 'stderr' },
    ...{ tokenIssuer: ISSUER, tokenIssuerService: SERVICE, tokenIssuerKeys: keys },
    tokenIssuerRealm: 'https://harbor.example.com/service/token',
  });
  const { name = '', password = '' } = server.administrator ?? {};
  expect(name).toBe('admin');
  const access = [
    { type: 'repository', name: 'library/app', actions: ['pull', 'push'] },
    { type: 'registry', name: 'catalog', actions: ['*'] },
  ];
  const token = await new SignJWT({ access })
    .setProtectedHeader({ typ: 'JWT', alg: 'ES256' })
    .setIssuer(ISSUER)
    .setSubject('admin')
    .setAudience(SERVICE)
    .setExpirationTime('5m')
    .sign(privateKey);
  const local = basic(name, password);
  const foreign = { Authorization: `Bearer ${token}` };
  const statusOf = async (method: string, path: string, headers: Record<string, string>) =>
    (await request(server, path, { method, headers })).status;

  expect(await statusOf('GET', '/v2/', foreign)).toBe(200);
  expect(await statusOf('POST', UPLOADS, foreign)).toBe(202);
  expect(await statusOf('POST', UPLOADS, foreign)).toBe(429);
  expect(await statusOf('POST', UPLOADS, local)).toBe(202);
  expect(await statusOf('POST', UPLOADS, local)).toBe(429);
  for (const path of ['/metrics', '/v2/_catalog']) {
    expect([path, await statusOf('GET', path, foreign)]).toEqual([path, 401]);
    expect([path, await statusOf('GET', path, local)]).toEqual([path, 200]);
  }

  const users = server.logged.flatMap((line) => {
    const { target, user } = JSON.parse(line) as { target?: string; user?: string };
    return target === UPLOADS ? [user] : [];
  });
  expect(users).toEqual([`${ISSUER}#admin`, `${ISSUER}#admin`, 'admin', 'admin']);
});
