import { describe, expect, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import {
  type DerNode,
  DerReader,
  encodeDer,
  integer,
  octetString,
  oid,
  sequence,
  TAG,
} from '../../../src/core/keys/der.ts';
import { DEFAULT_ITERATIONS } from '../../../src/core/keys/encryption.ts';
import {
  formatKeyFile,
  openKeyFile,
  parseKeyFile,
  type SealOptions,
  sealKey,
} from '../../../src/core/keys/key-file.ts';
import { formatPem, parsePem } from '../../../src/core/keys/pem.ts';
import { generatePrivateKey, type PrivateKey, privateKeyFromRaw } from '../../../src/core/keys/private-key.ts';
import { LIMITS } from '../../../src/core/limits.ts';
import { parseGun } from '../../../src/core/names/gun.ts';
import { codeOf, openFirst, vector } from './support.ts';

const PASSPHRASE = 'secret-passphrase';
const ROOT_FILE = `-----BEGIN ENCRYPTED PRIVATE KEY-----
role: root

MIHuMEkGCSqGSIb3DQEFDTA8MBsGCSqGSIb3DQEFDDAOBAi2SwdlE6EDoAICCAAw
HQYJYIZIAWUDBAEqBBAKzWySYHYpR65yALRK/Z0MBIGgE24JMCBVNIdzlCQarppB
faR8Jn6/pTb9NnASNiyNe6AyqHVaL6/J9Cc2Q2l2nzHpnagYWFs0kJjqNOPC+jAl
Qb7IhgEVLIb8ENaGZfnzNy29tAzPTBAZA4aFpM2jsPncNLNg/SVc1i5hrdO9NHn+
HdpRFf2HySi0aamssbyWgBcZnmZrUHrtKp+FOyn9JEfwiZOUOWq05UtLW3lfvsZO
Jw==
-----END ENCRYPTED PRIVATE KEY-----
`;
const ED25519_FILE = `-----BEGIN ENCRYPTED PRIVATE KEY-----
gun: g
role: timestamp

MIHOMEkGCSqGSIb3DQEFDTA8MBsGCSqGSIb3DQEFDDAOBAjfIUQYApuvPwICCAAw
HQYJYIZIAWUDBAEqBBCEaxO/YH5LSLKWYoYHjsY1BIGA28i+atNW2wzztUbncUOP
UkpTkV3xY6DjpX2Wg4QbA4w0FadZylmJqI30hwSwWeXRhlptfUEkyBUuKh3TShie
5N2K5rXZCNcJZsV8qpeKSaNOOTD2f4J6whkVKkGdMdc9mB8WD9PjYEB17ZEy3EDb
0QHyBaEPmSBdhUSYmnGqlQI=
-----END ENCRYPTED PRIVATE KEY-----
`;
const EC_PKCS8 =
  '308193020101301306072a8648ce3d020106082a8648ce3d030107047930770201010420fce8e50dd9bf7776c604c4e78c4c839a2c17df2121bad50fe434e914472ec319a00a06082a8648ce3d030107a14403420004e832c4665653dec1863d7768ce5f086035542d3cc1c58b12ebdfc1645fb12acff130c46e1826e136e7af3465a00b89917d2ee56b17574988e6f65240f708ccc1';
const ED25519_PKCS8 =
  '3072020100300b06092b06010401da470f01046071eaced2c9e29f5f4eb8e8455281a62ae184fadd94c790bdbcb70e9eafe492ffdbb094c975f30273297d8a5c5a1d5e88ccaf463e71523eb4b893c53f1f73eee471eaced2c9e29f5f4eb8e8455281a62ae184fadd94c790bdbcb70e9eafe492ff';
const ED25519_ID = '2e09a0b1820a0c11705dfd040c8e145304b7e5179f8dc1094437e9ed6003e9a0';

const open = (text: string, passphrase?: string) => openFirst(Buffer.from(text), passphrase);
const pem = (type: string, hex: string) => formatPem(type, new Map(), Buffer.from(hex, 'hex'));
const seal = (key: PrivateKey, passphrase: string, options: Partial<SealOptions> = {}) =>
  sealKey(key, { role: 'root', iterations: 1, ...options, passphrase: Buffer.from(passphrase) });

describe("Notary's files", () => {
  const folder = new URL('../../vectors/client-private', import.meta.url);

  test.each(readdirSync(folder))('%s is the key it is named after', (name) => {
    expect(`${openFirst(vector(`client-private/${name}`), 'passw0rd').id}.key`).toBe(name);
  });

  test('headers', () => {
    const headers = readdirSync(folder).map((name) => {
      const [{ role, gun, path, encrypted } = {}] = parseKeyFile(vector(`client-private/${name}`));
      return `${role} ${gun} ${path} ${encrypted}`;
    });
    expect(headers.sort()).toEqual([
      'jeff undefined undefined true',
      ...Array(3).fill('root undefined undefined true'),
      'targets docker.io/acme/app undefined true',
    ]);
  });

  test('the root key of protocol H.4', () => {
    const key = open(ROOT_FILE, 'rootpass1');
    expect(key.id as string).toBe('6533768fc68eaab7d2bc4354f6ef7a3eff7feb1717494a826b61ac021db1c836');
    expect(key.raw().subarray(7, 39).toString('hex')).toBe(
      'e5a88a24b4f9e07ac69348d240be417b3d2e45880e17586c437aabd6444757fc',
    );
  });

  test('the Ed25519 key of protocol H.5, encrypted and not', () => {
    expect(open(ED25519_FILE, 'pw').id as string).toBe(ED25519_ID);
    expect(open(pem('PRIVATE KEY', ED25519_PKCS8)).id as string).toBe(ED25519_ID);
    expect(parseKeyFile(Buffer.from(ED25519_FILE))[0]?.gun).toBe(parseGun('g'));
  });

  test('the bare Ed25519 type of notary 0.1', () => {
    expect(open(pem('ED25519 PRIVATE KEY', ED25519_PKCS8.slice(-192))).id as string).toBe(ED25519_ID);
  });
});

describe("OpenSSL's files", () => {
  const ids = new Map([
    ['ec', open(vector('keys/ec-sec1.pem').toString()).id],
    ['rsa', open(vector('keys/rsa-pkcs1.pem').toString()).id],
  ]);

  test.each([
    ['ec-pkcs8', undefined],
    ['ec-sec1-aes256', PASSPHRASE],
    ['ec-pbes2-sha256', PASSPHRASE],
    ['rsa-pkcs8', undefined],
    ['rsa-pkcs1-aes128', PASSPHRASE],
  ])('%s', (name, passphrase) => {
    const file = vector(`keys/${name}.pem`);
    expect(openFirst(file, passphrase).id).toBe(ids.get(name.split('-')[0] ?? '') ?? ('' as never));
    expect(parseKeyFile(file)[0]?.encrypted).toBe(passphrase !== undefined);
    expect(parseKeyFile(file)[0]?.role).toBe('');
  });

  test('Ed25519 of RFC 8410 is the same key in both forms', () => {
    const key = openFirst(vector('keys/ed25519-pkcs8.pem'));
    const spki = parsePem(vector('keys/ed25519-public.pem'))[0]?.bytes;
    expect(key.publicKey.bytes).toEqual(spki?.subarray(-32) ?? Buffer.of());
  });

  test.each([
    ['ec-sec1-des3', 'DES'],
    ['ec-pbe-3des', 'PBES1'],
    ['ec-scrypt', 'scrypt'],
    ['dsa-pkcs8', 'DSA'],
    ['ec-public', 'a public key'],
    ['rsa-public', 'a public key'],
  ])('%s: %s is not supported', (name) => {
    expect(codeOf(() => openFirst(vector(`keys/${name}.pem`), PASSPHRASE))).toBe('key-unsupported');
  });

  test('the block of EC parameters before a key is passed over', () => {
    expect(parsePem(vector('keys/ec-sec1.pem')).map(({ type }) => type)).toEqual(['EC PARAMETERS', 'EC PRIVATE KEY']);
    expect(parseKeyFile(vector('keys/ec-sec1.pem'))).toHaveLength(1);
  });
});

describe('passphrases', () => {
  test.each([
    ['PBES2', ROOT_FILE],
    ['DEK-Info', vector('keys/ec-sec1-aes256.pem').toString()],
    ['DEK-Info and RSA', vector('keys/rsa-pkcs1-aes128.pem').toString()],
    ['Ed25519', ED25519_FILE],
  ])('a wrong one, an empty one and none are told apart from damage: %s', (_, file) => {
    for (const passphrase of ['wrong', '', undefined]) {
      expect(codeOf(() => open(file, passphrase))).toBe('key-passphrase-wrong');
    }
  });

  test('a wrong one is wrong also where its noise ends in what looks like padding', () => {
    const file = seal(generatePrivateKey('ed25519'), 'right');
    const [key] = parseKeyFile(file);
    const codes = new Set<string | undefined>();
    for (let n = 0; n < 2000; n++) codes.add(codeOf(() => key && openKeyFile(key, Buffer.from(`wrong ${n}`))));
    expect([...codes]).toEqual(['key-passphrase-wrong']);
  });

  test('one given for a key that is not encrypted is not looked at', () => {
    expect(open(pem('PRIVATE KEY', ED25519_PKCS8), 'any').id as string).toBe(ED25519_ID);
  });
});

describe('writing', () => {
  test('unencrypted bodies are those of protocol H.5, byte for byte', () => {
    for (const hex of [EC_PKCS8, ED25519_PKCS8]) {
      const file = seal(open(pem('PRIVATE KEY', hex)), '');
      expect(file.toString()).toBe(formatPem('PRIVATE KEY', new Map([['role', 'root']]), Buffer.from(hex, 'hex')));
    }
  });

  test('RSA has no parameters in its algorithm', () => {
    const key = openFirst(vector('keys/rsa-pkcs1.pem'));
    const info = DerReader.sequenceOf(parsePem(seal(key, ''))[0]?.bytes ?? Buffer.of());
    expect(info.integer()).toBe(0);
    expect(info.content(TAG.sequence).toString('hex')).toBe('06092a864886f70d010101');
    expect(openFirst(seal(key, 'x'), 'x').id).toBe(key.id);
  });

  test('but for salt, IV and what is encrypted, a sealed file is that of Notary', () => {
    const gun = parseGun('docker.io/acme/app');
    const name = 'client-private/f04390192d15c590e39d1e9dea7cedfd21220350e2bcb1e8bae25292c2b094c3.key';
    const theirs = vector(name);
    const ours = seal(openFirst(theirs, 'passw0rd'), 'passw0rd', { role: 'targets', gun, iterations: 2048 });
    const shape = (file: Buffer) => {
      const [block] = parsePem(file);
      const body = Buffer.from(block?.bytes ?? Buffer.of());
      body.fill(0, 35, 43).fill(0, 62, 78).fill(0, 81);
      return { type: block?.type, headers: [...(block?.headers ?? [])], body: body.toString('hex') };
    };
    expect(shape(ours)).toEqual(shape(theirs));
    expect(ours).not.toEqual(theirs);
    expect(openFirst(ours, 'passw0rd').id).toBe(openFirst(theirs, 'passw0rd').id);
  });

  test.each(['ecdsa', 'ed25519'] as const)('a sealed %s key opens again with its passphrase only', (type) => {
    const key = generatePrivateKey(type);
    const file = seal(key, 'a', { role: 'alice' });
    expect(openFirst(file, 'a').raw()).toEqual(key.raw());
    expect(codeOf(() => openFirst(file, 'b'))).toBe('key-passphrase-wrong');
    expect(parseKeyFile(file)[0]).toMatchObject({ role: 'alice', gun: undefined, path: undefined, encrypted: true });
    expect(seal(key, 'a')).not.toEqual(seal(key, 'a'));
  });

  test('the number of iterations is far above Notary’s, and is written into the file', () => {
    const key = generatePrivateKey('ecdsa');
    const iterations = (file: Buffer) => {
      const derivation = DerReader.sequenceOf(parsePem(file)[0]?.bytes ?? Buffer.of()).sequence();
      derivation.oid();
      const parameters = derivation.sequence().sequence();
      parameters.oid();
      const salted = parameters.sequence();
      salted.content(TAG.octetString);
      return salted.integer();
    };
    expect(DEFAULT_ITERATIONS).toBeGreaterThanOrEqual(100_000);
    expect(iterations(sealKey(key, { role: 'root', passphrase: Buffer.from('x') }))).toBe(DEFAULT_ITERATIONS);
    expect(iterations(seal(key, 'x', { iterations: 3 }))).toBe(3);
    for (const count of [0, -1, 1.5, 2_000_001, Number.NaN]) {
      expect(codeOf(() => seal(key, 'x', { iterations: count }))).toBe('key-unsupported');
    }
  });

  test('a role with a line break is refused', () => {
    expect(codeOf(() => seal(generatePrivateKey('ed25519'), 'x', { role: 'a\ngun: b' }))).toBe('key-malformed');
  });

  test('the key that was sealed can still be used', () => {
    const key = generatePrivateKey('ecdsa');
    seal(key, '');
    seal(key, 'x');
    expect(key.sign(Buffer.from('m')).bytes).toHaveLength(64);
    expect(privateKeyFromRaw('ecdsa', key.raw()).id).toBe(key.id);
  });
});

describe('bundles', () => {
  const bundle = Buffer.from(`${ROOT_FILE}${ED25519_FILE}`.replace('role: root', 'path: abc\nrole: root'));

  test('every block is a key', () => {
    expect(parseKeyFile(bundle).map(({ role, path, gun }) => [role, path, gun as string | undefined])).toEqual([
      ['root', 'abc', undefined],
      ['timestamp', undefined, 'g'],
    ]);
  });

  test('changing the headers leaves the key as it is', () => {
    const [first, second] = parseKeyFile(bundle);
    if (first === undefined || second === undefined) throw new Error('two keys expected');
    expect(formatKeyFile({ ...first, path: undefined }).toString()).toBe(ROOT_FILE);
    expect(formatKeyFile({ ...second, path: 'p/q', gun: undefined, role: '' }).toString()).toBe(
      ED25519_FILE.replace('gun: g\nrole: timestamp', 'path: p/q'),
    );
  });

  test('headers of encryption stay', () => {
    const file = vector('keys/rsa-pkcs1-aes128.pem');
    const [key] = parseKeyFile(file);
    if (key === undefined) throw new Error('a key expected');
    const renamed = formatKeyFile({ ...key, role: 'root' });
    expect(renamed.toString().split('\n').slice(1, 5)).toEqual([
      ...file.toString().split('\n').slice(1, 3),
      'role: root',
      '',
    ]);
    expect(openFirst(renamed, PASSPHRASE).type).toBe('rsa');
  });
});

describe('damage', () => {
  const body = parsePem(Buffer.from(ROOT_FILE))[0]?.bytes.toString('hex') ?? '';
  const damaged = (from: string, to: string) => {
    expect(body).toContain(from);
    return pem('ENCRYPTED PRIVATE KEY', body.replace(from, to));
  };

  const derivation = /0408[0-9a-f]{16}02020800/.exec(body)?.[0] ?? '';

  test.each([
    ['too many iterations', damaged(derivation, `0407${derivation.slice(4, 18)}02031e8481`), 'key-malformed'],
    ['no iterations', damaged('02020800', '02020000'), 'key-malformed'],
    ['iterations not in shortest form', damaged('02020800', '02020001'), 'key-malformed'],
    ['negative iterations', damaged('02020800', '02028000'), 'key-malformed'],
    ['another encryption scheme', damaged('2a864886f70d01050d', '2a864886f70d01050e'), 'key-unsupported'],
    ['another derivation', damaged('2a864886f70d01050c', '2a864886f70d01050e'), 'key-unsupported'],
    ['another cipher', damaged('60864801650304012a', '60864801650304012b'), 'key-unsupported'],
    ['a key size that does not fit', damaged('60864801650304012a', '608648016503040102'), 'key-passphrase-wrong'],
    ['a body cut off', pem('ENCRYPTED PRIVATE KEY', body.slice(0, -2)), 'key-malformed'],
    ['an empty body', pem('ENCRYPTED PRIVATE KEY', ''), 'key-malformed'],
    ['a gun that is none', ED25519_FILE.replace('gun: g', 'gun: ../g'), 'key-malformed'],
    ['text without PEM', 'abc', 'key-malformed'],
    [
      'a short IV',
      vector('keys/ec-sec1-aes256.pem')
        .toString()
        .replace(/(DEK-Info: .{20}).*/, '$1'),
      'key-unsupported',
    ],
    ['a version of PKCS#8 to come', pem('PRIVATE KEY', EC_PKCS8.replace('020101', '020102')), 'key-unsupported'],
    [
      'another curve outside than inside',
      pem('PRIVATE KEY', EC_PKCS8.replace('06082a8648ce3d030107', '06082a8648ce3d030106')),
      'key-malformed',
    ],
    ['bytes after PKCS#8', pem('PRIVATE KEY', `${EC_PKCS8}00`), 'key-malformed'],
  ] as const)('%s', (_, file, code) => {
    expect(codeOf(() => open(file, 'rootpass1'))).toBe(code);
  });

  const encrypted = (iterations: number, ...others: DerNode[]) => {
    const derivation = sequence(octetString(Buffer.alloc(8)), integer(iterations), ...others);
    const cipher = sequence(oid('2.16.840.1.101.3.4.1.42'), octetString(Buffer.alloc(16)));
    const parameters = sequence(sequence(oid('1.2.840.113549.1.5.12'), derivation), cipher);
    const algorithm = sequence(oid('1.2.840.113549.1.5.13'), parameters);
    return formatPem('ENCRYPTED PRIVATE KEY', new Map(), encodeDer(sequence(algorithm, octetString(Buffer.alloc(16)))));
  };

  test.each([
    ['a number of iterations that can be counted', encrypted(100), 'key-passphrase-wrong'],
    ['more iterations than anybody waits for', encrypted(2_000_001), 'key-malformed'],
    ['the right key length', encrypted(1, integer(32)), 'key-passphrase-wrong'],
    ['another key length', encrypted(1, integer(16)), 'key-malformed'],
    ['SHA-512', encrypted(1, sequence(oid('1.2.840.113549.2.11'))), 'key-passphrase-wrong'],
    ['MD5', encrypted(1, sequence(oid('1.2.840.113549.2.5'))), 'key-unsupported'],
    ['something after the hash', encrypted(1, sequence(oid('1.2.840.113549.2.7')), integer(1)), 'key-malformed'],
  ] as const)('%s', (_, file, code) => {
    expect(codeOf(() => open(file, 'x'))).toBe(code);
  });

  test('a file beyond the limit is too large', () => {
    expect(codeOf(() => parseKeyFile(Buffer.alloc(LIMITS.keyFile + 1, '\n')))).toBe('too-large');
  });
});
