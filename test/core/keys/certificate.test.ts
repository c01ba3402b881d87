import { describe, expect, test } from 'bun:test';
import { X509Certificate } from 'node:crypto';
import type { JsonObject } from '../../../src/core/json/parse.ts';
import {
  isCertificateValid,
  issueRootCertificate,
  matchesGun,
  type RootCertificate,
  rootCertificateOf,
} from '../../../src/core/keys/certificate.ts';
import { DerReader, TAG } from '../../../src/core/keys/der.ts';
import { formatPem, parsePem } from '../../../src/core/keys/pem.ts';
import { generatePrivateKey } from '../../../src/core/keys/private-key.ts';
import { canonicalKeyId, makePublicKey, type PublicKey, parsePublicKey } from '../../../src/core/keys/public-key.ts';
import { softwareSigner } from '../../../src/core/keys/signer.ts';
import { parseGun } from '../../../src/core/names/gun.ts';
import { verifySignature } from '../../../src/core/signature.ts';
import { DAY, parseTime, SECOND } from '../../../src/core/time.ts';
import { failure } from '../../support/failure.ts';
import { jsonVector, member, openFirst, vector } from './support.ts';

const GUN = parseGun('docker.io/acme/app');
const NOW = parseTime('2026-11-23T18:00:00Z');
const ROOT_KEY_FILES = [
  '0a3ed27b67c8d45c39a720f3bf6a9368527dfc667db4fdde8e8d7d53b3a6efa5',
  'b5aef3dd398679e051ada981f1d3c9fdf5343974a8d089c0c18e6bbb55186e30',
  'd2aadd5dc3d22c87f1cda371dc38da3042534bfb4497b9dfc8582f5db417c409',
];

/** The certificate key of root version 1. */
function vectorKey(): PublicKey {
  const keys = member(jsonVector('roots/1.root.json'), 'signed', 'keys') as JsonObject;
  const found = [...keys.values()]
    .map((value) => parsePublicKey(value, 'key'))
    .find(({ type }) => type === 'ecdsa-x509');
  if (found === undefined) throw new Error('no certificate in the vector');
  return found;
}

function certificate(type: string, pem: string | Buffer): RootCertificate {
  const found = rootCertificateOf(makePublicKey(type, Buffer.from(pem)));
  if (found === undefined) throw new Error('not a root certificate');
  return found;
}

const skipped = (type: string, pem: string | Buffer) =>
  rootCertificateOf(makePublicKey(type, Buffer.from(pem))) === undefined;

describe('reading', () => {
  test("Notary's certificate", () => {
    const key = vectorKey();
    const found = certificate(key.type, key.bytes);
    expect(found).toMatchObject({ keyId: key.id, key, commonName: 'docker.io/acme/app', intermediates: [] });
    expect(found.notBefore).toBe(parseTime('2026-11-23T17:45:35Z'));
    expect(found.notAfter).toBe(parseTime('2036-11-20T17:45:35Z'));
  });

  test('a leaf with the authority that issued it', () => {
    const found = certificate('ecdsa-x509', vector('keys/chain.crt'));
    expect(found.commonName).toBe('registry.example.com/team/*');
    expect([found.leaf, ...found.intermediates].map(({ isAuthority }) => isAuthority)).toEqual([false, true]);
  });

  test('RSA', () => {
    expect(certificate('rsa-x509', vector('keys/rsa.crt')).commonName).toBe('docker.io/acme/app');
  });

  const pem = vectorKey().bytes.toString();
  const chain = vector('keys/chain.crt').toString();
  const [leaf = '', authority = ''] = chain.split(/(?<=-----END CERTIFICATE-----\n)/);

  test.each([
    ['CRLF', pem.replaceAll('\n', '\r\n')],
    ['a line at the beginning', `\n${pem}`],
    ['a line at the end', `${pem}\n`],
    ['no line break at the end', pem.trimEnd()],
    ['a comment', `comment\n${pem}`],
    ['a header', pem.replace('CERTIFICATE-----\n', 'CERTIFICATE-----\na: b\n\n')],
    ['lines of 76 characters', pem.replace(/\n(?!-)/g, '').replace('CERTIFICATE-----', '$&\n')],
    ['two leaves', pem + pem],
    ['the authority first', authority + leaf],
    ['the authority alone', authority],
    ['a key behind the certificate', pem + formatPem('PUBLIC KEY', new Map(), Buffer.of(1))],
    [
      'a certificate cut off',
      formatPem('CERTIFICATE', new Map(), (parsePem(Buffer.from(pem))[0]?.bytes ?? Buffer.of()).subarray(1)),
    ],
    ['more authorities than any chain has', leaf + authority.repeat(16)],
    ['two common names', vector('keys/two-names.crt').toString()],
    ['nothing', ''],
  ])('%s: the key is skipped', (_, text) => {
    expect(skipped('ecdsa-x509', pem)).toBe(false);
    expect(skipped('ecdsa-x509', text)).toBe(true);
  });

  test.each([
    ['a key that is not of the type', 'ecdsa-x509', vector('keys/rsa.crt')],
    ['an Ed25519 certificate', 'ed25519-x509', vector('keys/ed25519.crt')],
    ['RSA of 1024 bits', 'rsa-x509', vector('keys/rsa-1024.crt')],
    ['a bare type', 'ecdsa', Buffer.from(pem)],
  ])('%s: the key is skipped', (_, type, bytes) => {
    expect(skipped(type, bytes)).toBe(true);
  });

  test('a name in a name does not pass for one', () => {
    const found = certificate('ecdsa-x509', vector('keys/name-in-name.crt'));
    expect(found.commonName).toBe('evil/CN=docker.io/acme/app');
    expect(matchesGun(found, GUN)).toBe(false);
  });
});

