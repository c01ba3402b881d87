import { MAX_INPUT } from './engine.ts';

const [COUNT, SUBJECT, LENGTH, HEADER] = [0, 1, 2, 3];

/**
 * The input that is being tried, in memory that another thread sees: where the subject never comes back from it, that
 * thread still knows what it was.
 */
export class SharedInput {
  readonly memory: SharedArrayBuffer;
  private readonly header: Int32Array;
  private readonly bytes: Uint8Array;

  constructor(memory = new SharedArrayBuffer(HEADER * 4 + MAX_INPUT)) {
    this.memory = memory;
    this.header = new Int32Array(memory, 0, HEADER);
    this.bytes = new Uint8Array(memory, HEADER * 4);
  }

  /** How many inputs there were; the same as before while one is still being tried. */
  get count(): number {
    return Atomics.load(this.header, COUNT);
  }

  /** The number of its subject, and the input. */
  get current(): { readonly subject: number; readonly input: Buffer } {
    const length = Atomics.load(this.header, LENGTH);
    return { subject: Atomics.load(this.header, SUBJECT), input: Buffer.from(this.bytes.slice(0, length)) };
  }

  set(subject: number, input: Buffer): void {
    this.bytes.set(input.subarray(0, this.bytes.length));
    Atomics.store(this.header, SUBJECT, subject);
    Atomics.store(this.header, LENGTH, Math.min(input.length, this.bytes.length));
    Atomics.add(this.header, COUNT, 1);
  }
}
