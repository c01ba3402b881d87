import type { KeyObject } from 'node:crypto';
import { nodeCrypto } from '../crypto.ts';
import { SignetError } from '../errors/index.ts';
import { CURVES, type Curve, OID } from './algorithms.ts';
import { bitString, contextTag, DerReader, encodeDer, integer, node, octetString, oid, sequence, TAG } from './der.ts';
import { makePublicKey, type PublicKey } from './public-key.ts';
import { readSpki } from './verifying-key.ts';

/** A private key taken apart: Notary's bytes for it (protocol A.4, "private key bytes"), and what they stand for. */
export interface RawKey {
  /** SEC1 with curve and public key, PKCS#1, or public ‖ seed ‖ public. Owned by the receiver, who wipes it. */
  readonly raw: Buffer;
  readonly handle: KeyObject;
  readonly publicKey: PublicKey;
}

const ED25519_KEY = 32;

/**
 * Reads a SEC1 ECPrivateKey (RFC 5915). The curve may stand in it, or around it (`curveOid`); its public key may be
 * absent and must be the right one otherwise. Throws `key-malformed` or `key-unsupported`.
 */
export function readEcKey(sec1: Uint8Array, curveOid?: string): RawKey {
  const members = DerReader.sequenceOf(sec1);
  if (members.integer() !== 1) malformed('unknown version of an EC key');
  const scalar = members.content(TAG.octetString);
  const named = members.peek() === contextTag(0) ? members.sequence(contextTag(0)).oid() : curveOid;
  const point = members.peek() === contextTag(1) ? members.sequence(contextTag(1)).bitString() : undefined;
  members.end();
  if (named === undefined || (curveOid !== undefined && named !== curveOid))
    malformed('the key names no curve, or two');
  const curve = curveOf(named);
  const computed = pointOf(curve, scalar);
  if (point !== undefined && !point.equals(computed)) malformed('the public key is not that of the private key');
  return ecKey(curve, scalar, computed);
}

/**
 * Reads a PKCS#1 RSAPrivateKey. Its numbers must belong together: it is tried before it is trusted to sign.
 * Throws `key-malformed`, `key-unsupported` or `key-too-short`.
 */
export function readRsaKey(pkcs1: Uint8Array): RawKey {
  const handle = importKey(pkcs1, 'pkcs1');
  // Bun imports keys of every kind in the place of PKCS#1.
  if (handle.asymmetricKeyType !== 'rsa') malformed('the private key is not an RSA key');
  const { spki, handle: publicHandle } = readSpki(
    nodeCrypto().createPublicKey(handle).export({ format: 'der', type: 'spki' }),
  );
  const raw = handle.export({ format: 'der', type: 'pkcs1' });
  if (!raw.equals(pkcs1) || !isPair(handle, publicHandle)) malformed('malformed RSA key');
  return { raw, handle, publicKey: makePublicKey('rsa', spki) };
}

/** Reads Notary's 96 bytes of an Ed25519 key: public ‖ seed ‖ public. Throws `key-malformed`. */
export function readEd25519Key(raw: Uint8Array): RawKey {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  const [first, seed, last] = [0, 1, 2].map((n) => bytes.subarray(n * ED25519_KEY, (n + 1) * ED25519_KEY));
  if (bytes.length !== 3 * ED25519_KEY || !seed || !first || !last || !first.equals(last))
    malformed('malformed Ed25519 key');
  const key = ed25519KeyFromSeed(seed);
  if (!key.publicKey.bytes.equals(first)) malformed('the public key is not that of the private key');
  return key;
}

/** The Ed25519 key of a 32-byte seed, which is what RFC 8410 calls the private key. Throws `key-malformed`. */
export function ed25519KeyFromSeed(seed: Uint8Array): RawKey {
  if (seed.length !== ED25519_KEY) malformed('malformed Ed25519 key');
  const pkcs8 = encodeDer(sequence(integer(0), sequence(oid(OID.ed25519)), node(TAG.octetString, [octetString(seed)])));
  const handle = importKey(pkcs8, 'pkcs8');
  pkcs8.fill(0);
  const spki = nodeCrypto().createPublicKey(handle).export({ format: 'der', type: 'spki' });
  const point = spki.subarray(spki.length - ED25519_KEY);
  return { raw: Buffer.concat([point, seed, point]), handle, publicKey: makePublicKey('ed25519', Buffer.from(point)) };
}

function ecKey(curve: Curve, scalar: Buffer, point: Buffer): RawKey {
  const padded = Buffer.alloc(curve.size);
  scalar.copy(padded, curve.size - scalar.length);
  const raw = encodeDer(
    sequence(
      integer(1),
      octetString(padded),
      node(contextTag(0), [oid(curve.oid)]),
      node(contextTag(1), [bitString(point)]),
    ),
  );
  padded.fill(0);
  const spki = encodeDer(sequence(sequence(oid(OID.ecPublicKey), oid(curve.oid)), bitString(point)));
  return { raw, handle: importKey(raw, 'sec1'), publicKey: makePublicKey('ecdsa', spki) };
}

function curveOf(dotted: string): Curve {
  const curve = CURVES.find((known) => known.oid === dotted);
  if (curve === undefined) throw new SignetError('key-unsupported', `unsupported elliptic curve ${dotted}`);
  return curve;
}

function pointOf(curve: Curve, scalar: Buffer): Buffer {
  if (scalar.length > curve.size) malformed('the private key does not fit its curve');
  try {
    const ecdh = nodeCrypto().createECDH(curve.name);
    ecdh.setPrivateKey(scalar);
    return ecdh.getPublicKey();
  } catch (cause) {
    throw new SignetError('key-malformed', 'the private key does not fit its curve', { cause });
  }
}

function isPair(privateHandle: KeyObject, publicHandle: KeyObject): boolean {
  const message = Buffer.from('are these two halves of one key?');
  try {
    return nodeCrypto().verify('sha256', message, publicHandle, nodeCrypto().sign('sha256', message, privateHandle));
  } catch {
    return false;
  }
}

function importKey(der: Uint8Array, type: 'sec1' | 'pkcs1' | 'pkcs8'): KeyObject {
  try {
    return nodeCrypto().createPrivateKey({
      key: Buffer.from(der.buffer, der.byteOffset, der.byteLength),
      format: 'der',
      type,
    });
  } catch (cause) {
    throw new SignetError('key-malformed', 'malformed private key', { cause });
  }
}

function malformed(why: string): never {
  throw new SignetError('key-malformed', why);
}
