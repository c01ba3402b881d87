import { SignetError } from '../errors/index.ts';
import { Fields } from '../json/fields.ts';
import type { JsonObject, JsonValue } from '../json/parse.ts';
import { type PublicKey, parsePublicKey, publicKeyJson } from '../keys/public-key.ts';
import { type KeyId, parseKeyId } from '../names/key-id.ts';
import type { RoleName } from '../names/role.ts';
import { printable } from '../printable.ts';
import { formatTime, type Instant, parseTime } from '../time.ts';

/** Members of every payload. */
export interface Metadata {
  readonly version: number;
  readonly expires: Expiry;
}

/** An expiry as it was signed (`text`) and as an instant (`at`). */
interface Expiry {
  readonly text: string;
  readonly at: Instant;
}

/** Which keys may sign for a role, and how many of them must. */
export interface RoleKeys {
  readonly keyIds: readonly KeyId[];
  readonly threshold: number;
}

export type KeyMap = ReadonlyMap<KeyId, PublicKey>;

/** The `_type` of each file (protocol A.6); every delegation has the type `Targets`. */
type TypeName = 'Root' | 'Targets' | 'Snapshot' | 'Timestamp';

/** The width of Notary's database column. No version could follow a larger one. */
export const MAX_VERSION = 2 ** 31 - 1;
const MAX_THRESHOLD = 512;

/** Reads the members that every payload has; `_type` must be the expected one, not just a valid one (protocol A.11). */
export function openPayload(
  role: RoleName,
  signed: JsonValue,
  type: TypeName,
  members: readonly string[],
): { fields: Fields; common: Metadata } {
  const fields = new Fields(signed, `${role} metadata`, ['_type', 'expires', 'version', ...members], 'ignore');
  const found = fields.string('_type');
  if (found !== type) {
    throw new SignetError(
      'metadata-type-wrong',
      `${role} type metadata invalid: expected type ${type}, not ${printable(found)}`,
    );
  }
  const version = fields.integer('version');
  if (version < 1) malformed(role, 'version cannot be less than one');
  if (version > MAX_VERSION) malformed(role, `version cannot be more than ${MAX_VERSION}`);
  const text = fields.string('expires');
  return { fields, common: { version, expires: { text, at: parseTime(text) } } };
}

/** The members that every payload has, for a payload to be signed. */
export function commonMembers(type: TypeName, metadata: Metadata): [string, JsonValue][] {
  return [
    ['_type', type],
    ['expires', metadata.expires.text],
    ['version', metadata.version],
  ];
}

/** An expiry at an instant, in the form that Signet signs. */
export function expiryAt(instant: Instant): Expiry {
  const text = formatTime(instant);
  return { text, at: parseTime(text) };
}

/** Reads a `keys` object. A key that does not hash to the ID it is listed under is refused (`key-id-mismatch`). */
export function readKeys(role: RoleName, value: JsonObject): Map<KeyId, PublicKey> {
  const keys = new Map<KeyId, PublicKey>();
  for (const [name, member] of value) {
    const key = parsePublicKey(member, `${role} metadata: key ${printable(name)}`);
    if (key.id !== parseKeyId(name)) {
      throw new SignetError('key-id-mismatch', `${role} metadata: key ID is not valid for key content`);
    }
    keys.set(key.id, key);
  }
  return keys;
}

/** The JSON of `keys` (protocol A.6). */
export function keysJson(keys: KeyMap): JsonValue {
  return new Map([...keys].map(([id, key]) => [id as string, publicKeyJson(key)]));
}

/**
 * Reads key IDs and threshold of `subject`. Key IDs are distinct and in `keys`; the threshold is at least 1. Whether
 * the threshold can be met is left to the caller, because only roots require it.
 */
export function readRoleKeys(role: RoleName, fields: Fields, subject: string, keys: KeyMap): RoleKeys {
  const keyIds = fields.strings('keyids').map(parseKeyId);
  const threshold = fields.integer('threshold');
  if (threshold < 1 || threshold > MAX_THRESHOLD) {
    throw new SignetError(
      'threshold-invalid',
      `${role} type metadata invalid: invalid threshold specified for ${subject}: ${threshold}`,
    );
  }
  if (new Set(keyIds).size !== keyIds.length) malformed(role, `${subject} lists a key ID twice`);
  const unknown = keyIds.find((id) => !keys.has(id));
  if (unknown !== undefined) malformed(role, `key ID ${unknown} specified in ${subject} without corresponding key`);
  return { keyIds, threshold };
}

/** The members `keyids` and `threshold` of a role's JSON. */
export function roleKeysMembers({ keyIds, threshold }: RoleKeys): [string, JsonValue][] {
  return [
    ['keyids', keyIds],
    ['threshold', threshold],
  ];
}

/** Refuses metadata whose structure is wrong, in Notary's words (protocol A.11). */
export function malformed(role: RoleName, why: string): never {
  throw new SignetError('metadata-malformed', `${role} type metadata invalid: ${why}`);
}
