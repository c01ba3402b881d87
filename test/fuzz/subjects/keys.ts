import { deepStrictEqual, strictEqual } from 'node:assert';
import { X509Certificate } from 'node:crypto';
import { rootCertificateOf } from '../../../src/core/keys/certificate.ts';
import { DerReader, encodeDer, integer, oid, TAG } from '../../../src/core/keys/der.ts';
import { formatKeyFile, type KeyFile, openKeyFile, parseKeyFile } from '../../../src/core/keys/key-file.ts';
import { formatPem, parsePem } from '../../../src/core/keys/pem.ts';
import { formatPkcs8, parsePkcs8 } from '../../../src/core/keys/pkcs8.ts';
import type { PrivateKey } from '../../../src/core/keys/private-key.ts';
import { canonicalKeyId, makePublicKey } from '../../../src/core/keys/public-key.ts';
import { formatPublicKeyFile, parsePublicKeyFile } from '../../../src/core/keys/public-key-file.ts';
import { type Certificate, parseCertificate } from '../../../src/core/keys/x509.ts';
import { parseKeyId } from '../../../src/core/names/key-id.ts';
import { verifySignature } from '../../../src/core/signature.ts';
import { parseTime } from '../../../src/core/time.ts';
import { vector } from '../../core/keys/support.ts';
import { Refused, type Subject } from '../engine.ts';
import { anyOf, bytes, lines, words } from '../mutate.ts';
import { der, pem } from '../mutate-der.ts';

const NOW = parseTime('2026-11-24T18:00:00Z');
const PASSPHRASE = Buffer.from('secret-passphrase');
const KEY_ERRORS = ['key-malformed', 'key-unsupported', 'key-too-short', 'too-large'] as const;
const HEADERS = [
  ...['role: root\n', 'gun: docker.io/a/b\n', 'path: x\n', 'Proc-Type: 4,ENCRYPTED\n', 'DEK-Info: AES-256-CBC,00\n'],
  ...[
    '-----BEGIN ',
    '-----END ',
    '-----',
    'ENCRYPTED PRIVATE KEY',
    'EC PRIVATE KEY',
    'CERTIFICATE',
    '\r\n',
    '=',
    '\n\n',
  ],
];
const pemFile = anyOf(pem, pem, words(HEADERS), lines, bytes);

const body = (path: string) => parsePem(vector(path))[0]?.bytes ?? Buffer.of();

const pemText: Subject = {
  seeds: ['keys/chain.crt', 'keys/rsa-pkcs1-aes128.pem', 'keys/ec-sec1-aes256.pem'].map(vector),
  mutate: pemFile,
  refusals: KEY_ERRORS,
  check: (input) => {
    const blocks = parsePem(input);
    if (blocks.length === 0) throw new Refused();
    const text = blocks.map(({ type, headers, bytes: content }) => formatPem(type, headers, content)).join('');
    deepStrictEqual(parsePem(Buffer.from(text)), blocks);
  },
};

/** What is read as DER is the one way to write it: written again from what was read, it is the same, byte for byte. */
const derValue: Subject = {
  seeds: ['keys/rsa.crt', 'keys/rsa-pkcs8.pem', 'keys/ec-pbes2-sha256.pem', 'keys/ec-public.pem'].map(body),
  mutate: der,
  refusals: KEY_ERRORS,
  check: (input) => walk(DerReader.sequenceOf(input), 0),
};

const pkcs8: Subject = {
  seeds: ['keys/ec-pkcs8.pem', 'keys/ed25519-pkcs8.pem', 'keys/rsa-pkcs8.pem'].map(body),
  mutate: der,
  refusals: KEY_ERRORS,
  check: (input) => {
    const key = parsePkcs8(input);
    checkUsable(key);
    strictEqual(parsePkcs8(formatPkcs8(key)).id, key.id);
  },
};

const keyFile: Subject = {
  seeds: [...['ec-sec1-aes256', 'ec-pbes2-sha256', 'ec-sec1', 'ec-pkcs8', 'ed25519-pkcs8', 'rsa-pkcs1']].map((name) =>
    vector(`keys/${name}.pem`),
  ),
  mutate: pemFile,
  refusals: [...KEY_ERRORS, 'key-passphrase-wrong'],
  check: (input) => {
    for (const file of parseKeyFile(input)) {
      deepStrictEqual(parseKeyFile(formatKeyFile(file)), [withSpelledHeaders(file)]);
      checkUsable(openKeyFile(file, PASSPHRASE));
    }
  },
};

