import { SignetError } from '../errors/index.ts';
import { OID } from './algorithms.ts';
import { contextTag, DerReader, encodeDer, integer, octetString, oid, sequence, TAG } from './der.ts';
import { PrivateKey } from './private-key.ts';
import { ed25519KeyFromSeed, readEcKey, readEd25519Key, readRsaKey } from './raw-key.ts';

/**
 * Reads a PKCS#8 PrivateKeyInfo: Notary's dialect (protocol C.2.1) and the standard ones for EC, RSA and Ed25519 (RFC
 * 5208, 5958, 8410). Throws `key-malformed`, `key-unsupported` or `key-too-short`.
 */
export function parsePkcs8(der: Uint8Array): PrivateKey {
  const info = DerReader.sequenceOf(der);
  if (info.integer() > 1) throw new SignetError('key-unsupported', 'unknown version of a private key');
  const algorithm = info.sequence();
  const privateKey = info.content(TAG.octetString);
  skipAttributes(info);
  const name = algorithm.oid();
  switch (name) {
    case OID.ecPublicKey:
      return new PrivateKey(readEcKey(privateKey, readParameter(algorithm)));
    case OID.rsaEncryption:
      if (!algorithm.done) algorithm.null();
      algorithm.end();
      return new PrivateKey(readRsaKey(privateKey));
    case OID.notaryEd25519:
      return new PrivateKey(readEd25519Key(privateKey));
    case OID.ed25519:
      return new PrivateKey(ed25519KeyFromSeed(new DerReader(privateKey).content(TAG.octetString)));
    default:
      throw new SignetError('key-unsupported', `unsupported private key algorithm ${name}`);
  }
}

/** Writes a PKCS#8 PrivateKeyInfo exactly as Notary does (protocol C.2.1, G-27). The caller wipes the result. */
export function formatPkcs8(key: PrivateKey): Buffer {
  const raw = key.raw();
  const privateKey = octetString(raw);
  try {
    switch (key.type) {
      case 'ecdsa': {
        const curve = oid(curveOf(key));
        return encodeDer(sequence(integer(1), sequence(oid(OID.ecPublicKey), curve), privateKey));
      }
      case 'rsa':
        return encodeDer(sequence(integer(0), sequence(oid(OID.rsaEncryption)), privateKey));
      case 'ed25519':
        return encodeDer(sequence(integer(0), sequence(oid(OID.notaryEd25519)), privateKey));
    }
  } finally {
    raw.fill(0);
  }
}

function readParameter(algorithm: DerReader): string {
  const curve = algorithm.oid();
  algorithm.end();
  return curve;
}

function curveOf(key: PrivateKey): string {
  const algorithm = DerReader.sequenceOf(key.publicKey.bytes).sequence();
  algorithm.oid();
  return readParameter(algorithm);
}

/** Attributes and a public key (RFC 5958) may follow; the private key itself says which public key is its own. */
function skipAttributes(info: DerReader): void {
  info.optional(contextTag(0));
  info.optional(contextTag(1)) ?? info.optional(0x81);
  info.end();
}
