import { join } from 'node:path';
import { isSignetError, SignetError } from '../core/errors/index.ts';
import { type KeyFile, parseKeyFile } from '../core/keys/key-file.ts';
import { LIMITS } from '../core/limits.ts';
import { isKeyId, type KeyId } from '../core/names/key-id.ts';
import { ContainedFolder } from './contained-folder.ts';
import { type KeyStore, roleConflict, type StoredKey } from './key-store.ts';
import { migrateLegacyKeys } from './legacy-keys.ts';

const SUFFIX = '.key';

/**
 * Private keys in docker's and Notary's layout (protocol C.1): `<base>/private/<canonical key ID>.key`, one PEM file
 * each. The first access moves keys from older layouts here.
 */
export class KeyFolder implements KeyStore {
  private readonly folder: ContainedFolder;
  private migrated = false;

  /** `base` as for `MetadataFolder`. */
  constructor(base: string) {
    this.folder = new ContainedFolder(join(base, 'private'));
  }

  async list(): Promise<readonly StoredKey[]> {
    this.migrate();
    const infos: StoredKey[] = [];
    for (const entry of this.folder.list([])) {
      const id = entry.name.slice(0, -SUFFIX.length);
      if (!entry.isFile() || !entry.name.endsWith(SUFFIX) || !isKeyId(id)) continue;
      const key = this.readOrUndefined(id);
      if (key !== undefined) infos.push({ id, role: key.role, gun: key.gun, encrypted: key.encrypted });
    }
    return infos;
  }

  async load(id: KeyId): Promise<KeyFile | undefined> {
    this.migrate();
    return this.read(id);
  }

  async add(id: KeyId, sealed: Uint8Array): Promise<boolean> {
    this.migrate();
    const role = firstKey(sealed)?.role ?? '';
    const present = this.read(id);
    if (present === undefined) {
      this.folder.write(fileOf(id), sealed);
      return true;
    }
    if (present.role === role) return false;
    throw roleConflict(id, present.role);
  }

  async replace(id: KeyId, sealed: Uint8Array): Promise<void> {
    this.migrate();
    if (this.folder.read(fileOf(id), LIMITS.keyFile) === undefined) {
      throw new SignetError('signing-key-missing', `signing key not found: ${id}`, { detail: { id } });
    }
    this.folder.write(fileOf(id), sealed);
  }

  async remove(id: KeyId): Promise<boolean> {
    this.migrate();
    return this.folder.remove(fileOf(id));
  }

  private read(id: KeyId): KeyFile | undefined {
    const file = this.folder.read(fileOf(id), LIMITS.keyFile);
    return file === undefined ? undefined : firstKey(file);
  }

  private readOrUndefined(id: KeyId): KeyFile | undefined {
    try {
      return this.read(id);
    } catch (error) {
      if (isSignetError(error, 'key-malformed', 'key-unsupported', 'too-large')) return undefined;
      throw error;
    }
  }

  private migrate(): void {
    if (this.migrated) return;
    this.migrated = true;
    migrateLegacyKeys(this.folder);
  }
}

function fileOf(id: KeyId): readonly string[] {
  return [`${id}${SUFFIX}`];
}

function firstKey(file: Uint8Array): KeyFile | undefined {
  return parseKeyFile(file)[0];
}
