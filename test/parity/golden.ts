import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What a command line did, in a form that is the same in every run. */
export interface Transcript {
  /** The line as typed. */
  readonly line: string;
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Who answered: the docker CLI 28, or signet where it differs on purpose. */
export type Author = 'docker' | 'signet';

const FOLDER = join(import.meta.dir, '../golden');

/** The text of a transcript: what is compared, and what lies in the repository. */
export function formatTranscript({ line, exitCode, stdout, stderr }: Transcript): string {
  return `$ ${line}\nexit ${exitCode}\n${section('stdout', stdout)}${section('stderr', stderr)}`;
}

/** The golden transcript called `command/state`. Throws where it was never recorded. */
export function readGolden(name: string, author: Author): string {
  const path = pathOf(name, author);
  if (!existsSync(path)) throw new Error(`${path} is missing: record it with scripts/record-golden.ts`);
  return readFileSync(path, 'utf8');
}

export function writeGolden(name: string, author: Author, text: string): void {
  const path = pathOf(name, author);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** The folder of all goldens. */
export function goldenFolder(): string {
  return FOLDER;
}

/** The file of a golden, relative to their folder. */
export function goldenFile(name: string, author: Author): string {
  return `${name}${author === 'signet' ? '.signet' : ''}.txt`;
}

function pathOf(name: string, author: Author): string {
  return join(FOLDER, goldenFile(name, author));
}

/** A stream whose last line does not end says so, as `diff` does. */
function section(title: string, text: string): string {
  const end = text === '' || text.endsWith('\n') ? '' : '\n\\ no line feed at the end\n';
  return `--- ${title}\n${text}${end}`;
}
