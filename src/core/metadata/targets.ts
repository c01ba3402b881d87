import { Fields } from '../json/fields.ts';
import type { JsonValue } from '../json/parse.ts';
import { LIMITS } from '../limits.ts';
import { type DelegationName, isDelegation, parentOf, type TargetsRole } from '../names/role.ts';
import { printable } from '../printable.ts';
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
import { type FileInfo, fileInfoJson, readFileInfo } from './file-info.ts';

/** The payload of `targets` and of every delegation (protocol A.8). */
export interface Targets extends Metadata {
  /** Target by name (for images: the tag). */
  readonly targets: ReadonlyMap<string, Target>;
  readonly delegationKeys: KeyMap;
  readonly delegations: readonly Delegation[];
}

/** A signed item: for images, length and SHA-256 of the manifest or index. */
export interface Target extends FileInfo {
  readonly custom?: JsonValue;
}

/**
 * A delegation: a role trusted for target names with one of the prefixes in `paths`. A threshold above the number of
 * keys is legal here (the role lost a key): no signatures meet it.
 */
export interface Delegation extends RoleKeys {
  readonly name: DelegationName;
  readonly paths: readonly string[];
}

/** Notary cannot serialise a name with control characters (protocol A.2). */
const UNSIGNABLE = /[\u0000-\u001f]/;

/** Reads the payload of `role`. Throws `metadata-*`, `threshold-invalid`, `key-*`, `checksum-missing` or `json-*`. */
export function readTargets(role: TargetsRole, signed: JsonValue): Targets {
  const { fields, common } = openPayload(role, signed, 'Targets', ['delegations', 'targets']);
  const delegations = new Fields(
    fields.map('delegations'),
    `${role} metadata: delegations`,
    ['keys', 'roles'],
    'ignore',
  );
  const delegationKeys = readKeys(role, delegations.map('keys'));
  return {
    ...common,
    targets: new Map(
      [...fields.map('targets')].map(([name, value]) => [checkTargetName(role, name), readTarget(name, value)]),
    ),
    delegationKeys,
    delegations: checkDelegations(
      role,
      delegations.array('roles').map((entry) => readDelegation(role, entry, delegationKeys)),
    ),
  };
}

/** The JSON of the payload of `targets` or a delegation. */
export function targetsJson(targets: Targets): JsonValue {
  return new Map<string, JsonValue>([
    ...commonMembers('Targets', targets),
    [
      'delegations',
      new Map<string, JsonValue>([
        ['keys', keysJson(targets.delegationKeys)],
        ['roles', targets.delegations.map(delegationJson)],
      ]),
    ],
    ['targets', new Map([...targets.targets].map(([name, target]) => [name, targetJson(target)]))],
  ]);
}

/** Checks that a target name can be signed, and returns it. */
export function checkTargetName(role: TargetsRole, name: string): string {
  if (name === '' || UNSIGNABLE.test(name)) malformed(role, `invalid target name ${JSON.stringify(printable(name))}`);
  return name;
}

function readTarget(name: string, value: JsonValue): Target {
  const info = readFileInfo(value, `target ${JSON.stringify(printable(name))}`);
  const custom = value instanceof Map ? value.get('custom') : undefined;
  return custom === undefined ? info : { ...info, custom };
}

/** The JSON of one target. */
export function targetJson(target: Target): JsonValue {
  const custom: [string, JsonValue][] = target.custom === undefined ? [] : [['custom', target.custom]];
  return new Map<string, JsonValue>([...custom, ...fileInfoJson(target)]);
}

function readDelegation(role: TargetsRole, value: JsonValue, keys: KeyMap): Delegation {
  const fields = new Fields(value, `${role} metadata: delegation`, ['keyids', 'name', 'paths', 'threshold'], 'ignore');
  const name = fields.string('name');
  if (!isDelegation(name) || parentOf(name) !== role) malformed(role, `delegation role ${printable(name)} invalid`);
  return { name, ...readRoleKeys(role, fields, name, keys), paths: fields.strings('paths') };
}

function delegationJson(delegation: Delegation): JsonValue {
  const paths: [string, JsonValue][] = delegation.paths.length === 0 ? [] : [['paths', delegation.paths]];
  return new Map<string, JsonValue>([...roleKeysMembers(delegation), ['name', delegation.name], ...paths]);
}

function checkDelegations(role: TargetsRole, delegations: readonly Delegation[]): readonly Delegation[] {
  if (new Set(delegations.map(({ name }) => name)).size !== delegations.length)
    malformed(role, 'a delegation is listed twice');
  const paths = delegations.reduce((sum, delegation) => sum + delegation.paths.length, 0);
  if (paths > LIMITS.delegationPaths) malformed(role, `more than ${LIMITS.delegationPaths} paths are delegated`);
  return delegations;
}
