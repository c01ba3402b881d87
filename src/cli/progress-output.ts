import { isatty } from 'node:tty';
import type { ProgressOutput } from '../engine/progress.ts';
import { printErr, printOut } from './output.ts';

/** Where the progress of a transfer is shown: the terminal itself, or line by line whatever else stands there. */
export function progressOutput(stream: 'stdout' | 'stderr'): ProgressOutput {
  const [descriptor, write] = stream === 'stdout' ? [1, printOut] : [2, printErr];
  return isatty(descriptor) ? process[stream] : { write };
}