describe('validity', () => {
  test('from a day before its beginning to its end', () => {
    const key = vectorKey();
    const found = certificate(key.type, key.bytes);
    const { notBefore, notAfter } = found;
    const valid = [notBefore - DAY - 1, notBefore - DAY, notBefore, notAfter, notAfter + 1].map((at) =>
      isCertificateValid(found, at),
    );
    expect(valid).toEqual([false, true, true, true, false]);
  });

  test('a chain is valid as long as its authority is (protocol G-20)', () => {
    const long = certificate('ecdsa-x509', vector('keys/chain.crt'));
    const short = certificate('ecdsa-x509', vector('keys/chain-short-lived-authority.crt'));
    const end = short.intermediates[0]?.notAfter ?? 0;
    expect([end, end + 1].map((at) => isCertificateValid(short, at))).toEqual([true, false]);
    expect(isCertificateValid(long, end + 1)).toBe(true);
  });

  test('SHA-1 is not', () => {
    expect(isCertificateValid(certificate('rsa-x509', vector('keys/rsa.crt')), NOW + DAY)).toBe(true);
    expect(isCertificateValid(certificate('rsa-x509', vector('keys/rsa-sha1.crt')), NOW + DAY)).toBe(false);
  });
});

describe('names', () => {
  const named = (commonName: string) => ({ ...certificate('rsa-x509', vector('keys/rsa.crt')), commonName });

  test.each([
    ['docker.io/acme/app', true],
    ['docker.io/acme/*', true],
    ['docker.io/acme/ap***', true],
    ['*', true],
    ['docker.io/acme/app*', true],
    ['docker.io*', true],
    ['docker.i*', false],
    ['docker*', false],
    ['docker.io/acme/application', false],
    ['docker.io/acme', false],
    ['docker.io/acme/apple*', false],
    ['docker.io/*/app', false],
    ['DOCKER.IO/acme/app', false],
    ['', false],
  ])('%s', (commonName, matches) => {
    expect(matchesGun(named(commonName), GUN)).toBe(matches);
  });
});

