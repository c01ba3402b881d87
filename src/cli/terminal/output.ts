import { writeSync } from 'node:fs';
import { SignetError } from '../../core/errors/index.ts';
import { type Piece, visible, visibleInLine } from '../../core/printable.ts';
import { reason } from '../../store/files.ts';

const STDOUT = 1;
const STDERR = 2;
/** The exit code of a program that wrote to a closed pipe, as a shell reports it. */
const BROKEN_PIPE = 141;
const RETRY_MS = 1;

const [RED, RESET] = ['\u001b[31m', '\u001b[0m'];
const COLOURED = /(\u001b\[31m[^\u001b]*\u001b\[0m)/;
/** Characters coloured by this module. No other text may contain such sequences. */
const coloured = new Set<string>();

/**
 * Prints on standard output. All text for the terminal goes through here, so unprintable characters are escaped in one
 * place (`visible`): texts come from servers, files and programs, and no caller has to remember this.
 *
 * Written synchronously, and not through `process.stdout`: loading that takes 9 ms, and it would leave a pipe in
 * non-blocking mode, in which docker, once it has replaced this process, loses output.
 */
export function printOut(...pieces: readonly Piece[]): void {
  print(STDOUT, bytesOf(pieces));
}

/** `printOut` on standard error. */
export function printErr(...pieces: readonly Piece[]): void {
  print(STDERR, bytesOf(pieces));
}

/** Writes content that is not text for a terminal unchanged: exports, or data passed on to another program. */
export function writeOut(bytes: Uint8Array): void {
  print(STDOUT, bytes);
}

/** Colours text red, and keeps it red when it is printed. */
export function inRed(text: string): string {
  const made = `${RED}${visibleInLine(text)}${RESET}`;
  coloured.add(made);
  return made;
}

/** Text for a cell of a table or another part of a line: line feeds are escaped as well. */
export function cellText(text: string): string {
  return eachUncoloured(text, visibleInLine);
}

function bytesOf(pieces: readonly Piece[]): Buffer {
  const parts = pieces.map((piece) => (typeof piece === 'string' ? eachUncoloured(piece, visible) : piece.sequence));
  return Buffer.from(parts.join(''));
}

function eachUncoloured(text: string, change: (part: string) => string): string {
  return text
    .split(COLOURED)
    .map((part) => (coloured.has(part) ? part : change(part)))
    .join('');
}

function print(descriptor: number, bytes: Uint8Array): void {
  for (let rest = bytes; rest.length > 0; ) {
    try {
      rest = rest.subarray(writeSync(descriptor, rest));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EPIPE') process.exit(BROKEN_PIPE);
      if (code !== 'EAGAIN') unwritten(descriptor, error);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
    }
  }
}

/** If standard error cannot be written, there is no way to report it. */
function unwritten(descriptor: number, cause: unknown): never {
  if (descriptor === STDERR) process.exit(1);
  throw new SignetError('file-unwritable', `cannot write to standard output: ${reason(cause)}`, {
    cause,
    next: 'Look where standard output goes, and how much space there is.',
  });
}
