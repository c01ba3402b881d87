import { nodeCrypto } from '../crypto.ts';
import { isSignetError, SignetError } from '../errors/index.ts';
import { OID } from './algorithms.ts';
import { DerReader, encodeDer, integer, octetString, oid, sequence, TAG } from './der.ts';

/**
 * Rounds of PBKDF2 for a new key file. Notary writes 2048 and reads any number; this many cost about 50 ms on a small
 * machine, once for every use of the key.
 */
export const DEFAULT_ITERATIONS = 200_000;
/** About a second: a file from outside must not decide how long a command takes. */
const MAX_ITERATIONS = 2_000_000;
const MAX_SALT = 1024;
const IV_SIZE = 16;

interface Cipher {
  readonly name: string;
  readonly keySize: number;
}

const PBES2_CIPHERS: ReadonlyMap<string, Cipher> = new Map([
  [OID.aes128Cbc, { name: 'aes-128-cbc', keySize: 16 }],
  [OID.aes192Cbc, { name: 'aes-192-cbc', keySize: 24 }],
  [OID.aes256Cbc, { name: 'aes-256-cbc', keySize: 32 }],
]);
const PBES2_HASHES: ReadonlyMap<string, string> = new Map([
  [OID.hmacSha1, 'sha1'],
  [OID.hmacSha256, 'sha256'],
  [OID.hmacSha512, 'sha512'],
]);
/** PKCS#12's encryptions by SHA-1 and triple DES, with three keys and with two. */
const PBE_OF_TRIPLE_DES: readonly string[] = ['1.2.840.113549.1.12.1.3', '1.2.840.113549.1.12.1.4'];
const DEK_INFO = /^(AES-(?:128|192|256)-CBC),([0-9A-Fa-f]{32})$/;

/**
 * Encrypts as Notary does (protocol C.2.1): PBES2, PBKDF2 with HMAC-SHA1, AES-256-CBC. Throws `key-unsupported` for a
 * number of iterations that would not be read back.
 */
export function encryptPbes2(plain: Buffer, passphrase: Buffer, iterations: number): Buffer {
  if (!Number.isSafeInteger(iterations) || iterations < 1 || iterations > MAX_ITERATIONS) {
    throw new SignetError('key-unsupported', `a key cannot be encrypted with ${iterations} iterations`);
  }
  const salt = nodeCrypto().randomBytes(8);
  const iv = nodeCrypto().randomBytes(IV_SIZE);
  const key = nodeCrypto().pbkdf2Sync(passphrase, salt, iterations, 32, 'sha1');
  const cipher = nodeCrypto().createCipheriv('aes-256-cbc', key, iv);
  const encrypted = Buffer.concat([cipher.update(plain), cipher.final()]);
  key.fill(0);
  const derivation = sequence(oid(OID.pbkdf2), sequence(octetString(salt), integer(iterations)));
  const encryption = sequence(oid(OID.aes256Cbc), octetString(iv));
  const algorithm = sequence(oid(OID.pbes2), sequence(derivation, encryption));
  return encodeDer(sequence(algorithm, octetString(encrypted)));
}

/**
 * Decrypts a PKCS#8 EncryptedPrivateKeyInfo: Notary's, or one of OpenSSL with another hash or key size. The caller
 * wipes the result. Throws `key-malformed`, `key-unsupported` or `key-passphrase-wrong`.
 */
export function decryptPbes2(der: Buffer, passphrase: Buffer): Buffer {
  const info = DerReader.sequenceOf(der);
  const algorithm = info.sequence();
  const encrypted = info.content(TAG.octetString);
  info.end();
  if (algorithm.oid() !== OID.pbes2) unsupported('pkcs8: only PBES2 supported');
  const parameters = algorithm.sequence();
  const derivation = parameters.sequence();
  if (derivation.oid() !== OID.pbkdf2) unsupported('pkcs8: only PBKDF2 supported');
  const { salt, iterations, keySize, hash } = readDerivation(derivation.sequence());
  const encryption = parameters.sequence();
  const cipher = PBES2_CIPHERS.get(encryption.oid()) ?? unsupported('pkcs8: only AES-CBC supported');
  const iv = encryption.content(TAG.octetString);
  if (keySize !== undefined && keySize !== cipher.keySize) malformed('pkcs8: wrong key length');
  return decipher(cipher, nodeCrypto().pbkdf2Sync(passphrase, salt, iterations, cipher.keySize, hash), iv, encrypted);
}