/** A certificate is read as OpenSSL reads it, where both read it. */
const certificate: Subject = {
  seeds: ['keys/rsa.crt', 'keys/chain.crt', 'keys/ed25519.crt', 'keys/two-names.crt'].map(body),
  mutate: der,
  refusals: ['certificate-invalid'],
  check: (input) => {
    const read = parseCertificate(input);
    const openssl = byOpenSsl(input);
    if (openssl === undefined) return;
    deepStrictEqual(
      [read.notBefore, read.notAfter, read.isAuthority, read.spki.toString('hex')],
      [openssl.validFromDate.getTime(), openssl.validToDate.getTime(), openssl.ca, spkiOf(openssl, read)],
    );
  },
};

const publicKeyFile: Subject = {
  seeds: ['ec-public.pem', 'rsa-public.pem', 'ed25519-public.pem'].map((name) => vector(`keys/${name}`)),
  mutate: pemFile,
  refusals: [...KEY_ERRORS, 'certificate-invalid'],
  check: (input) => {
    const key = parsePublicKeyFile(input, NOW);
    const bare = parsePublicKeyFile(Buffer.from(formatPublicKeyFile(key, 'alice')), NOW);
    strictEqual(canonicalKeyId(bare), canonicalKeyId(key));
    strictEqual(bare.id, canonicalKeyId(bare));
  },
};

const TYPES = ['ecdsa', 'ecdsa-x509', 'rsa', 'rsa-x509', 'ed25519'] as const;
const METHODS = ['ecdsa', 'rsapss', 'rsapkcs1v15', 'eddsa', 'pycrypto-pkcs#1 pss'];

/** Public keys as metadata lists them: whatever their bytes are, using them fails without an error, and proves nothing. */
const publicKey: Subject = {
  seeds: [vector('keys/chain.crt'), vector('keys/rsa.crt'), body('keys/ec-public.pem'), body('keys/rsa-public.pem')],
  mutate: anyOf(der, pemFile),
  refusals: [],
  check: (input) => {
    for (const type of TYPES) {
      const key = makePublicKey(type, input);
      parseKeyId(canonicalKeyId(key));
      const root = rootCertificateOf(key);
      strictEqual(root === undefined || root.commonName.isWellFormed(), true);
      for (const method of METHODS) {
        const signature = { keyId: key.id, method, bytes: Buffer.alloc(type.startsWith('rsa') ? 256 : 64, 1) };
        strictEqual(verifySignature(key, signature, input), false);
      }
    }
  },
};

export const KEY_SUBJECTS = {
  pem: () => pemText,
  der: () => derValue,
  pkcs8: () => pkcs8,
  'key-file': () => keyFile,
  certificate: () => certificate,
  'public-key-file': () => publicKeyFile,
  'public-key': () => publicKey,
};

function checkUsable(key: PrivateKey): void {
  const message = Buffer.from('what is to be signed');
  strictEqual(verifySignature(key.publicKey, key.sign(message), message), true, 'the key signs for another');
}

/** The file as it is read back: of what is written, an absent role and an empty one are the same. */
function withSpelledHeaders(file: KeyFile): KeyFile {
  const headers = new Map(file.block.headers);
  if (file.role === '') headers.delete('role');
  return { ...file, block: { ...file.block, headers } };
}

function walk(reader: DerReader, depth: number): void {
  while (!reader.done && depth < 32) {
    const tag = reader.peek() ?? 0;
    if (tag === TAG.integer) integerAgain(reader);
    else if (tag === TAG.oid) {
      const whole = reader.whole(TAG.oid);
      deepStrictEqual(encodeDer(oid(new DerReader(whole).oid())), whole);
    } else if (tag === TAG.bitString) reader.bitString();
    else if ((tag & 0x20) !== 0) walk(reader.sequence(tag), depth + 1);
    else reader.content(tag);
  }
}

/** Larger ones, such as an RSA modulus, are not read as numbers. */
function integerAgain(reader: DerReader): void {
  const whole = reader.whole(TAG.integer);
  if (whole.length > 8) return;
  deepStrictEqual(encodeDer(integer(new DerReader(whole).integer())), whole);
}

function byOpenSsl(input: Buffer): X509Certificate | undefined {
  try {
    const read = new X509Certificate(input);
    return Number.isNaN(read.validToDate.getTime() + read.validFromDate.getTime()) ? undefined : read;
  } catch {
    return undefined;
  }
}

/** As OpenSSL has it; what it cannot use as a key is not compared. */
function spkiOf(openssl: X509Certificate, { spki }: Certificate): string {
  try {
    return openssl.publicKey.export({ type: 'spki', format: 'der' }).toString('hex');
  } catch {
    return spki.toString('hex');
  }
}
