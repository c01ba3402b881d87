import type { CollectionCopy } from '../../core/copy/collection-copy.ts';
import type { Gun } from '../../core/names/gun.ts';
import type { RoleName } from '../../core/names/role.ts';
import type { MetadataCache } from '../../store/metadata-cache.ts';

/**
 * The cache of a client that has read a collection before: all of it, or only its oldest root. It exists only in
 * memory.
 */
export class CopyCache implements MetadataCache {
  private readonly gun: Gun;
  private readonly files: Map<RoleName, Buffer>;

  constructor({ gun, roots, files }: CollectionCopy, what: 'all' | 'oldest root') {
    this.gun = gun;
    const root = what === 'all' ? roots.at(-1) : roots[0];
    this.files = new Map(what === 'all' ? files : []);
    if (root !== undefined) this.files.set('root', root.bytes);
  }

  async read(gun: Gun, role: RoleName): Promise<Buffer | undefined> {
    return gun === this.gun ? this.files.get(role) : undefined;
  }

  pathOf(gun: Gun, role: RoleName): string {
    return `the copy of ${gun}, ${role}`;
  }

  async write(_gun: Gun, role: RoleName, bytes: Uint8Array): Promise<void> {
    this.files.set(role, Buffer.from(bytes));
  }

  async remove(_gun: Gun, role?: RoleName): Promise<void> {
    if (role === undefined) this.files.clear();
    else this.files.delete(role);
  }

  async guns(): Promise<readonly Gun[]> {
    return this.files.has('root') ? [this.gun] : [];
  }
  names(): Promise<readonly string[]> {
    return this.guns();
  }
}
