import { expect, test } from 'bun:test';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findWords } from '../../scripts/words.ts';
import { temporaryFolder } from '../support/temp.ts';

function wordsIn(path: string, text: string): string[] {
  const root = temporaryFolder();
  for (const folder of ['src', 'docs', 'node_modules/x', 'dist']) mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(join(root, path), text.replaceAll('ROOT', root));
  return findWords(root).map((line) => line.replaceAll(root, 'ROOT'));
}

test('ordinary text has none', () => {
  expect(wordsIn('src/a.ts', 'test("a");\n// mktemp XXXXXX, format now\n')).toEqual([]);
});

test('unfinished work, switched-off tests and hidden type errors are found by line', () => {
  const [todo, skip, ignore] = [`TO${'DO'}`, `test.${'skip'}`, `@ts-${'ignore'}`];
  expect(wordsIn('src/a.ts', `one\n// ${todo}: two\n${skip}('x');\n// ${ignore}\n`)).toEqual([
    `src/a.ts:2: unfinished work: ${todo}`,
    `src/a.ts:3: a test that is switched off: ${skip}`,
    `src/a.ts:4: a type error that is hidden: ${ignore}`,
  ]);
});

test('download addresses are found, in the lock file alone', () => {
  const host = `registry.${'npmjs'}`;
  expect(wordsIn('package-lock.json', '{"a": 1,\n"resolved": ""}')).toEqual([
    'package-lock.json:2: a download address in the lock file: "resolved":',
  ]);
  expect(wordsIn('src/a.json', '{"resolved": 1}')).toEqual([]);
  expect(wordsIn('src/a.md', `https://${host}.org/`)).toEqual([`src/a.md:1: a package registry: ${host}`]);
});

test('the path of the checkout is found, but not in what is installed or built', () => {
  expect(wordsIn('src/a.ts', "'ROOT/src'")).toEqual(['src/a.ts:1: a path of this machine: ROOT/']);
  expect(wordsIn('node_modules/x/a.ts', "'ROOT/src'")).toEqual([]);
  expect(wordsIn('dist/a.ts', "'ROOT/src'")).toEqual([]);
});

test('words that engineers do not use are found in comments, and not in code or documents', () => {
  const [one, two, three] = [`no${'body'}`, `a${'new'}`, `undefined ${'where'}`];
  const text = `// for ${one}\n/** Signs it ${two}; ${three} it has none. */\nconst ${one} = '${two}';\n`;
  const reason = 'a word that engineers do not use (no one, someone, again, fix, if)';
  expect(wordsIn('src/a.ts', text)).toEqual([
    `src/a.ts:1: ${reason}: ${one}`,
    `src/a.ts:2: ${reason}: ${two}`,
    `src/a.ts:2: "where" for "if": ${three}`,
  ]);
  expect(wordsIn('src/a.ts', '// where the file is, and where it goes\n')).toEqual([]);
  expect(wordsIn('docs/a.md', `for ${one}\n`)).toEqual([]);
});
