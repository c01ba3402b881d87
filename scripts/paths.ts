import { dirname, join } from 'node:path';

/** The folder of the checkout. */
export const ROOT = dirname(import.meta.dir);

/** The executable. */
export const SIGNET = join(ROOT, 'dist/signet');

/** A program from an npm package. */
export function npmProgram(name: string): string {
  return join(ROOT, 'node_modules/.bin', name);
}
