import { isSignetError, SignetError } from '../core/errors/index.ts';
import { formatKeyFile, type KeyFile, parseKeyFile } from '../core/keys/key-file.ts';
import { LIMITS } from '../core/limits.ts';
import { type Gun, parseGun } from '../core/names/gun.ts';
import { isKeyId } from '../core/names/key-id.ts';
import type { ContainedFolder, Path } from './contained-folder.ts';

const ROOT_KEYS = 'root_keys';
const OTHER_KEYS = 'tuf_keys';
const FILE = /^([0-9a-f]{64})(?:_(.+))?\.key$/;

/**
 * Moves the keys of Notary before 0.5 into the flat layout (protocol C.2.2): `root_keys/<id>[_root].key` and
 * `tuf_keys/<GUN>/<id>[_<role>].key`, with repository and role as headers instead. An old file is removed only once its
 * key is in the new place, an old folder only once it is empty; what cannot be moved stays.
 */
export function migrateLegacyKeys(folder: ContainedFolder): void {
  for (const top of [ROOT_KEYS, OTHER_KEYS]) attempt(() => migrateBelow(folder, [top]));
}

function migrateBelow(folder: ContainedFolder, path: Path): void {
  for (const entry of folder.list(path)) {
    const inner = [...path, entry.name];
    attempt(() => (entry.isDirectory() ? migrateBelow(folder, inner) : migrateFile(folder, inner)));
  }
  folder.removeEmpty(path);
}

/** If the disk refuses, the old keys stay where they are; current keys must still be usable. */
function attempt(step: () => void): void {
  try {
    step();
  } catch (error) {
    if (!isSignetError(error, 'file-unsafe', 'file-unreadable', 'file-unwritable')) throw error;
  }
}

function migrateFile(folder: ContainedFolder, path: Path): void {
  const [, id, role] = FILE.exec(path.at(-1) ?? '') ?? [];
  if (id === undefined || !isKeyId(id)) return;
  const old = readKey(folder, path);
  if (old === undefined) return;
  const key = withOrigin(old, path, role);
  if (key === undefined) return;
  const target = [`${id}.key`];
  if (folder.read(target, LIMITS.keyFile) === undefined) folder.write(target, formatKeyFile(key));
  const stored = readKey(folder, target);
  if (stored?.role === key.role && stored.gun === key.gun && stored.block.bytes.equals(key.block.bytes))
    folder.remove(path);
}

function readKey(folder: ContainedFolder, path: Path): KeyFile | undefined {
  try {
    const file = folder.read(path, LIMITS.keyFile);
    return file === undefined ? undefined : parseKeyFile(file)[0];
  } catch (error) {
    if (error instanceof SignetError) return undefined;
    throw error;
  }
}

/** The key with the role and GUN implied by its old path; undefined if the path implies nothing useful. */
function withOrigin(key: KeyFile, path: Path, role: string | undefined): KeyFile | undefined {
  const names = path.slice(1, -1);
  const isRoot = path[0] === ROOT_KEYS;
  if (isRoot && names.length > 0) return undefined;
  const gun = names.length === 0 ? key.gun : gunOrUndefined(names.join('/'));
  if (names.length > 0 && gun === undefined) return undefined;
  return { ...key, gun, role: role ?? (key.role || (isRoot ? 'root' : '')) };
}

function gunOrUndefined(text: string): Gun | undefined {
  try {
    return parseGun(text);
  } catch (error) {
    if (isSignetError(error, 'name-invalid')) return undefined;
    throw error;
  }
}