/**
 * Decrypts the body of an OpenSSL-style PEM block (protocol C.2.2), given its `DEK-Info` header. The caller wipes the
 * result. Throws `key-malformed`, `key-unsupported` or `key-passphrase-wrong`.
 */
export function decryptLegacy(encrypted: Buffer, dekInfo: string, passphrase: Buffer): Buffer {
  const [, name, hex] = DEK_INFO.exec(dekInfo) ?? [];
  if (name === undefined || hex === undefined) unsupported('unsupported DEK-Info of an encrypted key');
  const iv = Buffer.from(hex, 'hex');
  const cipher = { name: name.toLowerCase(), keySize: Number(name.slice(4, 7)) / 8 };
  return decipher(cipher, bytesToKey(passphrase, iv.subarray(0, 8), cipher.keySize), iv, encrypted);
}

/** Whether `decryptLegacy` reads keys with this `DEK-Info` header. */
export function isSupportedDekInfo(dekInfo: string): boolean {
  return DEK_INFO.test(dekInfo);
}

/**
 * Whether `decryptPbes2` reads a PKCS#8 EncryptedPrivateKeyInfo; if not, whether OpenSSL 3 needs its legacy provider to
 * read it. Throws `key-malformed`.
 */
export function isPbes2Supported(der: Buffer): 'supported' | 'current' | 'legacy' {
  const algorithm = DerReader.sequenceOf(der).sequence();
  const scheme = algorithm.oid();
  if (scheme !== OID.pbes2) return PBE_OF_TRIPLE_DES.includes(scheme) ? 'current' : 'legacy';
  const parameters = algorithm.sequence();
  const derivation = parameters.sequence();
  if (derivation.oid() !== OID.pbkdf2) return 'current';
  try {
    readDerivation(derivation.sequence());
  } catch (error) {
    if (isSignetError(error, 'key-unsupported')) return 'current';
    throw error;
  }
  return PBES2_CIPHERS.has(parameters.sequence().oid()) ? 'supported' : 'current';
}

function readDerivation(parameters: DerReader) {
  const salt = parameters.content(TAG.octetString);
  const iterations = parameters.integer();
  const keySize = parameters.peek() === TAG.integer ? parameters.integer() : undefined;
  const hash = parameters.done ? 'sha1' : readHash(parameters.sequence());
  parameters.end();
  if (salt.length > MAX_SALT) malformed('pkcs8: the salt is too long');
  if (iterations < 1 || iterations > MAX_ITERATIONS) malformed(`pkcs8: ${iterations} iterations are out of range`);
  return { salt, iterations, keySize, hash };
}

function readHash(algorithm: DerReader): string {
  return PBES2_HASHES.get(algorithm.oid()) ?? unsupported('pkcs8: unsupported hash of PBKDF2');
}

/** OpenSSL's EVP_BytesToKey with MD5 and one round. */
function bytesToKey(passphrase: Buffer, salt: Buffer, size: number): Buffer {
  const key = Buffer.alloc(Math.ceil(size / 16) * 16);
  for (let at = 0; at < size; at += 16) {
    const previous = key.subarray(Math.max(at - 16, 0), at);
    nodeCrypto().createHash('md5').update(previous).update(passphrase).update(salt).digest().copy(key, at);
  }
  return key.subarray(0, size);
}

/** Decrypts, and wipes `key`. */
function decipher({ name }: Cipher, key: Buffer, iv: Buffer, encrypted: Buffer): Buffer {
  if (iv.length !== IV_SIZE || encrypted.length === 0 || encrypted.length % 16 !== 0)
    malformed('the encrypted key is cut off');
  const parts: Buffer[] = [];
  try {
    const stream = nodeCrypto().createDecipheriv(name, key, iv);
    parts.push(stream.update(encrypted));
    parts.push(stream.final());
    return Buffer.concat(parts);
  } catch (cause) {
    throw new SignetError('key-passphrase-wrong', 'could not decrypt key: the passphrase is wrong', { cause });
  } finally {
    for (const secret of [key, ...parts]) secret.fill(0);
  }
}

function malformed(why: string): never {
  throw new SignetError('key-malformed', why);
}

function unsupported(why: string): never {
  throw new SignetError('key-unsupported', why);
}
