import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../scripts/paths.ts';

const DOCUMENT = 'docs/protocol.md';
const LINES = readFileSync(join(ROOT, DOCUMENT), 'utf8').split('\n');
/** A section (`A.13.1`), a quirk (`G-16`) or an endpoint (`end-4`), wherever it stands. */
const NAME = /(?<![\w./-])(?:[A-I]\.\d+(?:\.\d+)*|G-\d+|end-\d+|(?<=protocol )0\.\d+)(?![\w-]|\.\w)/g;
/** What a heading, or the row of a table, begins with. */
const NUMBERED = /^(?:#{2,4}|\|) ([0A-I]\.\d+(?:\.\d+)*|G-\d+|end-\d+) /;
/** The steps of a section: `A.13.1 step 2`, `D.4 steps 4 and 5`. */
const STEPS = /([A-F]\.\d+(?:\.\d+)*),? steps? (\d+)(?: and (\d+))?/g;
/** What continues a comment on its next line. */
const CONTINUATION = /\n\s*(?:\*|\/\/)?\s*/g;

/** The parts of the document that have a number, with their lines up to the next such part. */
const PARTS = partsOf(LINES);

function partsOf(lines: readonly string[]): readonly (readonly [name: string, lines: readonly string[]])[] {
  const starts = lines.flatMap((line, at) => {
    const [, name] = NUMBERED.exec(line) ?? [];
    return name === undefined ? [] : [[name, at] as const];
  });
  return starts.map(([name, at], index) => [name, lines.slice(at, starts[index + 1]?.[1])]);
}

/** The files that may refer to the document, itself included: its sections refer to each other. */
function texts(): readonly (readonly [file: string, text: string])[] {
  return ['{src,test,bench,scripts}/**/*.{ts,mjs}', 'docs/**/*.md', '*.md']
    .flatMap((pattern) => [...new Bun.Glob(pattern).scanSync({ cwd: ROOT })])
    .map((file) => [file, readFileSync(join(ROOT, file), 'utf8').replace(CONTINUATION, ' ')]);
}

test('every number of docs/protocol.md, and every heading, stands there once', () => {
  const headings = LINES.filter((line) => /^#+ /.test(line)).map((line) => line.replace(/^#+ /, ''));
  for (const names of [headings, PARTS.map(([name]) => name)]) {
    expect(names.length).toBeGreaterThan(90);
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
  }
});

test('every reference to the protocol leads to a part of docs/protocol.md', () => {
  const known = new Set(PARTS.map(([name]) => name));
  const references = texts().flatMap(([file, text]) => [...text.matchAll(NAME)].map(([name]) => ({ file, name })));
  expect(references.filter(({ file }) => /^(?:src|test)\//.test(file)).length).toBeGreaterThan(250);
  expect(references.filter(({ name }) => !known.has(name))).toEqual([]);
});

test('every step that is referred to is one of its section', () => {
  const parts = new Map(PARTS);
  const references = texts().flatMap(([file, text]) =>
    [...text.matchAll(STEPS)].flatMap(([, name = '', ...steps]) =>
      steps.filter((step) => step !== undefined).map((step) => ({ file, name, step })),
    ),
  );
  expect(references.length).toBeGreaterThan(12);
  const isStep = ({ name, step }: { name: string; step: string }) =>
    parts.get(name)?.some((line) => line.startsWith(`${step}. `)) === true;
  expect(references.filter((reference) => !isStep(reference))).toEqual([]);
});
