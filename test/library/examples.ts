import { readFileSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { ROOT } from '../../scripts/paths.ts';
import { blocksOf, readDocument } from '../support/documents.ts';

/** An exported name of the library and its doc comment, empty if it has none. */
export interface LibraryExport {
  readonly name: string;
  readonly comment: string;
}

/** A program that the library's documentation shows. */
export interface LibraryExample {
  /** `decide 1`, `library.md 2` */
  readonly name: string;
  readonly code: string;
}

const EXPORTS = /^export (?:type )?\{(?<names>[^}]*)\} from '(?<from>[^']+)';/gm;
const CODE = /^```ts\n(?<code>[\s\S]*?)^```$/gm;

/** What `src/index.ts` exports, with the comments from where each name is declared. */
export function libraryExports(): readonly LibraryExport[] {
  const index = readFileSync(join(ROOT, 'src/index.ts'), 'utf8');
  return [...index.matchAll(EXPORTS)].flatMap(({ groups: { names = '', from = '' } = {} }) => {
    const source = readFileSync(normalize(join(ROOT, 'src', from)), 'utf8');
    return names
      .split(',')
      .map((name) => name.trim().replace(/^type /, ''))
      .map((name) => ({ name, comment: commentOf(source, name) }));
  });
}

/** The examples in the comments of the library's exports, and those of `docs/library.md`. */
export function libraryExamples(): readonly LibraryExample[] {
  const ofComments = libraryExports().flatMap(({ name, comment }) => numbered(name, codeIn(comment)));
  return [...ofComments, ...numbered('library.md', blocksOf(readDocument('docs/library.md'), 'ts'))];
}

/** The code of the examples in a doc comment. */
export function codeIn(comment: string): readonly string[] {
  return [...comment.matchAll(CODE)].map(({ groups: { code = '' } = {} }) => code);
}

function commentOf(source: string, name: string): string {
  const declared = new RegExp(
    `/\\*\\*(?<comment>(?:(?!\\*/)[\\s\\S])*)\\*/\\nexport (?:async )?(?:function|class|interface|type|const) ${name}\\b`,
  );
  const lines = (declared.exec(source)?.groups?.comment ?? '').split('\n');
  return `${lines.map((line) => line.replace(/^ \* ?/, '').trimEnd()).join('\n')}\n`;
}

function numbered(name: string, codes: readonly string[]): readonly LibraryExample[] {
  return codes.map((code, index) => ({ name: `${name} ${index + 1}`, code }));
}
