import { describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { canonicalize } from '../../../src/core/json/canonical.ts';
import { type JsonObject, parseJson } from '../../../src/core/json/parse.ts';
import { parsePem } from '../../../src/core/keys/pem.ts';
import {
  canonicalKeyId,
  isUsable,
  makePublicKey,
  parsePublicKey,
  publicKeyJson,
  publicKeyWire,
} from '../../../src/core/keys/public-key.ts';
import { codeOf, jsonVector, member, vector } from './support.ts';

const der = (path: string) => parsePem(vector(path))[0]?.bytes ?? Buffer.of();
const EC_ID = '89c7e442bb97b9c4307bcda86056aafbe7df5c3b45b8099a4cf0461eb3b0f129';
const EC_SPKI =
  'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEeZmjrixAzANC01C+2w6ZzIXGjfRZEKw+CDy6wwr5ZAB7x4oDBq0XowmTqdAYn9pWZZTMieipPeW6yXq2UBMDWA==';

describe('key IDs', () => {
  test.each([
    ['ecdsa', '8d7f5b0a740a871ac6c51d3df254ae832095459aa06342ff75d64e88e172d86f'],
    ['ecdsa-x509', 'aab00db59b946ae3f1d3105b77f9fd70e1955108a14e5908d16594b27aceea59'],
    ['rsa', 'e90899a1c4b32bfa85ef06b74f9b0fe268cebfb2953add4428a1806c2caf770b'],
    ['rsa-x509', 'aa0a54fa3772645354420b3456145be57aaad9cb02702ca286472d776ce6c987'],
    ['ed25519', 'd11c4430292aac7e9c39f48fbc856bf48cccecac21b5e7da3feb7946e7463e87'],
  ])('of %s (protocol H.1)', (type, id) => {
    const key = makePublicKey(type, Buffer.from('abc'));
    expect(key.id as string).toBe(id);
    expect(isUsable(key)).toBe(false);
  });

  test('the ID is the hash of the canonical key object', () => {
    const key = makePublicKey('ecdsa', Buffer.from(EC_SPKI, 'base64'));
    expect(key.id as string).toBe(EC_ID);
    expect(
      createHash('sha256')
        .update(canonicalize(publicKeyJson(key)))
        .digest('hex'),
    ).toBe(EC_ID);
  });

  test.each(['roots/1.root.json', 'roots/2.root.json', 'roots/3.root.json', 'roots/4.root.json'])(
    'every key of %s hashes to its name',
    (path) => {
      const keys = member(jsonVector(path), 'signed', 'keys') as JsonObject;
      for (const [name, value] of keys) {
        const key = parsePublicKey(value, 'key');
        expect(key.id as string).toBe(name);
        expect(isUsable(key)).toBe(true);
        expect(publicKeyJson(key)).toEqual(value);
      }
      expect(keys.size).toBeGreaterThan(3);
    },
  );
});

describe('canonical key IDs', () => {
  test('a root certificate has that of the private key file', () => {
    const keys = member(jsonVector('roots/1.root.json'), 'signed', 'keys') as JsonObject;
    const ids = [...keys.values()].map((value) => canonicalKeyId(parsePublicKey(value, 'key')) as string);
    const files = [
      '0a3ed27b67c8d45c39a720f3bf6a9368527dfc667db4fdde8e8d7d53b3a6efa5',
      'b5aef3dd398679e051ada981f1d3c9fdf5343974a8d089c0c18e6bbb55186e30',
      'd2aadd5dc3d22c87f1cda371dc38da3042534bfb4497b9dfc8582f5db417c409',
    ];
    expect(ids.filter((id) => files.includes(id))).toHaveLength(1);
  });

  test('one RSA key is one, as itself, in a certificate and as PEM text', () => {
    const spki = der('keys/rsa-public.pem');
    const bare = makePublicKey('rsa', spki);
    const text = makePublicKey('rsa', vector('keys/rsa-public.pem'));
    const wrapped = makePublicKey('rsa-x509', vector('keys/rsa.crt'));
    expect(new Set([bare.id, text.id, wrapped.id]).size).toBe(3);
    expect([bare, text, wrapped].map(canonicalKeyId)).toEqual([bare.id, bare.id, bare.id]);
  });

  test('what cannot be used keeps its own ID', () => {
    for (const [type, bytes] of [
      ['ecdsa-x509', Buffer.from('abc')],
      ['ecdsa-x509', vector('keys/rsa.crt')],
      ['rsa', Buffer.from('-----')],
      ['unknown', Buffer.from('abc')],
    ] as const) {
      const key = makePublicKey(type, bytes);
      expect(canonicalKeyId(key)).toBe(key.id);
      expect(isUsable(key)).toBe(false);
    }
  });
});

describe('key objects', () => {
  const text = (publicPart: string) => `{"keytype":"ecdsa","keyval":{${publicPart}}}`;
  const parse = (json: string) => parsePublicKey(parseJson(json), 'key');

  test('either order of members reads as the same key, and is written in two orders', () => {
    const wire = text(`"public":"${EC_SPKI}","private":null`);
    const canonical = text(`"private":null,"public":"${EC_SPKI}"`);
    const key = parse(wire);
    expect(parse(canonical)).toEqual(key);
    expect(publicKeyWire(key)).toBe(wire);
    expect(canonicalize(publicKeyJson(key)).toString()).toBe(canonical);
  });

  test('an unknown type is kept', () => {
    const key = parse('{"keytype":"ecdsa-sha2-nistp256","keyval":{"public":"YWJj"}}');
    expect(key.type).toBe('ecdsa-sha2-nistp256');
    expect(key.bytes.toString()).toBe('abc');
    expect(isUsable(key)).toBe(false);
  });

  test.each([
    ['a private part', text('"public":"YWJj","private":"YWJj"'), 'key-malformed'],
    ['an empty private part', text('"public":"YWJj","private":""'), 'key-malformed'],
    ['base64 without padding', text('"public":"YWI"'), 'key-malformed'],
    ['a type of control characters', '{"keytype":"a\\u0000","keyval":{"public":"YWJj"}}', 'key-malformed'],
    ['an empty type', '{"keytype":"","keyval":{"public":"YWJj"}}', 'key-malformed'],
    ['no public part', text('"private":null'), 'json-unexpected'],
    ['no keyval', '{"keytype":"ecdsa"}', 'json-unexpected'],
    ['a look-alike member', '{"keytype":"ecdsa","Keytype":"rsa","keyval":{"public":"YWJj"}}', 'json-unexpected'],
    ['a number', '1', 'json-unexpected'],
  ] as const)('%s is refused', (_, json, code) => {
    expect(codeOf(() => parse(json))).toBe(code);
  });
});

describe('what can verify', () => {
  test.each([
    ['ecdsa', der('keys/ec-public.pem')],
    ['ed25519', der('keys/ed25519-public.pem').subarray(-32)],
    ['rsa', der('keys/rsa-public.pem')],
    ['rsa', vector('keys/rsa-public.pem')],
    ['rsa-x509', vector('keys/rsa.crt')],
    ['ecdsa-x509', vector('keys/chain.crt')],
  ])('%s %#', (type, bytes) => {
    expect(isUsable(makePublicKey(type, bytes))).toBe(true);
  });

  test.each([
    ['a type that is not that of the key', 'rsa', der('keys/ec-public.pem')],
    ['a certificate of another type', 'ecdsa-x509', vector('keys/rsa.crt')],
    ['a bare key in the place of a certificate', 'rsa-x509', vector('keys/rsa-public.pem')],
    ['RSA of 1024 bits', 'rsa', der('keys/rsa-1024-public.pem')],
    ['a certificate of RSA of 1024 bits', 'rsa-x509', vector('keys/rsa-1024.crt')],
    ['a compressed point', 'ecdsa', der('keys/ec-public-compressed.pem')],
    ['bytes after the key', 'ecdsa', Buffer.concat([der('keys/ec-public.pem'), Buffer.of(0)])],
    ['PEM where DER belongs', 'ecdsa', vector('keys/ec-public.pem')],
    ['31 bytes of Ed25519', 'ed25519', der('keys/ed25519-public.pem').subarray(-31)],
    ['DER of Ed25519', 'ed25519', der('keys/ed25519-public.pem')],
    ['64 KiB', 'rsa-x509', Buffer.concat([Buffer.alloc(65536, '\n'), vector('keys/rsa.crt')])],
  ])('%s cannot', (_, type, bytes) => {
    expect(isUsable(makePublicKey(type, bytes))).toBe(false);
  });
});
