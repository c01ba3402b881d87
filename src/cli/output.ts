import { writeSync } from 'node:fs';

const STDOUT = 1;
const STDERR = 2;
/** What a shell reports of a program that wrote into a closed pipe. */
const BROKEN_PIPE = 141;
const RETRY_MS = 1;

/**
 * Prints on standard output. Written at once, and not through `process.stdout`: loading that takes 9 ms, and it would
 * leave a pipe in a mode in which docker, once it has taken this process's place, loses output.
 */
export function printOut(text: string): void {
  print(STDOUT, Buffer.from(text));
}

/** `printOut` on standard error. */
export function printErr(text: string): void {
  print(STDERR, Buffer.from(text));
}

/** `printOut` for what is no text. */
export function writeOut(bytes: Uint8Array): void {
  print(STDOUT, bytes);
}

function print(descriptor: number, bytes: Uint8Array): void {
  for (let rest = bytes; rest.length > 0; ) {
    try {
      rest = rest.subarray(writeSync(descriptor, rest));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EPIPE') process.exit(BROKEN_PIPE);
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
    }
  }
}
