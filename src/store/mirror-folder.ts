import { LIMITS } from '../core/limits.ts';
import type { Gun } from '../core/names/gun.ts';
import { ContainedFolder, type Path } from './contained-folder.ts';

const SUFFIX = '.copy';

/**
 * The folder of a mirror: of each collection one file of copies, `<base>/<GUN>.copy`. A reader goes by what is in the files,
 * whatever they are called.
 */
export class MirrorFolder {
  private readonly folder: ContainedFolder;

  constructor(base: string) {
    this.folder = new ContainedFolder(base);
  }

  /** The file of a collection; undefined if there is none. */
  read(gun: Gun): Buffer | undefined {
    return this.folder.read(pathOf(gun), LIMITS.copyFile);
  }

  /** Replaces the file whole or not at all. */
  write(gun: Gun, bytes: Uint8Array): void {
    this.folder.write(pathOf(gun), bytes);
  }
}

function pathOf(gun: Gun): Path {
  const names = gun.split('/');
  return [...names.slice(0, -1), `${names.at(-1)}${SUFFIX}`];
}
