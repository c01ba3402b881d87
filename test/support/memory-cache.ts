import type { Gun } from '../../src/core/names/gun.ts';
import type { RoleName } from '../../src/core/names/role.ts';
import type { MetadataCache } from '../../src/store/metadata-cache.ts';

/** An in-memory cache. */
export class MemoryCache implements MetadataCache {
  private readonly files = new Map<Gun, Map<RoleName, Buffer>>();

  async read(gun: Gun, role: RoleName): Promise<Buffer | undefined> {
    const bytes = this.files.get(gun)?.get(role);
    return bytes === undefined ? undefined : Buffer.from(bytes);
  }

  pathOf(gun: Gun, role: RoleName): string {
    return `${gun}/${role}.json`;
  }

  async write(gun: Gun, role: RoleName, bytes: Uint8Array): Promise<void> {
    const collection = this.files.get(gun) ?? new Map<RoleName, Buffer>();
    this.files.set(gun, collection.set(role, Buffer.from(bytes)));
  }

  async remove(gun: Gun, role?: RoleName): Promise<void> {
    if (role === undefined) this.files.delete(gun);
    else this.files.get(gun)?.delete(role);
  }

  async guns(): Promise<readonly Gun[]> {
    return [...this.files]
      .filter(([, collection]) => collection.has('root'))
      .map(([gun]) => gun)
      .sort();
  }
  names(): Promise<readonly string[]> {
    return this.guns();
  }
}
