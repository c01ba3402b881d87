import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Inputs that once broke a subject: `<subject>/<hash>`, each as it is. `npm test` tries all of them again. */
export const CORPUS = join(import.meta.dir, 'corpus');

/** What once broke the subject, by file name. */
export function corpusOf(folder: string, subject: string): ReadonlyMap<string, Buffer> {
  const path = join(folder, subject);
  return new Map(namesIn(path).map((name) => [name, readFileSync(join(path, name))]));
}

/** Keeps an input that breaks the subject, and returns the path of its file. */
export function keepInput(folder: string, subject: string, input: Uint8Array): string {
  const path = join(folder, subject);
  mkdirSync(path, { recursive: true });
  const file = join(path, createHash('sha256').update(input).digest('hex').slice(0, 16));
  writeFileSync(file, input);
  return file;
}

function namesIn(path: string): string[] {
  try {
    return readdirSync(path).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
