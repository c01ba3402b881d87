import { describe, expect, test } from 'bun:test';
import { isSignetError } from '../../../src/core/errors/index.ts';
import { rootCertificateOf } from '../../../src/core/keys/certificate.ts';
import { DerReader } from '../../../src/core/keys/der.ts';
import { openKeyFile, parseKeyFile, sealKey } from '../../../src/core/keys/key-file.ts';
import { formatPem, parsePem } from '../../../src/core/keys/pem.ts';
import { parsePkcs8 } from '../../../src/core/keys/pkcs8.ts';
import { generatePrivateKey } from '../../../src/core/keys/private-key.ts';
import { canonicalKeyId, makePublicKey } from '../../../src/core/keys/public-key.ts';
import { parsePublicKeyFile } from '../../../src/core/keys/public-key-file.ts';
import { parseKeyId } from '../../../src/core/names/key-id.ts';
import { verifySignature } from '../../../src/core/signature.ts';
import { parseTime } from '../../../src/core/time.ts';
import { random } from '../../support/random.ts';
import { vector } from './support.ts';

const NOW = parseTime('2026-11-24T18:00:00Z');
const PASSPHRASE = Buffer.from('secret-passphrase');
/** Milliseconds after which one test stops early; many times what it takes. */
const BUDGET = 3000;

/** One to four changes to a copy: a byte replaced, a bit flipped, bytes cut out, repeated or put in. */
function mutate(input: Buffer, next: () => number): Buffer {
  const below = (limit: number) => Math.floor(next() * limit);
  let bytes = Buffer.from(input);
  for (let left = 1 + below(4); left > 0; left--) {
    const at = below(bytes.length + 1);
    const length = 1 + below(8);
    const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
    const kind = below(5);
    if (kind === 0 && after.length > 0) after.writeUInt8(below(256));
    else if (kind === 1 && after.length > 0) after.writeUInt8(after.readUInt8() ^ (1 << below(8)));
    else if (kind === 2) bytes = Buffer.concat([before, after.subarray(length)]);
    else if (kind === 3) bytes = Buffer.concat([before, after.subarray(0, length), after]);
    else bytes = Buffer.concat([before, Buffer.from(Array.from({ length }, () => below(256))), after]);
  }
  return bytes;
}

/** Runs `use` on mutations of `inputs`: whatever it throws must be a SignetError. Returns how many runs ended in which way. */
function fuzz(seed: number, rounds: number, inputs: readonly Buffer[], use: (bytes: Buffer) => unknown) {
  const next = random(seed);
  const outcome = { accepted: 0, refused: 0 };
  const end = performance.now() + BUDGET;
  for (let round = 0; round < rounds && performance.now() < end; round++) {
    const input = inputs[round % inputs.length] ?? Buffer.of();
    const mutated = mutate(input, next);
    try {
      use(mutated);
      outcome.accepted++;
    } catch (error) {
      if (!isSignetError(error))
        throw new Error(`not a SignetError on ${mutated.toString('base64')}`, { cause: error });
      outcome.refused++;
    }
  }
  return outcome;
}

const der = (path: string) => parsePem(vector(path)).at(-1)?.bytes ?? Buffer.of();
const sealed = (passphrase: Buffer) =>
  sealKey(generatePrivateKey('ecdsa'), { role: 'root', passphrase, iterations: 1 });

