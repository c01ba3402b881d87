import type { CollectionCopy } from '../../core/copy/collection-copy.ts';
import { SignetError } from '../../core/errors/index.ts';
import { digestHex, digestOf } from '../../core/names/digest.ts';
import type { Gun } from '../../core/names/gun.ts';
import { type Latest, type RemoteFile, remoteName } from '../../remote/notary/trust-server.ts';
import type { FileServer } from '../update/served-files.ts';

/** A trust server that serves one collection from a copy. It is trusted no more than any other server. */
export class CopiedServer implements FileServer {
  private readonly copy: CollectionCopy;

  constructor(copy: CollectionCopy) {
    this.copy = copy;
  }

  async latest(gun: Gun): Promise<Latest> {
    return { timestamp: await this.read(gun, { role: 'timestamp' }), chain: undefined };
  }

  async read(gun: Gun, file: RemoteFile): Promise<Buffer> {
    const bytes = gun === this.copy.gun ? this.find(file) : undefined;
    if (bytes !== undefined) return bytes;
    throw new SignetError('trust-data-missing', `the copy of ${this.copy.gun} has no ${remoteName(file)} of ${gun}`, {
      detail: { resource: remoteName(file) },
    });
  }

  private find(file: RemoteFile): Buffer | undefined {
    const { roots, files } = this.copy;
    if ('version' in file) {
      return file.role === 'root' ? roots.find(({ version }) => version === file.version)?.bytes : undefined;
    }
    const bytes = file.role === 'root' ? roots.at(-1)?.bytes : files.get(file.role);
    if (bytes === undefined || !('sha256' in file)) return bytes;
    return digestHex(digestOf(bytes)) === file.sha256 ? bytes : undefined;
  }
}
