import type { FileHandle } from 'node:fs/promises';
import { type Digest, digestFromSha256 } from '../../core/names/digest.ts';
import type { UploadId } from '../names.ts';

/** Hashes kept in memory. An upload that loses its own is hashed from the disk in the end. */
const MAX_HASHES = 4096;
const READ_BYTES = 1024 * 1024;

/** The SHA-256 of the first `covers` bytes of an upload. */
class RunningHash {
  private readonly hasher = new Bun.CryptoHasher('sha256');
  private length = 0;

  get covers(): number {
    return this.length;
  }

  update(chunk: Uint8Array): void {
    this.hasher.update(chunk);
    this.length += chunk.length;
  }

  /** The digest of what was hashed so far. The hash can go on. */
  digest(): Digest {
    return digestFromSha256(this.hasher.copy().digest());
  }
}

/** The running hashes of the uploads of this process, the least recently used dropped first. */
export class RunningHashes {
  private readonly hashes = new Map<UploadId, RunningHash>();

  /**
   * Takes out the hash of an upload that holds `size` bytes; undefined if it is not known, or where another process has
   * added to the upload since. An upload without a byte needs none before it.
   */
  take(upload: UploadId, size: number): RunningHash | undefined {
    const hash = size === 0 ? new RunningHash() : this.hashes.get(upload);
    this.hashes.delete(upload);
    return hash?.covers === size ? hash : undefined;
  }

  /** Keeps the hash for the next request. */
  put(upload: UploadId, hash: RunningHash): void {
    this.hashes.set(upload, hash);
    const [oldest] = this.hashes.keys();
    if (this.hashes.size > MAX_HASHES && oldest !== undefined) this.hashes.delete(oldest);
  }

  delete(upload: UploadId): void {
    this.hashes.delete(upload);
  }
}

/** The digest of a file's whole content, read in pieces. */
export async function digestOfFile(file: FileHandle, algorithm: 'sha256' | 'sha512'): Promise<string> {
  const hasher = new Bun.CryptoHasher(algorithm);
  const buffer = Buffer.allocUnsafe(READ_BYTES);
  for (let position = 0; ; ) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) return `${algorithm}:${hasher.digest('hex')}`;
    hasher.update(buffer.subarray(0, bytesRead));
    position += bytesRead;
  }
}
