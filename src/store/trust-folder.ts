import { join } from 'node:path';
import { SignetError } from '../core/errors/index.ts';
import { LIMITS } from '../core/limits.ts';
import { type Gun, parseGun } from '../core/names/gun.ts';
import { BASE_ROLES, type RoleName } from '../core/names/role.ts';
import { ContainedFolder, type Path } from './contained-folder.ts';
import type { MetadataCache } from './metadata-cache.ts';

const METADATA = 'metadata';
const SUFFIX = '.json';

/**
 * The cache in docker's and Notary's layout (protocol C.1): `<base>/tuf/<GUN>/metadata/<role>.json`. Reading creates
 * nothing.
 */
export class MetadataFolder implements MetadataCache {
  private readonly folder: ContainedFolder;

  /** `base` is docker's `<config>/trust`, or Notary's `~/.notary`. */
  constructor(base: string) {
    this.folder = new ContainedFolder(base);
  }

  async read(gun: Gun, role: RoleName): Promise<Buffer | undefined> {
    return this.folder.read(pathOf(gun, role), LIMITS.metadata);
  }

  pathOf(gun: Gun, role: RoleName): string {
    return join(this.folder.base, ...pathOf(gun, role));
  }

  async write(gun: Gun, role: RoleName, bytes: Uint8Array): Promise<void> {
    this.folder.write(pathOf(gun, role), bytes);
  }

  async remove(gun: Gun, role?: RoleName): Promise<void> {
    if (role !== undefined) {
      this.folder.remove(pathOf(gun, role));
      return;
    }
    for (const base of BASE_ROLES) this.folder.remove(pathOf(gun, base));
    this.removeDelegations([...collectionPath(gun), METADATA, 'targets']);
  }

  async guns(): Promise<readonly Gun[]> {
    return (await this.names()).map(gunOrUndefined).filter((gun) => gun !== undefined);
  }

  async names(): Promise<readonly string[]> {
    return this.namesBelow([]).sort();
  }

  /** Another collection's folder may be inside this one's: `a/metadata/targets` is a legal name next to `a`. */
  private removeDelegations(path: Path): void {
    for (const entry of this.folder.list(path)) {
      const inner = [...path, entry.name];
      if (entry.isFile() && entry.name.endsWith(SUFFIX)) this.folder.remove(inner);
      if (entry.isDirectory() && entry.name !== METADATA) this.removeDelegations(inner);
    }
  }

  private namesBelow(path: Path): string[] {
    const found: string[] = [];
    for (const entry of this.folder.list(['tuf', ...path])) {
      if (!entry.isDirectory()) continue;
      const inner = [...path, entry.name];
      const name = inner.join('/');
      // No folder of that name is looked into (`ContainedFolder`), so that what is in it cannot be told.
      if (entry.name.includes('\\')) {
        found.push(name);
        continue;
      }
      const files = this.folder.list(['tuf', ...inner, METADATA]);
      if (files.some((file) => file.isFile() && file.name === `root${SUFFIX}`)) found.push(name);
      found.push(...this.namesBelow(inner));
    }
    return found;
  }
}

/** The folder of everything kept for one collection, below the trust folder. */
export function collectionPath(gun: Gun): Path {
  return ['tuf', ...gun.split('/')];
}

function pathOf(gun: Gun, role: RoleName): Path {
  const names = role.split('/');
  const last = names.pop();
  // Its file could be taken for one of the collection `<GUN>/metadata/targets…`.
  if (names.includes(METADATA)) {
    throw new SignetError('role-invalid', `tuf: invalid role ${role}. there is no place for it in the local cache`, {
      detail: { role },
    });
  }
  return [...collectionPath(gun), METADATA, ...names, `${last}${SUFFIX}`];
}

function gunOrUndefined(text: string): Gun | undefined {
  try {
    return parseGun(text);
  } catch {
    return undefined;
  }
}
