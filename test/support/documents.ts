import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../scripts/paths.ts';

/** A command line in a code block of a document, as a user types it. */
export interface Example {
  /** The text before the `$`: the person who types it, if there are several. */
  readonly person: string;
  readonly line: string;
  /** The lines below it, with `…` for what varies. */
  readonly output: string;
}

export function readDocument(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** The code blocks of a language, each with its text. */
export function blocksOf(document: string, language: string): readonly string[] {
  return [...document.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(([, block = '']) => block);
}

/** The commands of a block: its lines that begin with `$`, or with a person's name and `$`. */
export function examplesIn(block: string): readonly Example[] {
  const pattern = /^([a-z]*)\$ (.*)\n((?:(?![a-z]*\$ ).*\n)*)/gm;
  return [...block.matchAll(pattern)].map(([, person = '', line = '', output = '']) => ({ person, line, output }));
}

/** Matches an output shown in a document. Column widths vary: any run of blanks matches any other. */
export function patternOf(output: string): RegExp {
  return new RegExp(`^${patternLines(output)}$`);
}

/** Matches an output that begins as shown in a document, and may continue after a last `…`. */
export function beginningOf(output: string): RegExp {
  return new RegExp(`^${patternLines(output.trimEnd())}`);
}

function patternLines(output: string): string {
  const lines = output.split('\n').map((line) =>
    line
      .trimEnd()
      .split('…')
      .map((part) => RegExp.escape(part).replaceAll(/(?:\\x20){2,}/g, ' +'))
      .join('.+'),
  );
  return lines.join(' *\n');
}
