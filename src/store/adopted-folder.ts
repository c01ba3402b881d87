import { join } from 'node:path';
import { LIMITS } from '../core/limits.ts';
import { type Digest, digestHex, digestOf } from '../core/names/digest.ts';
import { ContainedFolder, type Path } from './contained-folder.ts';
import { MetadataFolder } from './trust-folder.ts';

const FOLDER = 'adopted';

/**
 * Stores data about adopted collections in `<trust folder>/adopted`: copy files as evidence, by digest, and the
 * metadata of the old collections, separate from the metadata in use under the same names.
 */
export class AdoptedFolder {
  /** The verified metadata of the old collections, as a client's cache. */
  readonly known: MetadataFolder;
  private readonly base: string;
  private readonly folder: ContainedFolder;

  constructor(trustFolder: string) {
    this.base = join(trustFolder, FOLDER);
    this.folder = new ContainedFolder(this.base);
    this.known = new MetadataFolder(this.base);
  }

  /** Stores a copy file and returns its digest. */
  keep(copy: Buffer): Digest {
    const digest = digestOf(copy);
    if (!this.has(digest)) this.folder.write(pathOf(digest), copy);
    return digest;
  }

  /** Whether the file with this digest is stored here. */
  has(digest: Digest): boolean {
    const file = this.folder.read(pathOf(digest), LIMITS.copyFile);
    return file !== undefined && digestOf(file) === digest;
  }

  /** The path of the file, whether or not it exists. */
  pathOf(digest: Digest): string {
    return join(this.base, ...pathOf(digest));
  }
}

function pathOf(digest: Digest): Path {
  return ['evidence', `${digestHex(digest)}.copy`];
}
