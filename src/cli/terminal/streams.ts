import { isatty } from 'node:tty';
import type { ProgressOutput } from '../../engine/api/progress.ts';
import { printErr, printOut } from './output.ts';

const STDIN = 0;
const STDOUT = 1;

/**
 * Prints a question, or text that belongs to one: on standard output, as docker does, or on standard error if standard
 * output is redirected and a user at the terminal would not see it.
 */
export function printToPerson(text: string): void {
  (isatty(STDIN) && !isatty(STDOUT) ? printErr : printOut)(text);
}

/** The output for the progress of a transfer: line by line, or in place on a terminal. */
export function progressOutput(stream: 'stdout' | 'stderr'): ProgressOutput {
  const [descriptor, write] = stream === 'stdout' ? [1, printOut] : [2, printErr];
  if (!isatty(descriptor)) return { write };
  return {
    write,
    isTTY: true,
    get columns() {
      return process[stream].columns;
    },
  };
}
