import { isatty } from 'node:tty';
import type { ProgressOutput } from '../../engine/api/progress.ts';
import { printErr, printOut } from './output.ts';

/** Where the progress of a transfer is shown: line by line, or in place on a terminal. */
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
