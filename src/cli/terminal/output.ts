import { writeSync } from 'node:fs';
import { SignetError } from '../../core/errors/index.ts';
import { type Piece, visible, visibleInLine } from '../../core/printable.ts';
import { reason } from '../../store/files.ts';

const STDOUT = 1;
const STDERR = 2;
/** What a shell reports of a program that wrote into a closed pipe. */
const BROKEN_PIPE = 141;
const RETRY_MS = 1;

const [RED, RESET] = ['\u001b[31m', '\u001b[0m'];
const COLOURED = /(\u001b\[31m[^\u001b]*\u001b\[0m)/;
/** What was coloured here, letter by letter: no other text may have these sequences. */
const coloured = new Set<string>();

/**
 * Prints on standard output. This is the one way of text to the terminal, and so the one place where what is unprintable in
 * it is escaped (`visible`): texts come from servers, files and programs, and none of them has to be thought of.
 *
 * Written at once, and not through `process.stdout`: loading that takes 9 ms, and it would leave a pipe in a mode in which
 * docker, once it has taken this process's place, loses output.
 */
export function printOut(...pieces: readonly Piece[]): void {
  print(STDOUT, bytesOf(pieces));
}

/** `printOut` on standard error. */
export function printErr(...pieces: readonly Piece[]): void {
  print(STDERR, bytesOf(pieces));
}

/** For what is no text but content, which arrives as it is: what somebody exports, or passes on to another program. */
export function writeOut(bytes: Uint8Array): void {
  print(STDOUT, bytes);
}

/** Text in red, which stays red when it is printed. */
export function inRed(text: string): string {
  const made = `${RED}${visibleInLine(text)}${RESET}`;
  coloured.add(made);
  return made;
}

/** Text for one cell of a table, or for another part of a line: line feeds are escaped as well. */
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

/** What standard error does not take, nobody can be told. */
function unwritten(descriptor: number, cause: unknown): never {
  if (descriptor === STDERR) process.exit(1);
  throw new SignetError('file-unwritable', `cannot write to standard output: ${reason(cause)}`, {
    cause,
    next: 'Look where standard output goes, and how much space there is.',
  });
}
