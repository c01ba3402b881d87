import { dirname, join } from 'node:path';

/** The folder of the checkout. */
export const ROOT = dirname(import.meta.dir);

/** The product: one executable. */
export const SIGNET = join(ROOT, 'dist/signet');

/** A program that an npm package brings. */
export function npmProgram(name: string): string {
  return join(ROOT, 'node_modules/.bin', name);
}
