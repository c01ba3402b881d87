import type { KeyObject } from 'node:crypto';
import { nodeCrypto } from '../crypto.ts';
import { SignetError } from '../errors/index.ts';
import { quoted } from '../printable.ts';
import { CURVES, MAX_RSA_BITS, MIN_RSA_BITS, OID } from './algorithms.ts';
import { bitString, DerReader, encodeDer, oid, sequence } from './der.ts';
import { parsePem } from './pem.ts';
import { parseCertificate } from './x509.ts';

/** A public key as it is written down: its type, and what `keyval.public` holds before base64. */
export interface EncodedKey {
  readonly type: string;
  readonly bytes: Buffer;
}

/** A public key that signatures can be verified with: the key inside of a certificate, or the bare one. */
export interface VerifyingKey {
  readonly algorithm: 'ecdsa' | 'rsa' | 'ed25519';
  readonly handle: KeyObject;
  /** DER SubjectPublicKeyInfo, the one spelling of this key. */
  readonly spki: Buffer;
  /** Bytes of every signature by this key. */
  readonly signatureSize: number;
}

const MAX_PUBLIC_BYTES = 64 * 1024;
const parsed = new WeakMap<EncodedKey, VerifyingKey | SignetError>();

/**
 * The key that `key` verifies with, parsed once. Throws `key-malformed`, `key-unsupported` (types, curves),
 * `key-too-short` (RSA below 2048 bits) or `certificate-invalid`.
 */
export function verifyingKey(key: EncodedKey): VerifyingKey {
  let result = parsed.get(key);
  if (result === undefined) {
    result = attempt(() => parse(key));
    parsed.set(key, result);
  }
  if (result instanceof SignetError) throw result;
  return result;
}

/**
 * Reads a DER SubjectPublicKeyInfo. Only the usual spelling of a key is taken (uncompressed points, named curves,
 * nothing left over), so that one key cannot appear under two IDs. Throws `key-malformed`, `key-unsupported` or
 * `key-too-short`.
 */
export function readSpki(spki: Buffer): VerifyingKey {
  const handle = importSpki(spki);
  switch (handle.asymmetricKeyType) {
    case 'ec':
      return { algorithm: 'ecdsa', handle, spki, signatureSize: 2 * coordinateSize(handle, spki) };
    case 'rsa':
      return { algorithm: 'rsa', handle, spki, signatureSize: Math.ceil(rsaBits(handle) / 8) };
    case 'ed25519':
      return { algorithm: 'ed25519', handle, spki, signatureSize: 64 };
    default:
      throw new SignetError('key-unsupported', 'unknown public key format');
  }
}

/** The DER SubjectPublicKeyInfo of a raw Ed25519 public key (RFC 8410). */
function ed25519Spki(raw: Uint8Array): Buffer {
  return encodeDer(sequence(sequence(oid(OID.ed25519)), bitString(raw)));
}

function parse({ type, bytes }: EncodedKey): VerifyingKey {
  if (bytes.length > MAX_PUBLIC_BYTES) malformed('the key is too large');
  switch (type) {
    case 'ed25519':
      return readSpki(ed25519Spki(bytes));
    case 'ecdsa':
      return ofAlgorithm('ecdsa', readSpki(bytes));
    case 'rsa':
      return ofAlgorithm('rsa', readSpki(isPem(bytes) ? firstBlock(bytes, 'PUBLIC KEY') : bytes));
    case 'ecdsa-x509':
      return ofAlgorithm('ecdsa', readSpki(parseCertificate(firstBlock(bytes, 'CERTIFICATE')).spki));
    case 'rsa-x509':
      return ofAlgorithm('rsa', readSpki(parseCertificate(firstBlock(bytes, 'CERTIFICATE')).spki));
    default:
      throw new SignetError('key-unsupported', `unsupported key type ${quoted(type)}`);
  }
}

/** Whether an RSA key's public bytes are PEM text, as PyCrypto's users wrote them (protocol A.5). */
export function isPem(bytes: Buffer): boolean {
  return bytes.subarray(0, 5).equals(Buffer.from('-----'));
}

function ofAlgorithm(algorithm: VerifyingKey['algorithm'], key: VerifyingKey): VerifyingKey {
  return key.algorithm === algorithm ? key : malformed(`the key is not an ${algorithm} key`);
}

function firstBlock(bytes: Buffer, type: string): Buffer {
  const [first] = parsePem(bytes);
  return first?.type === type ? first.bytes : malformed(`the key does not begin with a PEM ${type}`);
}

function importSpki(spki: Buffer): KeyObject {
  try {
    // OpenSSL passes over bytes after the key; the strict reader does not.
    DerReader.sequenceOf(spki);
    const handle = nodeCrypto().createPublicKey({ key: spki, format: 'der', type: 'spki' });
    if (!handle.export({ format: 'der', type: 'spki' }).equals(spki)) malformed('the key is not in its usual encoding');
    return handle;
  } catch (cause) {
    throw new SignetError('key-malformed', 'unable to parse public key', { cause });
  }
}

function coordinateSize(handle: KeyObject, spki: Buffer): number {
  const curve = CURVES.find(({ name }) => name === handle.asymmetricKeyDetails?.namedCurve);
  if (curve === undefined) throw new SignetError('key-unsupported', 'unsupported elliptic curve');
  const pointSize = 1 + 2 * curve.size;
  if (spki[spki.length - pointSize] !== 0x04) malformed('the point of the key is compressed');
  return curve.size;
}

function rsaBits(handle: KeyObject): number {
  const { modulusLength = 0, publicExponent = 0n } = handle.asymmetricKeyDetails ?? {};
  if (modulusLength < MIN_RSA_BITS) {
    throw new SignetError('key-too-short', `RSA keys must have ${MIN_RSA_BITS} bits or more, not ${modulusLength}`);
  }
  if (modulusLength > MAX_RSA_BITS || publicExponent < 3n || publicExponent % 2n === 0n) {
    throw new SignetError('key-unsupported', `unsupported RSA key of ${modulusLength} bits`);
  }
  return modulusLength;
}

function attempt(read: () => VerifyingKey): VerifyingKey | SignetError {
  try {
    return read();
  } catch (error) {
    return error instanceof SignetError
      ? error
      : new SignetError('key-malformed', 'unable to parse public key', { cause: error });
  }
}

function malformed(why: string): never {
  throw new SignetError('key-malformed', why);
}
