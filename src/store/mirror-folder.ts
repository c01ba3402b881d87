import { LIMITS } from '../core/limits.ts';
import type { Gun } from '../core/names/gun.ts';
import { ContainedFolder, type Path } from './contained-folder.ts';

const SUFFIX = '.copy';

/**
 * The folder of a mirror, with one file of copies per collection: `<base>/<GUN>.copy`. Readers use the content of the
 * files, whatever their names.
 */
export class MirrorFolder {
  private readonly folder: ContainedFolder;

  constructor(base: string) {
    this.folder = new ContainedFolder(base);
  }

  /** Returns the file of a collection, undefined if there is none. */
  read(gun: Gun): Buffer | undefined {
    return this.folder.read(pathOf(gun), LIMITS.copyFile);
  }

  /** Replaces the file atomically. */
  write(gun: Gun, bytes: Uint8Array): void {
    this.folder.write(pathOf(gun), bytes);
  }
}

function pathOf(gun: Gun): Path {
  const names = gun.split('/');
  return [...names.slice(0, -1), `${names.at(-1)}${SUFFIX}`];
}
