import { describe, expect, test } from 'bun:test';
import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { type JWTHeaderParameters, SignJWT } from 'jose';
import { ForeignTokens } from '../../../src/accounts/tokens/foreign-tokens.ts';
import { libtrustFingerprint, parseIssuerKeys } from '../../../src/accounts/tokens/issuer-keys.ts';
import { isSignetError } from '../../../src/core/errors/index.ts';
import { makeAuthority } from '../../remote/certificates.ts';

const NOW = Date.parse('2026-11-29T12:00:00Z');
const SECONDS = NOW / 1000;
const ACCESS = [{ type: 'repository', name: 'harbor.example.com/library/app', actions: ['pull', 'push'] }];
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const spki = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }).toString();

interface Changes {
  readonly header?: Partial<JWTHeaderParameters>;
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly key?: KeyObject | Uint8Array;
}

/** A token as Harbor's core service makes it. */
function token({ header = {}, claims = {}, key = rsa.privateKey }: Changes = {}): Promise<string> {
  const payload = {
    iss: 'harbor-token-issuer',
    sub: 'robot$ci',
    aud: 'harbor-notary',
    exp: SECONDS + 1800,
    nbf: SECONDS,
    iat: SECONDS,
    jti: 'abc',
    access: ACCESS,
    ...claims,
  };
  const protectedHeader = { typ: 'JWT', alg: 'RS256', kid: libtrustFingerprint(rsa.publicKey), ...header };
  return new SignJWT(payload).setProtectedHeader(protectedHeader).sign(key);
}

function verifier(keys: string, now = NOW): ForeignTokens {
  const issuer = { issuer: 'harbor-token-issuer', service: 'harbor-notary', realm: '', keys: parseIssuerKeys(keys) };
  return new ForeignTokens(issuer, () => now);
}

test('a token says who it is for and what it allows', async () => {
  const tokens = verifier(spki(rsa.publicKey));
  const claims = { subject: 'harbor-token-issuer#robot$ci', access: ACCESS, expires: NOW + 1860_000 };
  const made = await token();
  expect(await tokens.verify(made)).toEqual(claims);
  expect(await tokens.verify(made)).toEqual(claims);
  expect(await tokens.verify(await token({ claims: { sub: '', access: undefined } }))).toEqual({
    subject: undefined,
    access: [],
    expires: claims.expires,
  });
});

test('what was remembered ends too', async () => {
  let now = NOW;
  const issuer = {
    issuer: 'harbor-token-issuer',
    service: 'harbor-notary',
    realm: '',
    keys: parseIssuerKeys(spki(rsa.publicKey)),
  };
  const tokens = new ForeignTokens(issuer, () => now);
  const made = await token();
  expect(await tokens.verify(made)).toBeDefined();
  now += 1861_000;
  expect(await tokens.verify(made)).toBeUndefined();
});

describe('keys', () => {
  test('are certificates, public keys or a JWKS, chosen by what the token names', async () => {
    const { cert, key } = makeAuthority('Harbor').issue(['core']);
    const certificateKey = parseIssuerKeys(cert)[0] ?? expect.unreachable();
    const privateKey = createPrivateKey(key);
    const byCertificate = { alg: 'ES256', kid: libtrustFingerprint(certificateKey.key) };
    const both = `${cert}\n${spki(rsa.publicKey)}`;
    expect(await verifier(both).verify(await token({ header: byCertificate, key: privateKey }))).toBeDefined();
    expect(await verifier(both).verify(await token())).toBeDefined();
    const der = cert.replace(/-----[A-Z ]+-----|\s/g, '');
    const withChain = await token({ header: { alg: 'ES256', kid: undefined as never, x5c: [der] }, key: privateKey });
    expect(await verifier(both).verify(withChain)).toBeDefined();
    expect(await verifier(spki(rsa.publicKey)).verify(withChain)).toBeUndefined();

    const jwks = JSON.stringify({
      keys: [
        { ...ec.publicKey.export({ format: 'jwk' }), kid: 'one', use: 'sig' },
        { ...rsa.publicKey.export({ format: 'jwk' }), kid: 'two', use: 'enc' },
        { kty: 'OKP', crv: 'Ed25519', x: 'AAAA' },
      ],
    });
    expect(
      await verifier(jwks).verify(await token({ header: { alg: 'ES256', kid: 'one' }, key: ec.privateKey })),
    ).toBeDefined();
    expect(await verifier(jwks).verify(await token({ header: { kid: 'two' } }))).toBeUndefined();
    expect(
      await verifier(jwks).verify(
        await token({ header: { alg: 'ES256', kid: undefined as never }, key: ec.privateKey }),
      ),
    ).toBeDefined();
    expect(await verifier(both).verify(await token({ header: { kid: undefined as never } }))).toBeUndefined();
  });

  test.each([
    ['nothing', 'there is no certificate, public key or JWKS in it', ''],
    [
      'a private key',
      'there is a private key in it',
      ec.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    ],
    [
      'a private JWK',
      'there is a private key in it',
      JSON.stringify({ keys: [ec.privateKey.export({ format: 'jwk' })] }),
    ],
    ['a shared secret', 'there is a private key in it', JSON.stringify({ keys: [{ kty: 'oct', k: 'AAAA' }] })],
    [
      'a weak key',
      'neither RSA of 2048 bits or more',
      spki(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey),
    ],
    ['another curve', 'nor EC on P-256', spki(generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey)],
    ['broken JSON', 'it cannot be read', '{'],
    ['no list', 'its JSON has no "keys"', '{"keys":1}'],
    ['a broken certificate', 'it cannot be read', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'],
  ])('are refused: %s', (_, why, text) => {
    try {
      parseIssuerKeys(text);
      expect.unreachable();
    } catch (error) {
      expect(isSignetError(error, 'token-key-invalid') && error.message).toContain(why);
    }
  });
});

describe('is not taken:', () => {
  const mac = new TextEncoder().encode(spki(rsa.publicKey));
  test.each<[string, Changes]>([
    ['another issuer', { claims: { iss: 'signet' } }],
    ['another audience', { claims: { aud: 'harbor-registry' } }],
    ['an expired one', { claims: { exp: SECONDS - 61 } }],
    ['one without an end', { claims: { exp: undefined } }],
    ['one of the future', { claims: { nbf: SECONDS + 61 } }],
    ['another key', { key: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey }],
    ['an unknown key ID', { header: { kid: 'AAAA' } }],
    ['another algorithm of the same key', { header: { alg: 'PS256' } }],
    ['the public key as a shared secret', { header: { alg: 'HS256' }, key: mac }],
    ['access that is no list', { claims: { access: 'all' } }],
    ['access with an entry that is none', { claims: { access: [{ type: 'repository', name: 1, actions: [] }] } }],
    ['a subject without end', { claims: { sub: 'x'.repeat(256) } }],
    ['a critical extension', { header: { crit: ['exp'], exp: 1 } as never }],
  ])('%s', async (_, changes) => {
    const made = await token(changes).catch(() => 'a.b.c');
    expect(await verifier(spki(rsa.publicKey)).verify(made)).toBeUndefined();
  });

  test('what is no token, or has no signature', async () => {
    const tokens = verifier(spki(rsa.publicKey));
    const [, payload = ''] = (await token()).split('.');
    const none = Buffer.from('{"alg":"none"}').toString('base64url');
    for (const text of ['', '.', 'a.b.c', `${none}.${payload}.`, 'x'.repeat(20_000)]) {
      expect(await tokens.verify(text)).toBeUndefined();
    }
  });
});
