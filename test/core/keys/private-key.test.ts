import { describe, expect, test } from 'bun:test';
import { inspect } from 'node:util';
import { generatePrivateKey, privateKeyFromRaw } from '../../../src/core/keys/private-key.ts';
import { verifySignature } from '../../../src/core/signature.ts';
import { codeOf, openFirst, vector } from './support.ts';

const MESSAGE = Buffer.from('msg');
const ED25519 = Buffer.from(
  '71eaced2c9e29f5f4eb8e8455281a62ae184fadd94c790bdbcb70e9eafe492ffdbb094c975f30273297d8a5c5a1d5e88ccaf463e71523eb4b893c53f1f73eee471eaced2c9e29f5f4eb8e8455281a62ae184fadd94c790bdbcb70e9eafe492ff',
  'hex',
);
const EC = Buffer.from(
  '30770201010420fce8e50dd9bf7776c604c4e78c4c839a2c17df2121bad50fe434e914472ec319a00a06082a8648ce3d030107a14403420004e832c4665653dec1863d7768ce5f086035542d3cc1c58b12ebdfc1645fb12acff130c46e1826e136e7af3465a00b89917d2ee56b17574988e6f65240f708ccc1',
  'hex',
);

describe('generating', () => {
  test.each([
    ['ecdsa', 'ecdsa', 64, 121],
    ['ed25519', 'eddsa', 64, 96],
  ] as const)('%s keys sign with %s', (type, method, size, rawSize) => {
    const key = generatePrivateKey(type);
    const signature = key.sign(MESSAGE);
    expect(signature.method).toBe(method);
    expect(signature.bytes).toHaveLength(size);
    expect(signature.keyId).toBe(key.id);
    expect(key.publicKey.id).toBe(key.id);
    expect(key.publicKey.type).toBe(type);
    expect(key.raw()).toHaveLength(rawSize);
    expect(verifySignature(key.publicKey, signature, MESSAGE)).toBe(true);
    expect(generatePrivateKey(type).id).not.toBe(key.id);
  });
});

