import { describe, expect, test } from 'bun:test';
import { constants, createPrivateKey, sign } from 'node:crypto';
import { canonicalize } from '../../src/core/json/canonical.ts';
import { type JsonObject, type JsonValue, parseJson } from '../../src/core/json/parse.ts';
import { parsePem } from '../../src/core/keys/pem.ts';
import { generatePrivateKey } from '../../src/core/keys/private-key.ts';
import { makePublicKey, type PublicKey, parsePublicKey } from '../../src/core/keys/public-key.ts';
import { parseKeyId } from '../../src/core/names/key-id.ts';
import { verifySignature } from '../../src/core/signature.ts';
import { jsonVector, member, openFirst, vector } from './keys/support.ts';

const MESSAGE = Buffer.from('a message');
const spki = (path: string) => parsePem(vector(path))[0]?.bytes ?? Buffer.of();
const verifyBytes = (key: PublicKey, method: string, bytes: Buffer, message: Uint8Array = MESSAGE) =>
  verifySignature(key, { keyId: key.id, method, bytes }, message);

/** The signatures of a metadata file with their keys, as [key, method, signature, signed bytes]. */
function signaturesOf(file: JsonValue, keys: JsonObject): [PublicKey, string, Buffer, Buffer][] {
  const message = canonicalize(member(file, 'signed'));
  return (member(file, 'signatures') as readonly JsonValue[]).map((entry) => {
    const key = parsePublicKey(member(keys, member(entry, 'keyid') as string), 'key');
    return [key, member(entry, 'method') as string, Buffer.from(member(entry, 'sig') as string, 'base64'), message];
  });
}

describe("Notary's signatures", () => {
  test('a timestamp by Ed25519 (protocol H.2)', () => {
    const key = makePublicKey('ed25519', Buffer.from('B7bqvXKV4b7ISjgRllaa3lKoP35Yg4sZflgCbsZLrfQ=', 'base64'));
    expect(key.id as string).toBe('7e30eb35770895ab796fe2c10030b60988bd06503e4323764706cfe2f3bf331f');
    const signed = parseJson(
      '{"_type":"Timestamp","expires":"2026-12-07T17:40:23.91170194Z","meta":{"snapshot":{"hashes":{"sha256":"XXY49AmR61TH/zt7yDspdgX+e1G6b2k37XEJ/3LTQWA=","sha512":"/CLjrhxShC4Ze8NDZqjrYcGHzkvMmUs5OPD/LloMmgojs4ntob6UV3UiThEX1cXeJY6BXEeqi/z3SL0dI8UaZQ=="},"length":683}},"version":1}',
    );
    const signature = Buffer.from(
      'OaCWnpTE4UnuWGNFHMc2EYskpdb7Y935UNdafswyt8mPHwUuvEn/2FlTA/EvOybMIvO9ElfTGlM1VQqjk208DQ==',
      'base64',
    );
    expect(verifyBytes(key, 'eddsa', signature, canonicalize(signed))).toBe(true);
    expect(verifyBytes(key, 'eddsa', signature, Buffer.from('{}'))).toBe(false);
  });

  test('targets by ECDSA (protocol H.3)', () => {
    const key = makePublicKey(
      'ecdsa',
      Buffer.from(
        'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEeZmjrixAzANC01C+2w6ZzIXGjfRZEKw+CDy6wwr5ZAB7x4oDBq0XowmTqdAYn9pWZZTMieipPeW6yXq2UBMDWA==',
        'base64',
      ),
    );
    const signed = parseJson(
      '{"_type":"Targets","delegations":{"keys":{},"roles":[]},"expires":"2029-11-22T17:40:23.902247513Z","targets":{"v1":{"hashes":{"sha256":"WJG1tSLV3whtD/CxEPvZ0hu0/HFjrzTQgoai6Eb2vgM=","sha512":"58IrmUxZ2c8rSOVJseJGZmNgRZMNPafBrLKZ0cO3+TH5Sq5B7dosKyB6NuEPi8uNRSI+VIePWzFufOO2vAGWKQ=="},"length":6}},"version":2}',
    );
    const signature = Buffer.from(
      'ClYEmDSYv3OQX1xd0sdXP0Al+ddpzz57U+azDAtvtFaLteE0lAXc6MoF5ETt9oOIlmETR23TgD3wU/HkDE8bIw==',
      'base64',
    );
    expect(verifyBytes(key, 'ecdsa', signature, canonicalize(signed))).toBe(true);
  });

  const roots = [1, 2, 3, 4].map((version) => jsonVector(`roots/${version}.root.json`));

  test.each(roots.map((root, index) => [index + 1, root] as const))('root %d by its certificates', (version, root) => {
    const found = signaturesOf(root, member(root, 'signed', 'keys') as JsonObject);
    expect(found.map(([key]) => key.type)).toEqual(
      version === 2 || version === 3 ? ['ecdsa-x509', 'ecdsa-x509'] : ['ecdsa-x509'],
    );
    for (const [key, method, bytes, message] of found) expect(verifyBytes(key, method, bytes, message)).toBe(true);
  });

  test.each(['timestamp', 'snapshot', 'targets'])('%s of a whole repository', (role) => {
    const keys = member(jsonVector('acme-app/root.json'), 'signed', 'keys') as JsonObject;
    const found = signaturesOf(jsonVector(`acme-app/${role}.json`), keys);
    expect(found).toHaveLength(1);
    for (const [key, method, bytes, message] of found) {
      expect(verifyBytes(key, method, bytes, message)).toBe(true);
      expect(verifyBytes(key, method, bytes, Buffer.concat([message, Buffer.of(32)]))).toBe(false);
    }
  });
});

