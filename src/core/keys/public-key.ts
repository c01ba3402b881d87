import { decodeBase64 } from '../base64.ts';
import { nodeCrypto } from '../crypto.ts';
import { SignetError } from '../errors/index.ts';
import { canonicalize } from '../json/canonical.ts';
import { Fields } from '../json/fields.ts';
import type { JsonValue } from '../json/parse.ts';
import { type KeyId, parseKeyId } from '../names/key-id.ts';
import { type EncodedKey, isPem, verifyingKey } from './verifying-key.ts';

/** A public key as metadata lists it (protocol A.4). Its bytes are not looked at before it is used. */
export interface PublicKey extends EncodedKey {
  /** `ecdsa`, `ecdsa-x509`, `rsa`, `rsa-x509`, `ed25519`, or another name, which can neither verify nor sign. */
  readonly type: string;
  /** The TUF key ID: of exactly this type and these bytes. */
  readonly id: KeyId;
}

const TYPE = /^[!-~]{1,64}$/;

/** Builds a public key from its type and the bytes of `keyval.public`; computes its ID (protocol A.4.1). */
export function makePublicKey(type: string, bytes: Buffer): PublicKey {
  const id = nodeCrypto()
    .createHash('sha256')
    .update(canonicalize(keyTree(type, bytes)))
    .digest('hex');
  return { type, bytes, id: parseKeyId(id) };
}

/**
 * Reads a key object of metadata or of the trust server (protocol A.4); `what` names it in errors. An object that
 * carries a private key is refused. Throws `key-malformed` or `json-unexpected`.
 */
export function parsePublicKey(value: JsonValue, what: string): PublicKey {
  const key = new Fields(value, what, ['keytype', 'keyval'], 'ignore');
  const keyval = new Fields(key.raw('keyval'), `${what}: keyval`, ['public', 'private'], 'ignore');
  const type = key.string('keytype');
  if (!TYPE.test(type)) throw new SignetError('key-malformed', `${what}: malformed key type`);
  if (keyval.optionalString('private') !== undefined) {
    throw new SignetError('key-malformed', `${what}: a private key stands where only the public one belongs`);
  }
  const bytes = decodeBase64(keyval.string('public'));
  if (bytes === undefined) throw new SignetError('key-malformed', `${what}: public is not base64`);
  return makePublicKey(type, bytes);
}

/** The key object as a tree for metadata. */
export function publicKeyJson(key: PublicKey): JsonValue {
  return keyTree(key.type, key.bytes);
}

/** The key object as text, in the order that the trust server's key endpoints and changelists use. */
export function publicKeyWire(key: PublicKey): string {
  const keyval = { public: key.bytes.toString('base64'), private: null };
  return JSON.stringify({ keytype: key.type, keyval });
}

/**
 * The canonical key ID (protocol A.4.1): of the bare key, whatever certificate or text wraps it. It names private keys,
 * and tells whether two keys are one. A wrapped key that cannot be used, and so cannot count for anything, keeps its
 * own ID.
 */
export function canonicalKeyId(key: PublicKey): KeyId {
  const wrapped = key.type.endsWith('-x509') || (key.type === 'rsa' && isPem(key.bytes));
  if (!wrapped || !isUsable(key)) return key.id;
  const { algorithm, spki } = verifyingKey(key);
  return makePublicKey(algorithm, spki).id;
}

/**
 * Whether signatures can be verified with the key: a known type, well-formed, RSA of 2048 bits or more (protocol A.4).
 */
export function isUsable(key: PublicKey): boolean {
  try {
    verifyingKey(key);
    return true;
  } catch {
    return false;
  }
}

function keyTree(type: string, bytes: Buffer): JsonValue {
  const keyval = new Map<string, JsonValue>([
    ['private', null],
    ['public', bytes.toString('base64')],
  ]);
  return new Map<string, JsonValue>([
    ['keytype', type],
    ['keyval', keyval],
  ]);
}
