import type { FileHandle } from 'node:fs/promises';

/**
 * Bytes collected before one write. Measured with 1 GiB over TLS: a write for each chunk beside the event loop takes
 * three times as long as one on it; from 128 KiB to 1 MiB at once all sizes are as fast, but larger ones hold more
 * memory.
 */
const BATCH_BYTES = 256 * 1024;
/** The kernel takes at most 1024 buffers in one write. */
const BATCH_CHUNKS = 1024;

/**
 * Writes a stream of chunks to a file in large batches, one of them under way while the next is collected. The chunks
 * are kept, not copied: they must not change afterwards.
 *
 * After a write has failed, every further call fails with the same error.
 */
export class BatchWriter {
  private readonly file: FileHandle;
  private batch: Uint8Array[] = [];
  private batchBytes = 0;
  private writing: Promise<void> = Promise.resolve();
  private end: number;

  /** Writes from `start`, in bytes from the beginning of the file. */
  constructor(file: FileHandle, start: number) {
    this.file = file;
    this.end = start;
  }

  /** Where the next chunk will begin, in bytes from the beginning of the file. */
  get position(): number {
    return this.end + this.batchBytes;
  }

  /** Takes one chunk; waits only while the batch before is still being written. */
  async write(chunk: Uint8Array): Promise<void> {
    this.batch.push(chunk);
    this.batchBytes += chunk.length;
    if (this.batchBytes >= BATCH_BYTES || this.batch.length >= BATCH_CHUNKS) await this.startBatch();
  }

  /** Returns once everything is in the file (not yet on the disk). */
  async flush(): Promise<void> {
    await this.startBatch();
    await this.writing;
  }

  private async startBatch(): Promise<void> {
    await this.writing;
    const [batch, bytes, start] = [this.batch, this.batchBytes, this.end];
    this.batch = [];
    this.batchBytes = 0;
    this.end += bytes;
    if (bytes === 0) return;
    this.writing = writeAll(this.file, batch, bytes, start);
    // The error surfaces at the next call; no one may be waiting for this promise at the moment it fails.
    this.writing.catch(() => {});
  }
}

async function writeAll(file: FileHandle, chunks: Uint8Array[], bytes: number, start: number): Promise<void> {
  let { bytesWritten: done } = await file.writev(chunks, start);
  if (done === bytes) return;
  const rest = Buffer.concat(chunks);
  while (done < bytes) done += (await file.write(rest, done, bytes - done, start + done)).bytesWritten;
}
