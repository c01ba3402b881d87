import { join } from 'node:path';
import type { Gun } from '../core/names/gun.ts';
import type { Instant } from '../core/time.ts';
import { ContainedFolder } from './contained-folder.ts';

/**
 * Records of irreversible actions, one file each: `<base>/signet/resets/<GUN>/<time>.json`. They are never overwritten.
 */
export class AuditFolder {
  private readonly folder: ContainedFolder;

  /** `base` as for `MetadataFolder`. */
  constructor(base: string) {
    this.folder = new ContainedFolder(base);
  }

  /** Writes a record; returns the path of its file. */
  write(gun: Gun, at: Instant, record: Uint8Array): string {
    const name = `${new Date(at).toISOString().replaceAll(':', '-')}.json`;
    const path = ['signet', 'resets', ...gun.split('/'), name];
    this.folder.write(path, record);
    return join(this.folder.base, ...path);
  }
}
