import { SignetError } from '../errors/index.ts';
import { Fields } from '../json/fields.ts';
import type { JsonValue } from '../json/parse.ts';
import { BASE_ROLES, type BaseRole } from '../names/role.ts';
import {
  commonMembers,
  type KeyMap,
  keysJson,
  type Metadata,
  malformed,
  openPayload,
  type RoleKeys,
  readKeys,
  readRoleKeys,
  roleKeysMembers,
} from './common.ts';

/** The root payload (protocol A.7): who may sign for the four base roles. */
export interface Root extends Metadata {
  readonly keys: KeyMap;
  readonly roles: ReadonlyMap<BaseRole, RoleKeys>;
}

/** Reads a root payload. Throws `metadata-*`, `threshold-invalid`, `key-*` or `json-*`. */
export function readRoot(signed: JsonValue): Root {
  const { fields, common } = openPayload('root', signed, 'Root', ['consistent_snapshot', 'keys', 'roles']);
  const keys = readKeys('root', fields.map('keys'));
  const listed = fields.map('roles');
  const roles = new Map(BASE_ROLES.map((role) => [role, readBaseRole(role, listed.get(role), keys)]));
  return { ...common, keys, roles };
}

/** The JSON of a root's payload. */
export function rootJson(root: Root): JsonValue {
  return new Map<string, JsonValue>([
    ...commonMembers('Root', root),
    ['consistent_snapshot', false],
    ['keys', keysJson(root.keys)],
    ['roles', new Map([...root.roles].map(([name, role]) => [name as string, new Map(roleKeysMembers(role))]))],
  ]);
}

/** The keys and threshold of a base role. `readRoot` has checked that all four are present. */
export function baseRoleKeys(root: Root, role: BaseRole): RoleKeys {
  const keys = root.roles.get(role);
  if (keys === undefined) throw new SignetError('role-unknown', `role does not exist: ${role}`);
  return keys;
}

function readBaseRole(role: BaseRole, value: JsonValue | undefined, keys: KeyMap): RoleKeys {
  if (value === undefined) malformed('root', `missing ${role} role specification`);
  const found = readRoleKeys(
    'root',
    new Fields(value, `root metadata: role ${role}`, ['keyids', 'threshold'], 'ignore'),
    role,
    keys,
  );
  if (found.threshold > found.keyIds.length) {
    throw new SignetError(
      'threshold-invalid',
      `root type metadata invalid: ${role} needs ${found.threshold} signatures but lists ${found.keyIds.length} keys`,
    );
  }
  return found;
}
