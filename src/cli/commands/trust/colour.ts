import { isatty } from 'node:tty';
import { inRed } from '../../terminal/output.ts';

const STDOUT = 1;

/**
 * Whether to use colours on standard output: it is a terminal, and the user has not turned them off
 * (https://no-color.org).
 */
export function isColoured(env: NodeJS.ProcessEnv): boolean {
  return isatty(STDOUT) && !env.NO_COLOR && env.TERM !== 'dumb';
}

/** Wraps text in the terminal sequences for red if `coloured`. */
export function red(text: string, coloured: boolean): string {
  return coloured ? inRed(text) : text;
}
