import { expect, test } from 'bun:test';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findNeedlessExports, findSharedNames } from '../../scripts/exports.ts';
import { temporaryFolder } from '../support/temp.ts';

function tree(files: Readonly<Record<string, string>>): string {
  const root = temporaryFolder();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

const needless = (files: Readonly<Record<string, string>>) => findNeedlessExports(tree(files));

test('what another file of src imports is no needless export, in whatever form', () => {
  const forms = [
    "import { x } from '../core/x.ts';\nx;",
    "import { x as y } from '../core/x.ts';\ny;",
    "import type { x } from '../core/x.ts';\nlet y: x;",
    "import {\n  other,\n  type x,\n} from '../core/x.ts';\nother;",
    "const { x } = await import('../core/x.ts');",
    "const load = () => import('../core/x.ts').then((all) => all.x());",
    "import * as all from '../core/x.ts';\nall.x;",
    "let y: import('../core/x.ts').x;",
  ];
  for (const form of forms) {
    const files = { 'src/core/x.ts': 'export const x = 1;\n', 'src/cli/main.ts': `${form}\n` };
    expect([form, needless(files)]).toEqual([form, []]);
  }
});

test('every kind of export is looked at', () => {
  const kinds = [
    'export function x() {}',
    'export async function x() {}',
    'export async function* x() {}',
    'export const x = 1;',
    'export let x: number;',
    'export class x {}',
    'export abstract class x {}',
    'export interface x {}',
    'export type x = 1;',
    'export enum x {}',
    'export const { y: x } = { y: 1 };',
    'const y = 1;\nexport { y as x };',
    "export { x } from './y.ts';",
    "export type { y as x } from './y.ts';",
  ];
  for (const kind of kinds) {
    const errors = needless({
      'src/core/x.ts': `${kind}\n`,
      'src/core/y.ts': 'export type y = 1;\nexport type x = 1;\n',
    });
    expect([kind, errors.filter((line) => line.startsWith('src/core/x.ts'))]).toEqual([
      kind,
      ['src/core/x.ts exports x, which no one uses'],
    ]);
  }
});

test('a name of another file, a comment and a member are no use of it', () => {
  const errors = needless({
    'src/core/x.ts': '/**\n * `x` is named here.\n */\nexport const x = 1;\n// x\nthis.x;\n',
    'src/core/y.ts': 'export const x = 2;\n',
    'src/cli/main.ts': "import { x } from '../core/y.ts';\n// import { x } from '../core/x.ts';\nx;\n",
  });
  expect(errors).toEqual(['src/core/x.ts exports x, which no one uses']);
});

test('what only tests use is found, but a test may try a part that its file uses', () => {
  const errors = needless({
    'src/core/x.ts': 'export const dead = 1;\nexport const part = 2;\nexport const whole = part;\n',
    'src/cli/main.ts': "import { whole } from '../core/x.ts';\nwhole;\n",
    'test/core/x.test.ts': "import { dead, part } from '../../src/core/x.ts';\ndead;\npart;\n",
  });
  expect(errors).toEqual(['src/core/x.ts exports dead, which only tests use']);
});

test('what only its own file uses need not be exported', () => {
  const errors = needless({
    'src/core/x.ts': 'export interface Part {}\nexport const whole = (part: Part) => part;\n',
    'src/cli/main.ts': "import { whole } from '../core/x.ts';\nwhole;\n",
  });
  expect(errors).toEqual(['src/core/x.ts exports Part, which no other file imports']);
});

test('what the entrance of the library passes on is used; what another index passes on has to be taken from there', () => {
  const errors = needless({
    'src/core/x.ts': 'export const x = 1;\nexport const y = 2;\n',
    'src/core/index.ts': "export { x, y } from './x.ts';\n",
    'src/index.ts': "export { x } from './core/index.ts';\n",
  });
  expect(errors).toEqual(['src/core/index.ts exports y, which no one uses']);
});

test('export * would hide what is used', () => {
  const files = { 'src/core/x.ts': 'export const x = 1;\n', 'src/index.ts': "export * from './core/x.ts';\n" };
  expect(needless(files)).toContain('src/index.ts passes names on without saying which (export *)');
});

test('a name that several files declare is found, unless they pass it on or keep it to themselves', () => {
  const root = tree({
    'src/core/x.ts': 'export interface Part {}\nexport const value = 1;\nexport type Other = 1;\nconst own = 1;\n',
    'src/core/y.ts': 'export type Part = 1;\nexport function value() {}\nconst own = 2;\n',
    'src/index.ts': "export type { Other } from './core/x.ts';\n",
  });
  expect(findSharedNames(root)).toEqual([
    'Part is exported by src/core/x.ts, src/core/y.ts',
    'value is exported by src/core/x.ts, src/core/y.ts',
  ]);
});

test('the overloads of a function are one name', () => {
  const overloads = 'export function x(a: 1): 1;\nexport function x(a: 2): 2;\nexport function x(a: 1 | 2) {}\n';
  expect(findSharedNames(tree({ 'src/core/x.ts': overloads }))).toEqual([]);
});
