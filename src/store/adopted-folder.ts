import { join } from 'node:path';
import { LIMITS } from '../core/limits.ts';
import { type Digest, digestHex, digestOf } from '../core/names/digest.ts';
import { ContainedFolder, type Path } from './contained-folder.ts';
import { MetadataFolder } from './trust-folder.ts';

const FOLDER = 'adopted';

/**
 * What is kept of collections that were adopted, in `<trust folder>/adopted`: the files of copies that show it, by their
 * digests, and the metadata of the old collections, apart from those that are used under the same names.
 */
export class AdoptedFolder {
  /** What was verified of the old collections, as a client's cache. */
  readonly known: MetadataFolder;
  private readonly base: string;
  private readonly folder: ContainedFolder;

  constructor(trustFolder: string) {
    this.base = join(trustFolder, FOLDER);
    this.folder = new ContainedFolder(this.base);
    this.known = new MetadataFolder(this.base);
  }

  /** Keeps the file of a copy; returns its digest. */
  keep(copy: Buffer): Digest {
    const digest = digestOf(copy);
    if (!this.has(digest)) this.folder.write(pathOf(digest), copy);
    return digest;
  }

  /** Whether the very file is here. */
  has(digest: Digest): boolean {
    const file = this.folder.read(pathOf(digest), LIMITS.copyFile);
    return file !== undefined && digestOf(file) === digest;
  }

  /** Where the file is, or would be. */
  pathOf(digest: Digest): string {
    return join(this.base, ...pathOf(digest));
  }
}

function pathOf(digest: Digest): Path {
  return ['evidence', `${digestHex(digest)}.copy`];
}