describe('issuing', () => {
  const bodyOf = (key: PublicKey) => {
    const body = DerReader.sequenceOf(parsePem(key.bytes)[0]?.bytes ?? Buffer.of()).sequence();
    const version = body.whole(0xa0).toString('hex');
    const serial = body.content(TAG.integer);
    const members = [version];
    while (!body.done) members.push(body.whole(body.peek() ?? 0).toString('hex'));
    return { serial, members };
  };

  test('but for its serial, what is signed is what Notary signed, byte for byte', async () => {
    const theirs = vectorKey();
    const name = ROOT_KEY_FILES.find((id) => id === (canonicalKeyId(theirs) as string));
    const key = openFirst(vector(`client-private/${name}.key`), 'passw0rd');
    const ours = await issueRootCertificate(softwareSigner(key), GUN, parseTime('2026-11-23T17:45:35.999Z'));
    expect(bodyOf(ours).members).toEqual(bodyOf(theirs).members);
    expect(bodyOf(ours).serial).not.toEqual(bodyOf(theirs).serial);
    expect(canonicalKeyId(ours)).toBe(key.id);
  });

  test.each([
    ['ecdsa', generatePrivateKey('ecdsa')],
    ['rsa', openFirst(vector('keys/rsa-pkcs1.pem'))],
    ['ecdsa', openFirst(vector('keys/ec-secp521r1.pem'))],
  ])('%s: signed by itself, and read back by OpenSSL and by us', async (type, key) => {
    const issued = await issueRootCertificate(softwareSigner(key), GUN, NOW + 1);
    expect(issued.type).toBe(`${type}-x509`);
    const native = new X509Certificate(issued.bytes);
    expect(native.verify(native.publicKey)).toBe(true);
    expect([native.subject, native.issuer, native.ca]).toEqual([
      'CN=docker.io/acme/app',
      'CN=docker.io/acme/app',
      false,
    ]);
    const found = certificate(issued.type, issued.bytes);
    expect([found.notBefore, found.notAfter]).toEqual([NOW, NOW + 3650 * DAY]);
    expect(isCertificateValid(found, NOW)).toBe(true);
    expect(matchesGun(found, GUN)).toBe(true);
    const message = Buffer.from('m');
    expect(verifySignature(issued, key.sign(message), message)).toBe(true);
  });

  test('a name beyond PrintableString is UTF-8, and a long one is whole', async () => {
    const key = generatePrivateKey('ecdsa');
    const nameOf = async (text: string) =>
      bodyOf(await issueRootCertificate(softwareSigner(key), parseGun(text), NOW)).members[2];
    expect(await nameOf('docker.io/acme/app')).toContain(`1312${Buffer.from('docker.io/acme/app').toString('hex')}`);
    expect(await nameOf('docker.io/acme/a_p')).toContain(`0c12${Buffer.from('docker.io/acme/a_p').toString('hex')}`);
    const long = `docker.io/${'a'.repeat(245)}`;
    const issued = await issueRootCertificate(softwareSigner(key), parseGun(long), NOW);
    expect(certificate(issued.type, issued.bytes).commonName).toBe(long);
  });

  test('dates from 2050 on are written in four digits', async () => {
    const key = generatePrivateKey('ecdsa');
    for (const time of [
      '2039-12-31T23:59:59Z',
      '2040-01-06T00:00:00Z',
      '2049-12-31T23:59:59Z',
      '2051-06-01T12:00:00Z',
    ]) {
      const issued = await issueRootCertificate(softwareSigner(key), GUN, parseTime(time));
      const found = certificate(issued.type, issued.bytes);
      expect([found.notBefore, found.notAfter]).toEqual([parseTime(time), parseTime(time) + 3650 * DAY]);
      const native = new X509Certificate(issued.bytes);
      expect(Date.parse(native.validTo)).toBe(found.notAfter);
      expect(native.validFrom.endsWith('GMT')).toBe(true);
    }
  });

  test('serials are positive, of 128 bits, and never the same', async () => {
    const key = generatePrivateKey('ecdsa');
    const issued = Array.from({ length: 40 }, (_, n) =>
      issueRootCertificate(softwareSigner(key), GUN, NOW + n * SECOND),
    );
    const serials = (await Promise.all(issued)).map((each) => bodyOf(each).serial);
    expect(new Set(serials.map((serial) => serial.toString('hex'))).size).toBe(40);
    for (const serial of serials) {
      expect(serial.readUInt8(0)).toBeLessThan(0x80);
      expect(serial.length).toBeGreaterThan(13);
      expect(serial.length).toBeLessThan(18);
    }
  });

  test('an Ed25519 key cannot be a root key', async () => {
    const key = softwareSigner(generatePrivateKey('ed25519'));
    await failure(issueRootCertificate(key, GUN, NOW), 'key-unsupported');
  });
});