describe('only SignetErrors leave', () => {
  test('the PEM parser', () => {
    const inputs = [vector('keys/chain.crt'), vector('keys/rsa-pkcs1-aes128.pem'), sealed(PASSPHRASE)];
    const { accepted, refused } = fuzz(1, 4000, inputs, parsePem);
    expect(refused).toBeGreaterThan(100);
    expect(accepted).toBeGreaterThan(10);
  });

  test('the DER reader', () => {
    const walk = (reader: DerReader, depth: number): void => {
      while (!reader.done && depth < 32) {
        const tag = reader.peek() ?? 0;
        if (tag === 0x02) reader.integer();
        else if (tag === 0x06) reader.oid();
        else if (tag === 0x03) reader.bitString();
        else if ((tag & 0x20) !== 0) walk(reader.sequence(tag), depth + 1);
        else reader.content(tag);
      }
    };
    const inputs = [der('keys/rsa.crt'), der('keys/rsa-pkcs1.pem'), der('keys/ec-pbes2-sha256.pem')];
    const { refused } = fuzz(2, 6000, inputs, (bytes) => walk(DerReader.sequenceOf(bytes), 0));
    expect(refused).toBeGreaterThan(1000);
  });

  test('PKCS#8', () => {
    const inputs = [
      der('keys/ec-pkcs8.pem'),
      der('keys/ed25519-pkcs8.pem'),
      parsePem(sealed(Buffer.of()))[0]?.bytes ?? Buffer.of(),
    ];
    const { refused } = fuzz(3, 4000, inputs, (bytes) => parsePkcs8(bytes).sign(bytes));
    expect(refused).toBeGreaterThan(1000);
  });

  test('RSA in PKCS#8', () => {
    const { refused } = fuzz(4, 300, [der('keys/rsa-pkcs8.pem')], (bytes) => parsePkcs8(bytes).sign(bytes));
    expect(refused).toBeGreaterThan(100);
  });

  test('key files', () => {
    const inputs = [
      sealed(PASSPHRASE),
      vector('keys/ec-sec1-aes256.pem'),
      vector('keys/ec-sec1.pem'),
      sealed(Buffer.of()),
    ];
    const { refused } = fuzz(5, 3000, inputs, (bytes) =>
      parseKeyFile(bytes).map((file) => openKeyFile(file, PASSPHRASE)),
    );
    expect(refused).toBeGreaterThan(1000);
  });

  test('encrypted bodies', () => {
    const inputs = [parsePem(sealed(PASSPHRASE))[0]?.bytes ?? Buffer.of()];
    const { refused } = fuzz(6, 1500, inputs, (bytes) => {
      const file = Buffer.from(formatPem('ENCRYPTED PRIVATE KEY', new Map(), bytes));
      return parseKeyFile(file).map((key) => openKeyFile(key, PASSPHRASE));
    });
    expect(refused).toBeGreaterThan(1000);
  });

  test('public key files', () => {
    const inputs = [vector('keys/ec-public.pem'), vector('keys/rsa-public.pem'), vector('keys/rsa.crt')];
    const { refused } = fuzz(7, 2000, inputs, (bytes) => parsePublicKeyFile(bytes, NOW));
    expect(refused).toBeGreaterThan(1000);
  });
});

describe('nothing leaves', () => {
  test('verifying, canonical IDs and root certificates', () => {
    const inputs = [
      ['ecdsa', der('keys/ec-public.pem')],
      ['rsa', der('keys/rsa-public.pem')],
      ['ed25519', der('keys/ed25519-public.pem').subarray(-32)],
      ['ecdsa-x509', vector('keys/chain.crt')],
      ['rsa-x509', vector('keys/rsa.crt')],
    ] as const;
    const keyId = parseKeyId('0'.repeat(64));
    const methods = {
      ecdsa: 'ecdsa',
      'ecdsa-x509': 'ecdsa',
      ed25519: 'eddsa',
      rsa: 'rsapss',
      'rsa-x509': 'rsapkcs1v15',
    };
    for (const [type, input] of inputs) {
      const bytes = Buffer.alloc(type.startsWith('rsa') ? 256 : 64, 1);
      const { refused } = fuzz(8, 800, [input], (mutated) => {
        const key = makePublicKey(type, mutated);
        canonicalKeyId(key);
        rootCertificateOf(key);
        expect(verifySignature(key, { keyId, method: methods[type], bytes }, mutated)).toBe(false);
      });
      expect(refused).toBe(0);
    }
  });

  test('a certificate whose DER was changed is skipped, or still has a whole name', () => {
    const next = random(9);
    for (let round = 0; round < 2000; round++) {
      const pem = formatPem('CERTIFICATE', new Map(), mutate(der('keys/rsa.crt'), next));
      const found = rootCertificateOf(makePublicKey('rsa-x509', Buffer.from(pem)));
      if (found !== undefined) expect(Number.isFinite(found.notAfter) && found.commonName.isWellFormed()).toBe(true);
    }
  });
});
