import { isatty } from 'node:tty';
import { printErr, printOut } from './output.ts';

const STDIN = 0;
const STDOUT = 1;

/**
 * Prints a question, or what belongs to one: on standard output, as docker does; on standard error where standard output
 * leads elsewhere, and a person sits at the terminal who would not see it.
 */
export function printToPerson(text: string): void {
  (isatty(STDIN) && !isatty(STDOUT) ? printErr : printOut)(text);
}
