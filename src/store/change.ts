import { decodeBase64 } from '../core/base64.ts';
import { isSignetError, SignetError } from '../core/errors/index.ts';
import { canonicalText, escapeForFile } from '../core/json/canonical.ts';
import { Fields } from '../core/json/fields.ts';
import { type JsonValue, parseJson } from '../core/json/parse.ts';
import { type PublicKey, parsePublicKey, publicKeyWire } from '../core/keys/public-key.ts';
import { readFileInfo } from '../core/metadata/file-info.ts';
import type { Target } from '../core/metadata/targets.ts';
import { type KeyId, parseKeyId } from '../core/names/key-id.ts';
import { type DelegationName, parseDelegation, parseTargetsRole, type TargetsRole } from '../core/names/role.ts';
import { quoted } from '../core/printable.ts';

/** One staged change of a collection (protocol C.9). */
export type Change =
  | { readonly kind: 'add-target'; readonly role: TargetsRole; readonly name: string; readonly target: Target }
  | { readonly kind: 'remove-target'; readonly role: TargetsRole; readonly name: string }
  | {
      readonly kind: 'create-delegation' | 'update-delegation';
      readonly role: DelegationName;
      readonly delegation: DelegationChange;
    }
  | { readonly kind: 'remove-delegation'; readonly role: DelegationName }
  /** Removes keys from every delegation below a role. */
  | { readonly kind: 'purge-keys'; readonly below: TargetsRole; readonly keys: readonly KeyId[] }
  /** Signs a role again without changing it. */
  | { readonly kind: 'witness'; readonly role: TargetsRole };

/** The changes of a delegation; empty lists change nothing. */
export interface DelegationChange {
  /** The threshold of a new delegation; 0 if not given. */
  readonly threshold: number;
  readonly addKeys: readonly PublicKey[];
  /** Canonical key IDs. */
  readonly removeKeys: readonly KeyId[];
  readonly addPaths: readonly string[];
  readonly removePaths: readonly string[];
  readonly clearPaths: boolean;
}

const MEMBERS = ['action', 'role', 'type', 'path', 'data'];
const DELEGATION_MEMBERS = [
  'new_name',
  'threshold',
  'add_keys',
  'remove_keys',
  'add_paths',
  'remove_paths',
  'clear_paths',
];
const WILDCARD = '/*';

/** Writes a change file, byte for byte as Notary does. */
export function formatChange(change: Change): Buffer {
  const { action, role, type, path = '', content } = wireForm(change);
  const data = content === undefined ? null : Buffer.from(content).toString('base64');
  return Buffer.from(escapeForFile(JSON.stringify({ action, role, type, path, data })));
}

/** Parses a change file strictly; `what` names it in errors. Throws `changelist-invalid`. */
export function parseChange(file: Uint8Array, what: string): Change {
  try {
    return readChange(new Fields(parseJson(file), what, MEMBERS, 'refuse'), what);
  } catch (cause) {
    if (!isSignetError(cause) || cause.code === 'changelist-invalid') throw cause;
    throw cause.within('changelist-invalid', `${what} is malformed: ${cause.message}`);
  }
}

interface WireForm {
  readonly action: 'create' | 'update' | 'delete';
  readonly role: string;
  readonly type: 'target' | 'delegation' | 'witness';
  readonly path?: string;
  readonly content?: string;
}

function wireForm(change: Change): WireForm {
  switch (change.kind) {
    case 'add-target':
      return {
        action: 'create',
        role: change.role,
        type: 'target',
        path: change.name,
        content: targetText(change.target),
      };
    case 'remove-target':
      return { action: 'delete', role: change.role, type: 'target', path: change.name };
    case 'create-delegation':
      return { action: 'create', role: change.role, type: 'delegation', content: delegationText(change.delegation) };
    case 'update-delegation':
      return { action: 'update', role: change.role, type: 'delegation', content: delegationText(change.delegation) };
    case 'remove-delegation':
      return { action: 'delete', role: change.role, type: 'delegation' };
    case 'purge-keys': {
      const content = `{"remove_keys":${JSON.stringify(change.keys)}}`;
      return { action: 'update', role: `${change.below}${WILDCARD}`, type: 'delegation', content };
    }
    case 'witness':
      return { action: 'update', role: change.role, type: 'witness' };
  }
}

function targetText({ length, hashes, custom }: Target): string {
  const sums = canonicalText(new Map([...hashes].map(([algorithm, hash]) => [algorithm, hash.toString('base64')])));
  const extra = custom === undefined ? '' : `,"custom":${escapeForFile(canonicalText(custom))}`;
  return `{"length":${length},"hashes":${sums}${extra}}`;
}

