import { expect, test } from 'bun:test';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findLayerErrors } from '../../scripts/layers.ts';
import { temporaryFolder } from '../support/temp.ts';

function errorsOf(files: Readonly<Record<string, string>>): string[] {
  const source = temporaryFolder();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(source, path)), { recursive: true });
    writeFileSync(join(source, path), text);
  }
  return findLayerErrors(source);
}

test('imports that point downwards are right', () => {
  const errors = errorsOf({
    'core/time.ts': "import { createHash } from 'node:crypto';\nexport const hash = createHash;\n",
    'core/names/gun.ts': "import { hash } from '../time.ts';\nexport type Gun = string;\nexport const g = hash;\n",
    'store/sqlite.ts': "import { Database } from 'bun:sqlite';\nexport const open = Database;\n",
    'store/keys.ts': "import { readFileSync } from 'node:fs';\nexport const read = readFileSync;\n",
    'notary/store.ts': "import { open } from '../store/sqlite.ts';\nexport const server = Bun.hash(String(open));\n",
    'trust/pull.ts': "import { read } from '../store/keys.ts';\nexport const pull = read;\n",
    'index.ts': "export { pull } from './trust/pull.ts';\nexport type { Gun } from './core/names/gun.ts';\n",
    'cli/main.ts': "const { pull } = await import('../trust/pull.ts');\npull;\n",
    'remote/agent.ts': "import { V } from '../version.ts';\nexport const agent = 'Bun' in globalThis ? V : '';\n",
    'version.ts': "export const V = '1';\n",
  });
  expect(errors).toEqual([]);
});

test('an upward import is found, in every form', () => {
  const forms = [
    "import { x } from '../trust/x.ts';\nx;",
    "import type { X } from '../trust/x.ts';\nexport type Y = X;",
    "import {\n  x,\n} from '../trust/x.ts';\nx;",
    "export * from '../trust/x.ts';",
    "export { x } from '../trust/x.ts';",
    "import '../trust/x.ts';",
    "export const later = () => import('../trust/x.ts');",
    "export type Z = import('../trust/x.ts').X;",
  ];
  for (const form of forms) {
    expect(errorsOf({ 'core/a.ts': form, 'trust/x.ts': 'export const x = 1;\nexport type X = 1;\n' })).toEqual([
      'core/a.ts imports trust/x.ts: core may not import trust',
    ]);
  }
});

test('a sibling layer may not be imported, nor a face', () => {
  const errors = errorsOf({
    'remote/a.ts': "import '../store/b.ts';\n",
    'store/b.ts': 'export {};\n',
    'registry/c.ts': "import '../notary/d.ts';\n",
    'notary/d.ts': "import '../cli/main.ts';\n",
    'cli/main.ts': 'export {};\n',
  });
  expect(errors).toEqual([
    'notary/d.ts imports cli/main.ts: notary may not import cli',
    'registry/c.ts imports notary/d.ts: registry may not import notary',
    'remote/a.ts imports store/b.ts: remote may not import store',
  ]);
});

test('a folder without a place is found', () => {
  expect(errorsOf({ 'helpers/a.ts': 'export {};\n' })).toEqual([
    'helpers/a.ts: the folder helpers has no place among the layers',
  ]);
});

test('a cycle between files is found, also of types alone', () => {
  const errors = errorsOf({
    'core/a.ts': "import { b } from './b.ts';\nexport type A = typeof b;\n",
    'core/b.ts': "import { c } from './c.ts';\nexport const b = c;\n",
    'core/c.ts': "import type { A } from './a.ts';\nexport const c = 1 as A;\n",
  });
  expect(errors).toEqual(['cycle: core/a.ts → core/b.ts → core/c.ts → core/a.ts']);
});

test('a cycle between the sub-folders of a layer is found where no file is in one', () => {
  const errors = errorsOf({
    'core/keys/a.ts': "export { b } from '../names/b.ts';\n",
    'core/names/b.ts': 'export const b = 1;\n',
    'core/names/c.ts': "export { d } from '../keys/d.ts';\n",
    'core/keys/d.ts': 'export const d = 1;\n',
  });
  expect(errors).toEqual(['cycle: core/keys → core/names → core/keys']);
});

test('Bun is found in what must run on Node', () => {
  const errors = errorsOf({
    'core/a.ts': 'export const a = Bun.hash;\n',
    'remote/b.ts': "import { serve } from 'bun';\nserve;\n",
    'store/c.ts': "import { open } from './sqlite.ts';\nopen;\n",
    'store/sqlite.ts': "import { Database } from 'bun:sqlite';\nexport const open = Database;\n",
    'trust/d.ts': '// Bun in a comment is right.\nexport const d = import.meta.dir;\n',
  });
  expect(errors).toEqual([
    'core/a.ts uses Bun, but must run on Node too',
    'remote/b.ts imports bun, but must run on Node too',
    'store/c.ts imports store/sqlite.ts, but must run on Node too',
    'trust/d.ts uses import.meta.dir, but must run on Node too',
  ]);
});

test('files, network and clock are found in core', () => {
  const errors = errorsOf({
    'core/a.ts': "import { readFileSync } from 'node:fs';\nexport const a = readFileSync;\n",
    'core/b.ts': 'export const b = Date.now();\n',
    'core/c.ts': "export const c = await fetch('https://example.test');\n",
    'core/d.ts': 'export const d = (now: number) => new Date(now);\n',
  });
  expect(errors).toEqual([
    'core/a.ts imports node:fs, but core does no I/O',
    'core/b.ts uses Date.now, but core has no I/O and no clock',
    'core/c.ts uses fetch(, but core has no I/O and no clock',
  ]);
});
