import { canonicalize } from '../../src/core/json/canonical.ts';
import { type JsonObject, type JsonValue, parseJson } from '../../src/core/json/parse.ts';
import type { PrivateKey } from '../../src/core/keys/private-key.ts';
import type { PublicKey } from '../../src/core/keys/public-key.ts';
import { parseEnvelope, writeEnvelope } from '../../src/core/metadata/envelope.ts';
import type { RoleName } from '../../src/core/names/role.ts';
import type { Signature } from '../../src/core/signature.ts';

/** A function that returns a changed copy of a JSON tree. */
export type Change = (value: JsonValue) => JsonValue;

/** Sets `member` at `path`, creating objects on the way; undefined removes it. */
export function put(path: readonly string[], member: JsonValue | undefined): Change {
  return change(path, () => member);
}

/** Replaces the value at `path` by the result of `replace`. */
export function change(
  path: readonly string[],
  replace: (value: JsonValue | undefined) => JsonValue | undefined,
): Change {
  return (value) => replaced(value, path, replace) ?? null;
}

function replaced(
  value: JsonValue | undefined,
  path: readonly string[],
  replace: (value: JsonValue | undefined) => JsonValue | undefined,
): JsonValue | undefined {
  const [name, ...rest] = path;
  if (name === undefined) return replace(value);
  if (Array.isArray(value))
    return value.map((item, at) => (String(at) === name ? (replaced(item, rest, replace) ?? null) : item));
  const members = new Map<string, JsonValue>(value instanceof Map ? value : []);
  const member = replaced(members.get(name), rest, replace);
  if (member === undefined) members.delete(name);
  else members.set(name, member);
  return members;
}

/** A JSON tree from a JavaScript value; objects become Maps. */
export function tree(value: unknown): JsonValue {
  return parseJson(JSON.stringify(value));
}

/** The payload of a file, as a tree. */
export function payloadOf(file: Uint8Array): JsonObject {
  const { signed } = parseEnvelope('targets', file);
  if (!(signed instanceof Map)) throw new Error('the payload is no object');
  return signed;
}

/** A signer: the private key, and the public key as listed in metadata. */
export interface Signer {
  readonly key: PublicKey;
  readonly private: PrivateKey;
}

/** A file with this payload, signed by all of `signers`. */
export function sealed(payload: JsonValue, signers: readonly Signer[]): Buffer {
  return writeEnvelope(payload, signaturesOver(payload, signers));
}

export function signaturesOver(payload: JsonValue, signers: readonly Signer[]): readonly Signature[] {
  const message = canonicalize(payload);
  return signers.map(({ key, private: secret }) => ({ ...secret.sign(message), keyId: key.id }));
}

/** The file with other signatures for the same payload. */
export function withSignatures(role: RoleName, file: Uint8Array, signatures: readonly Signature[]): Buffer {
  return writeEnvelope(parseEnvelope(role, file).signed, signatures);
}