function delegationText(change: DelegationChange): string {
  const list = (name: string, items: readonly string[]) =>
    items.length === 0 ? [] : [`"${name}":[${items.join(',')}]`];
  const quote = (text: string) => escapeForFile(JSON.stringify(text));
  const members = [
    ...(change.threshold === 0 ? [] : [`"threshold":${change.threshold}`]),
    ...list('add_keys', change.addKeys.map(publicKeyWire)),
    ...list('remove_keys', change.removeKeys.map(quote)),
    ...list('add_paths', change.addPaths.map(quote)),
    ...list('remove_paths', change.removePaths.map(quote)),
    ...(change.clearPaths ? ['"clear_paths":true'] : []),
  ];
  return `{${members.join(',')}}`;
}

function readChange(fields: Fields, what: string): Change {
  const action = fields.string('action');
  const role = fields.string('role');
  const type = fields.string('type');
  const path = fields.string('path');
  if (type === 'target') return readTargetChange(fields, what, action, parseTargetsRole(role), path);
  if (path !== '') fail(what, `has a path, which changes of type ${quoted(type, 40)} do not have`);
  switch (`${action} ${type}`) {
    case 'create delegation':
      return { kind: 'create-delegation', role: parseDelegation(role), delegation: readDelegation(fields, what) };
    case 'update delegation':
      return role.endsWith(WILDCARD)
        ? readPurge(fields, what, parseTargetsRole(role.slice(0, -WILDCARD.length)))
        : { kind: 'update-delegation', role: parseDelegation(role), delegation: readDelegation(fields, what) };
    case 'delete delegation':
      return noContent(fields, what, { kind: 'remove-delegation', role: parseDelegation(role) });
    case 'update witness':
      return noContent(fields, what, { kind: 'witness', role: parseTargetsRole(role) });
    default:
      return fail(what, `is of a kind that is not known: ${quoted(`${action} ${type}`, 60)}`);
  }
}

function readTargetChange(fields: Fields, what: string, action: string, role: TargetsRole, name: string): Change {
  if (name === '') fail(what, 'names no target');
  if (action === 'delete') return noContent(fields, what, { kind: 'remove-target', role, name });
  if (action !== 'create') fail(what, `cannot ${quoted(action, 40)} a target`);
  const value = content(fields, what);
  const target = new Fields(value, `${what}: target`, ['length', 'hashes', 'custom'], 'refuse');
  const custom = target.raw('custom');
  const info = readFileInfo(value, `${what}: target`);
  return { kind: 'add-target', role, name, target: custom === undefined ? info : { ...info, custom } };
}

function readPurge(fields: Fields, what: string, below: TargetsRole): Change {
  const { removeKeys, addKeys, addPaths, removePaths, clearPaths } = readDelegation(fields, what);
  const more = addKeys.length + addPaths.length + removePaths.length;
  if (more > 0 || clearPaths) fail(what, 'can only remove keys from many delegations at once');
  return { kind: 'purge-keys', below, keys: removeKeys };
}

function readDelegation(fields: Fields, what: string): DelegationChange {
  const delegation = new Fields(content(fields, what), `${what}: delegation`, DELEGATION_MEMBERS, 'refuse');
  if ((delegation.optionalString('new_name') ?? '') !== '') fail(what, 'renames a delegation, which nothing does');
  const threshold = delegation.raw('threshold') === undefined ? 0 : delegation.integer('threshold');
  if (threshold < 0) fail(what, 'has a negative threshold');
  return {
    threshold,
    addKeys: delegation.array('add_keys').map((key) => parsePublicKey(key, `${what}: key`)),
    removeKeys: delegation.strings('remove_keys').map(parseKeyId),
    addPaths: delegation.strings('add_paths'),
    removePaths: delegation.strings('remove_paths'),
    clearPaths: delegation.raw('clear_paths') !== undefined && delegation.boolean('clear_paths'),
  };
}

function content(fields: Fields, what: string): JsonValue {
  const bytes = decodeBase64(fields.string('data'));
  return bytes === undefined ? fail(what, 'holds data that is not base64') : parseJson(bytes);
}

function noContent(fields: Fields, what: string, change: Change): Change {
  const data = fields.raw('data');
  return data === null || data === undefined || data === '' ? change : fail(what, 'holds data where none belongs');
}

function fail(what: string, why: string): never {
  throw new SignetError('changelist-invalid', `${what} ${why}`);
}
