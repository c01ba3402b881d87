import { SignetError } from '../../src/core/errors/index.ts';
import { type KeyFile, parseKeyFile } from '../../src/core/keys/key-file.ts';
import type { KeyId } from '../../src/core/names/key-id.ts';
import { type KeyStore, roleConflict, type StoredKey } from '../../src/store/key-store.ts';

/** An in-memory key store. */
export class MemoryKeyStore implements KeyStore {
  private readonly files = new Map<KeyId, KeyFile>();

  async list(): Promise<readonly StoredKey[]> {
    return [...this.files]
      .map(([id, { role, gun, encrypted }]) => ({ id, role, gun, encrypted }))
      .sort((one, other) => (one.id < other.id ? -1 : 1));
  }

  async load(id: KeyId): Promise<KeyFile | undefined> {
    return this.files.get(id);
  }

  async add(id: KeyId, sealed: Uint8Array): Promise<boolean> {
    const file = single(sealed);
    const present = this.files.get(id);
    if (present !== undefined && present.role !== file.role) {
      throw roleConflict(id, present.role);
    }
    if (present === undefined) this.files.set(id, file);
    return present === undefined;
  }

  async replace(id: KeyId, sealed: Uint8Array): Promise<void> {
    if (!this.files.has(id)) throw new SignetError('signing-key-missing', `signing key not found: ${id}`);
    this.files.set(id, single(sealed));
  }

  async remove(id: KeyId): Promise<boolean> {
    return this.files.delete(id);
  }
}

function single(sealed: Uint8Array): KeyFile {
  const [file] = parseKeyFile(sealed);
  if (file === undefined) throw new SignetError('key-malformed', 'no key in the file');
  return file;
}
