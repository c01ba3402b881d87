import type { SignetError } from './errors/index.ts';

/** Size of one buffer in bytes, far larger than most pieces. */
const BLOCK = 64 * 1024;

/**
 * Collects bytes that arrive in pieces by copying them into one buffer, so that memory use depends on the total length
 * and not on the number of pieces. (A one-byte piece that is kept as it is takes hundreds of bytes.)
 */
export class CollectedBytes {
  private readonly full: Buffer[] = [];
  private block = Buffer.alloc(0);
  private used = 0;
  private total = 0;

  /** In bytes. */
  get length(): number {
    return this.total;
  }

  add(piece: Uint8Array): void {
    let rest = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    this.total += rest.length;
    while (rest.length > 0) {
      if (this.used === this.block.length) this.begin();
      const copied = rest.copy(this.block, this.used);
      this.used += copied;
      rest = rest.subarray(copied);
    }
  }

  /** Returns everything collected so far. Add nothing afterwards. */
  take(): Buffer {
    return Buffer.concat([...this.full, this.block.subarray(0, this.used)], this.total);
  }

  private begin(): void {
    this.full.push(this.block);
    this.block = Buffer.allocUnsafeSlow(BLOCK);
    this.used = 0;
  }
}

interface Bound {
  /** Length that was announced, in bytes; undefined if none was. */
  readonly declared?: number | undefined;
  /** In bytes. */
  readonly limit: number;
  tooLarge(): SignetError;
  /** Called for every piece. */
  readonly arrived?: (() => void) | undefined;
}

/**
 * Reads pieces to their end, of at most `limit` bytes together. Throws `tooLarge` before anything is read if the declared
 * length is beyond the limit or no number, otherwise as soon as the pieces are.
 */
export async function collectBytes(
  pieces: AsyncIterable<Uint8Array> | null,
  { declared = 0, limit, tooLarge, arrived }: Bound,
): Promise<Buffer> {
  if (!(declared <= limit)) throw tooLarge();
  const collected = new CollectedBytes();
  for await (const piece of pieces ?? []) {
    arrived?.();
    if (collected.length + piece.length > limit) throw tooLarge();
    collected.add(piece);
  }
  return collected.take();
}