describe('private key bytes', () => {
  test('Ed25519 of protocol H.5 signs what Notary signed', () => {
    const key = privateKeyFromRaw('ed25519', ED25519);
    expect(key.id as string).toBe('2e09a0b1820a0c11705dfd040c8e145304b7e5179f8dc1094437e9ed6003e9a0');
    expect(key.publicKey.bytes.toString('base64')).toBe('cerO0snin19OuOhFUoGmKuGE+t2Ux5C9vLcOnq/kkv8=');
    expect(key.sign(MESSAGE).bytes.toString('base64')).toBe(
      'AD7qGwBarmnw/zirYftVe/QSUO9v7gCosp1BQaRpNooz1XakTI96wg6pXWr9BRcs4xFleK3KwYMSWeMGPs8jDA==',
    );
    expect(key.raw()).toEqual(ED25519);
  });

  test('SEC1 comes back whole, also where the public key or the leading zeros were left out', () => {
    expect(privateKeyFromRaw('ecdsa', EC).raw()).toEqual(EC);
    const withoutPoint = Buffer.concat([Buffer.from('3031', 'hex'), EC.subarray(2, 51)]);
    expect(privateKeyFromRaw('ecdsa', withoutPoint).raw()).toEqual(EC);
    const one = Buffer.from('30120201010401 01 a00a06082a8648ce3d030107'.replaceAll(' ', ''), 'hex');
    expect(privateKeyFromRaw('ecdsa', one).raw().subarray(7, 39).toString('hex')).toBe(`${'00'.repeat(31)}01`);
  });

  test.each(['secp224r1', 'secp384r1', 'secp521r1'])('%s', (curve) => {
    const key = openFirst(vector(`keys/ec-${curve}.pem`));
    const again = privateKeyFromRaw('ecdsa', key.raw());
    expect(again.id).toBe(key.id);
    const signature = again.sign(MESSAGE);
    expect(signature.bytes).toHaveLength({ secp224r1: 56, secp384r1: 96, secp521r1: 132 }[curve] ?? 0);
    expect(verifySignature(key.publicKey, signature, MESSAGE)).toBe(true);
  });

  test('RSA signs with PSS and a salt of 32 bytes', () => {
    const key = openFirst(vector('keys/rsa-pkcs1.pem'));
    const signature = key.sign(MESSAGE);
    expect(signature.method).toBe('rsapss');
    expect(signature.bytes).toHaveLength(256);
    expect(verifySignature(key.publicKey, signature, MESSAGE)).toBe(true);
    expect(privateKeyFromRaw('rsa', key.raw()).id).toBe(key.id);
  });

  const flipped = (bytes: Buffer, at: number) => {
    const copy = Buffer.from(bytes);
    copy.writeUInt8(copy.readUInt8(at) ^ 1, at);
    return copy;
  };

  test.each([
    ['another public key in SEC1', 'ecdsa', flipped(EC, EC.length - 1)],
    ['another scalar in SEC1', 'ecdsa', flipped(EC, 20)],
    ['a scalar of zero', 'ecdsa', Buffer.from('3012020101040100a00a06082a8648ce3d030107', 'hex')],
    ['a scalar of 33 bytes', 'ecdsa', Buffer.from(`3032020101042100${'01'.repeat(32)}a00a06082a8648ce3d030107`, 'hex')],
    ['SEC1 that names no curve', 'ecdsa', Buffer.from('3006020101040101', 'hex')],
    ['SEC1 of version 2', 'ecdsa', Buffer.from('3012020102040101a00a06082a8648ce3d030107', 'hex')],
    ['bytes after SEC1', 'ecdsa', Buffer.concat([EC, Buffer.of(0)])],
    ['95 bytes of Ed25519', 'ed25519', ED25519.subarray(1)],
    ['97 bytes of Ed25519', 'ed25519', Buffer.concat([ED25519, Buffer.of(0)])],
    ['another first public key of Ed25519', 'ed25519', flipped(ED25519, 0)],
    ['another last public key of Ed25519', 'ed25519', flipped(ED25519, 95)],
    ['another seed of Ed25519', 'ed25519', flipped(ED25519, 40)],
    ['SEC1 as RSA', 'rsa', EC],
    ['nothing', 'rsa', Buffer.of()],
  ] as const)('%s is malformed', (_, type, raw) => {
    expect(codeOf(() => privateKeyFromRaw(type, raw))).toBe('key-malformed');
  });

  test('RSA of 1024 bits is too short, and secp256k1 is no curve of ours', () => {
    expect(codeOf(() => openFirst(vector('keys/rsa-1024.pem')))).toBe('key-too-short');
    expect(codeOf(() => openFirst(vector('keys/ec-secp256k1.pem')))).toBe('key-unsupported');
  });
});

describe('secrecy', () => {
  test('after wiping nothing works, and the bytes that were handed out are untouched', () => {
    const key = privateKeyFromRaw('ed25519', ED25519);
    const copy = key.raw();
    key.wipe();
    key.wipe();
    expect(codeOf(() => key.sign(MESSAGE))).toBe('key-wiped');
    expect(codeOf(() => key.raw())).toBe('key-wiped');
    expect(codeOf(() => key.signCertificate(MESSAGE))).toBe('key-wiped');
    expect(copy).toEqual(ED25519);
    expect(key.publicKey.bytes.toString('base64')).toBe('cerO0snin19OuOhFUoGmKuGE+t2Ux5C9vLcOnq/kkv8=');
  });

  test('the bytes given are copied: wiping them does not harm the key', () => {
    for (const [type, bytes] of [
      ['ecdsa', EC],
      ['ed25519', ED25519],
      ['rsa', openFirst(vector('keys/rsa-pkcs1.pem')).raw()],
    ] as const) {
      const raw = Buffer.from(bytes);
      const key = privateKeyFromRaw(type, raw);
      raw.fill(0);
      expect(key.raw()).toEqual(bytes);
      expect(verifySignature(key.publicKey, key.sign(MESSAGE), MESSAGE)).toBe(true);
    }
  });

  test('printing or serialising a key shows no secret', () => {
    const key = privateKeyFromRaw('ed25519', ED25519);
    const seed = ED25519.subarray(32, 64);
    const shown = `${inspect(key, { depth: 9, showHidden: true })}${JSON.stringify(key)}`;
    for (const form of [
      seed.toString('hex'),
      seed.toString('base64').slice(0, 20),
      [...seed.subarray(0, 4)].join(','),
      'db b0 94 c9',
    ]) {
      expect(shown).not.toContain(form);
    }
  });
});