describe('the algorithm is that of the key', () => {
  const rsa = openFirst(vector('keys/rsa-pkcs1.pem'));
  const keys = { ecdsa: generatePrivateKey('ecdsa'), ed25519: generatePrivateKey('ed25519'), rsa };
  const methods = ['ecdsa', 'eddsa', 'rsapss', 'rsapkcs1v15', 'pycrypto-pkcs#1 pss', 'none', '', 'hmac', 'ECDSA-X509'];

  test.each([
    ['ecdsa', 'ecdsa'],
    ['ed25519', 'eddsa'],
    ['rsa', 'rsapss'],
  ] as const)('a signature by %s is one under the method %s only', (type, own) => {
    const { bytes } = keys[type].sign(MESSAGE);
    const accepted = methods.filter((method) => verifyBytes(keys[type].publicKey, method, bytes));
    expect(accepted).toEqual([own]);
    expect(verifyBytes(keys[type].publicKey, own.toUpperCase(), bytes)).toBe(true);
  });

  test('an unknown type never verifies', () => {
    const { publicKey } = keys.ecdsa;
    const { bytes } = keys.ecdsa.sign(MESSAGE);
    for (const type of ['ecdsa-sha2-nistp256', 'ECDSA', 'unknown', 'ecdsa-x509', 'rsa', 'ed25519']) {
      expect(verifyBytes(makePublicKey(type, publicKey.bytes), 'ecdsa', bytes)).toBe(false);
    }
  });

  test('a certificate verifies with the key of its first certificate', () => {
    const { bytes } = openFirst(vector('keys/ec-sec1.pem')).sign(MESSAGE);
    expect(verifyBytes(makePublicKey('ecdsa-x509', vector('keys/chain.crt')), 'ecdsa', bytes)).toBe(true);
    const reversed = vector('keys/chain.crt')
      .toString()
      .split(/(?<=-----END CERTIFICATE-----\n)/)
      .reverse()
      .join('');
    expect(verifyBytes(makePublicKey('ecdsa-x509', Buffer.from(reversed)), 'ecdsa', bytes)).toBe(false);
  });
});

