import { isatty } from 'node:tty';

const STDOUT = 1;
const [RED, RESET] = ['\u001b[31m', '\u001b[0m'];

/** Whether standard output takes colours: a terminal, and no wish for none (https://no-color.org). */
export function isColoured(env: NodeJS.ProcessEnv): boolean {
  return isatty(STDOUT) && !env.NO_COLOR && env.TERM !== 'dumb';
}

export function red(text: string, coloured: boolean): string {
  return coloured ? `${RED}${text}${RESET}` : text;
}
