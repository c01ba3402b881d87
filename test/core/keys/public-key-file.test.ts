import { describe, expect, test } from 'bun:test';
import { makePublicKey } from '../../../src/core/keys/public-key.ts';
import { formatPublicKeyFile, parsePublicKeyFile } from '../../../src/core/keys/public-key-file.ts';
import { LIMITS } from '../../../src/core/limits.ts';
import { parseTime, YEAR } from '../../../src/core/time.ts';
import { codeOf, openFirst, vector } from './support.ts';

const NOW = parseTime('2026-11-24T18:00:00Z');
const ALICE = `-----BEGIN PUBLIC KEY-----
role: alice

MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEHsgRc03dMrGFYBRsfQaCR6GQfCqA
SuiQ9KlbnpEDScvJWpdvghve+DKPM6T9GTYvUzWVQuqPC/nVTfN9e9B0tw==
-----END PUBLIC KEY-----
`;
const ALICE_ID = '69673cfc81861b55fe92135f03ad23f62ced5aa283a28f56776acc49e9378a9a';
const parse = (file: string | Buffer) => parsePublicKeyFile(Buffer.from(file), NOW);

describe('reading', () => {
  test('the file of protocol H.6, which is also how it is written', () => {
    const key = parse(ALICE);
    expect(key.id as string).toBe(ALICE_ID);
    expect(key.type).toBe('ecdsa');
    expect(formatPublicKeyFile(key, 'alice')).toBe(ALICE);
  });

  test.each([
    ['ec-public.pem', 'ecdsa', 'ec-sec1.pem'],
    ['rsa-public.pem', 'rsa', 'rsa-pkcs1.pem'],
    ['ed25519-public.pem', 'ed25519', 'ed25519-pkcs8.pem'],
  ])('%s is the key %s', (file, type, privateFile) => {
    const key = parse(vector(`keys/${file}`));
    expect(key.type).toBe(type);
    expect(key.id).toBe(openFirst(vector(`keys/${privateFile}`)).id);
    expect(parse(formatPublicKeyFile(key, 'x')).id).toBe(key.id);
  });

  test('a certificate is kept as the first block, in the form that has a stable ID', () => {
    expect(parse(vector('keys/rsa.crt'))).toEqual(makePublicKey('rsa-x509', vector('keys/rsa.crt')));
    const messy = `subject=x\r\n${vector('keys/chain.crt').toString().replaceAll('\n', '\r\n')}`;
    const leaf =
      vector('keys/chain.crt')
        .toString()
        .split(/(?<=-----END CERTIFICATE-----\n)/)[0] ?? '';
    expect(parse(messy)).toEqual(makePublicKey('ecdsa-x509', Buffer.from(leaf)));
  });

  test('the file written of a certificate is the bare key', () => {
    expect(parse(formatPublicKeyFile(parse(vector('keys/rsa.crt')), 'x')).id).toBe(
      parse(vector('keys/rsa-public.pem')).id,
    );
  });
});

describe('refusing', () => {
  test.each([
    ['no PEM', 'abc', 'key-malformed', 'no valid public key found'],
    [
      'a private key',
      vector('keys/ec-pkcs8.pem'),
      'key-unsupported',
      'unsupported PEM block type "PRIVATE KEY", expected CERTIFICATE or PUBLIC KEY',
    ],
    [
      'RSA of 1024 bits',
      vector('keys/rsa-1024-public.pem'),
      'key-too-short',
      'RSA keys must have 2048 bits or more, not 1024',
    ],
    [
      'a certificate of it',
      vector('keys/rsa-1024.crt'),
      'key-too-short',
      'RSA keys must have 2048 bits or more, not 1024',
    ],
    [
      'SHA-1',
      vector('keys/rsa-sha1.crt'),
      'certificate-invalid',
      'invalid certificate: it is signed with a weak algorithm',
    ],
    [
      'a certificate of Ed25519',
      vector('keys/ed25519.crt'),
      'key-unsupported',
      'unsupported certificate of an Ed25519 key',
    ],
    ['a compressed point', vector('keys/ec-public-compressed.pem'), 'key-malformed', undefined],
    [
      'a certificate that is none',
      '-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n',
      'certificate-invalid',
      undefined,
    ],
    [
      'a key that is none',
      '-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----\n',
      'key-malformed',
      'unable to parse public key',
    ],
    ['too large a file', Buffer.alloc(LIMITS.keyFile + 1, '\n'), 'too-large', undefined],
  ] as const)('%s', (_, file, code, message) => {
    expect(codeOf(() => parse(file))).toBe(code);
    if (message !== undefined) expect(() => parse(file)).toThrow(message);
  });

  test('a certificate before and after its time', () => {
    const at = (now: number) => codeOf(() => parsePublicKeyFile(vector('keys/rsa.crt'), now));
    expect([NOW - YEAR, NOW, NOW + 101 * YEAR].map(at)).toEqual([
      'certificate-invalid',
      undefined,
      'certificate-invalid',
    ]);
  });

  test('a role that would add a header cannot be written', () => {
    expect(codeOf(() => formatPublicKeyFile(parse(ALICE), 'a\nb: c'))).toBe('key-malformed');
    expect(codeOf(() => formatPublicKeyFile(makePublicKey('x', Buffer.of(1)), 'a'))).toBe('key-unsupported');
  });
});