describe('RSA', () => {
  const handle = createPrivateKey({ key: vector('keys/rsa-pkcs1.pem'), format: 'pem' });
  const bare = makePublicKey('rsa', spki('keys/rsa-public.pem'));
  const text = makePublicKey('rsa', vector('keys/rsa-public.pem'));
  const pss = (saltLength: number) =>
    sign('sha256', MESSAGE, { key: handle, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength });

  test('PSS is read with a salt of 32 bytes only', () => {
    expect([20, 32, 64].map((salt) => verifyBytes(bare, 'rsapss', pss(salt)))).toEqual([false, true, false]);
  });

  test('PKCS#1 v1.5 is read under its own method only', () => {
    const bytes = sign('sha256', MESSAGE, handle);
    expect(verifyBytes(bare, 'rsapkcs1v15', bytes)).toBe(true);
    expect(verifyBytes(bare, 'rsapss', bytes)).toBe(false);
    expect(verifyBytes(bare, 'rsapkcs1v15', sign('sha1', MESSAGE, handle))).toBe(false);
  });

  test("PyCrypto's method belongs to keys in PEM text", () => {
    const bytes = pss(32);
    expect(verifyBytes(text, 'PyCrypto-PKCS#1 PSS', bytes)).toBe(true);
    expect(verifyBytes(text, 'rsapss', bytes)).toBe(false);
    expect(verifyBytes(bare, 'pycrypto-pkcs#1 pss', bytes)).toBe(false);
  });

  test('a key of 1024 bits does not count', () => {
    const weak = createPrivateKey({ key: vector('keys/rsa-1024.pem'), format: 'pem' });
    const bytes = sign('sha256', MESSAGE, { key: weak, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 });
    expect(bytes).toHaveLength(128);
    expect(verifyBytes(makePublicKey('rsa', spki('keys/rsa-1024-public.pem')), 'rsapss', bytes)).toBe(false);
  });
});

describe('hostile input returns false and never throws', () => {
  const key = generatePrivateKey('ecdsa');
  const { bytes } = key.sign(MESSAGE);

  test('a signature in DER, too short, too long, or of zeros', () => {
    const der = sign('sha256', MESSAGE, createPrivateKey({ key: key.raw(), format: 'der', type: 'sec1' }));
    for (const wrong of [der, bytes.subarray(1), Buffer.concat([bytes, Buffer.of(0)]), Buffer.alloc(64), Buffer.of()]) {
      expect(verifyBytes(key.publicKey, 'ecdsa', wrong)).toBe(false);
    }
    expect(verifyBytes(key.publicKey, 'ecdsa', bytes)).toBe(true);
  });

  test('each flipped bit of signature or message', () => {
    for (let bit = 0; bit < bytes.length * 8; bit += 5) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(verifyBytes(key.publicKey, 'ecdsa', changed)).toBe(false);
    }
    expect(verifyBytes(key.publicKey, 'ecdsa', bytes, Buffer.from('b message'))).toBe(false);
  });

  test.each(['ecdsa', 'ecdsa-x509', 'rsa', 'rsa-x509', 'ed25519'])('keys of type %s that are none', (type) => {
    const certificate = '-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n';
    for (const publicBytes of [
      Buffer.of(),
      Buffer.from('abc'),
      Buffer.alloc(32),
      Buffer.alloc(100_000, 0x30),
      Buffer.from(certificate),
    ]) {
      const hostile = makePublicKey(type, publicBytes);
      for (const method of ['ecdsa', 'eddsa', 'rsapss']) {
        expect(verifyBytes(hostile, method, bytes)).toBe(false);
        expect(verifyBytes(hostile, method, Buffer.alloc(256))).toBe(false);
      }
    }
  });

  test('the key ID of the signature is for the caller to match', () => {
    const keyId = parseKeyId('0'.repeat(64));
    expect(verifySignature(key.publicKey, { keyId, method: 'ecdsa', bytes }, MESSAGE)).toBe(true);
  });
});
