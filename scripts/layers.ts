import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { ROOT } from './paths.ts';

const OUTSIDE = ['core', 'remote', 'store', 'engine', 'accounts', 'http', 'dockerfile'];
const USE_CASES = ['trust', 'notary', 'registry'];

/**
 * The folders of src that a folder may import, besides itself and `version.ts`. `index.ts` is the library's entry
 * point.
 */
const MAY_IMPORT: ReadonlyMap<string, readonly string[]> = new Map([
  ['version.ts', []],
  ['core', []],
  ['remote', ['core']],
  ['store', ['core']],
  ['engine', ['core', 'store']],
  ['http', ['core']],
  ['dockerfile', ['core']],
  ['accounts', ['core', 'store', 'http']],
  ['trust', ['core', 'remote', 'store', 'engine']],
  ['notary', ['core', 'store', 'http']],
  ['registry', ['core', 'store', 'http']],
  ['serve', ['core', 'store', 'accounts', 'http', 'notary', 'registry']],
  ['cli', [...OUTSIDE, ...USE_CASES, 'serve']],
  ['index.ts', ['core', 'remote', 'store', 'engine', 'dockerfile', 'trust']],
]);

/** The parts of the library, which also runs on Node. */
const PORTABLE: ReadonlySet<string> = new Set([
  'version.ts',
  'core',
  'remote',
  'store',
  'engine',
  'dockerfile',
  'trust',
  'index.ts',
]);
/** Files of portable folders that only the server uses. */
const SERVER_ONLY = /^store\/sql(?:ite)?(?:-\w+)?\.ts$/;
const BUN_ONLY = /\bBun(?=\??[.[])|\bimport\.meta\.(?:dir|path|file|main|env|require)\b/;

/** Core is pure: no files, no network, no clock, no environment. */
const CORE_MODULES: ReadonlySet<string> = new Set(['node:buffer', 'node:crypto', 'node:util', 'node:zlib']);
const IMPURE =
  /\bDate\.now\b|\bnew Date\(\)|\bfetch\(|\bprocess\.(?!getBuiltinModule\()|\bconsole\.|\bset(?:Timeout|Interval)\(/;

const IMPORTS = /^(?:import|export)\b[^'";]*?\bfrom '([^']+)'|^import '([^']+)'|\bimport\('([^']+)'\)/gm;

interface SourceFile {
  /** Relative to src: `core/names/gun.ts`. */
  readonly path: string;
  /** The first part of the path: `core`. */
  readonly layer: string;
  /** The files of src that it imports, including type imports. */
  readonly imports: readonly string[];
  /** Other modules that it imports: `node:fs`, `jose`. */
  readonly modules: readonly string[];
  /** Without comments and types. */
  readonly code: string;
}

/**
 * The import errors below `source`, one line each: imports of a higher or a sibling layer, cycles between files or
 * between sub-folders of a layer, Bun in code that must run on Node, and I/O or a clock in core.
 */
export function findLayerErrors(source: string): string[] {
  const paths = [...new Bun.Glob('**/*.{ts,tsx}').scanSync(source)].sort();
  const files = paths.map((path) => readSource(source, path));
  return [...files.flatMap(layerErrors), ...files.flatMap(runtimeErrors), ...cycleErrors(files)];
}

function readSource(source: string, path: string): SourceFile {
  const text = readFileSync(join(source, path), 'utf8');
  const specifiers = [...text.matchAll(IMPORTS)].map((found) => found[1] ?? found[2] ?? found[3] ?? '');
  const loader = path.endsWith('x') ? 'tsx' : 'ts';
  return {
    path,
    layer: layerOf(path),
    imports: specifiers.filter((name) => name.startsWith('.')).map((name) => normalize(join(dirname(path), name))),
    modules: specifiers.filter((name) => !name.startsWith('.')),
    code: new Bun.Transpiler({ loader }).transformSync(text),
  };
}

function layerOf(path: string): string {
  return path.split('/')[0] ?? path;
}

function layerErrors(file: SourceFile): string[] {
  const allowed = MAY_IMPORT.get(file.layer);
  if (allowed === undefined) return [`${file.path}: the folder ${file.layer} has no place among the layers`];
  return file.imports
    .filter((path) => ![file.layer, 'version.ts', ...allowed].includes(layerOf(path)))
    .map((path) => `${file.path} imports ${path}: ${file.layer} may not import ${layerOf(path)}`);
}

function runtimeErrors(file: SourceFile): string[] {
  const errors: string[] = [];
  if (isPortable(file.path)) {
    const modules = file.modules.filter((name) => name === 'bun' || name.startsWith('bun:'));
    const imports = file.imports.filter((path) => !isPortable(path));
    errors.push(...[...modules, ...imports].map((name) => `${file.path} imports ${name}, but must run on Node too`));
    const used = BUN_ONLY.exec(file.code)?.[0];
    if (used !== undefined) errors.push(`${file.path} uses ${used}, but must run on Node too`);
  }
  if (file.layer === 'core') {
    const modules = file.modules.filter((name) => name.startsWith('node:') && !CORE_MODULES.has(name));
    errors.push(...modules.map((name) => `${file.path} imports ${name}, but core does no I/O`));
    const used = IMPURE.exec(file.code)?.[0];
    if (used !== undefined) errors.push(`${file.path} uses ${used}, but core has no I/O and no clock`);
  }
  return errors;
}

function isPortable(path: string): boolean {
  return PORTABLE.has(layerOf(path)) && !SERVER_ONLY.test(path);
}

function cycleErrors(files: readonly SourceFile[]): string[] {
  const betweenFiles = new Map(files.map(({ path, imports }) => [path, new Set(imports)]));
  return [...findCycles(betweenFiles), ...findCycles(folderImports(files))].map(
    (cycle) => `cycle: ${cycle.join(' → ')}`,
  );
}

/** The imports between sub-folders of the layers: `core/keys` → `core/names`. */
function folderImports(files: readonly SourceFile[]): Map<string, Set<string>> {
  const graph = new Map<string, Set<string>>();
  for (const file of files) {
    const from = subfolderOf(file.path);
    if (from === undefined) continue;
    const to = graph.get(from) ?? new Set();
    graph.set(from, to);
    for (const path of file.imports) {
      const folder = subfolderOf(path);
      if (folder !== undefined && folder !== from) to.add(folder);
    }
  }
  return graph;
}

function subfolderOf(path: string): string | undefined {
  const [layer, folder, file] = path.split('/');
  return file === undefined ? undefined : `${layer}/${folder}`;
}

/** One cycle for each edge back to a node on the current path; first and last node are the same. */
function findCycles(graph: ReadonlyMap<string, ReadonlySet<string>>): string[][] {
  const cycles: string[][] = [];
  const done = new Set<string>();
  const visit = (node: string, trail: readonly string[]): void => {
    const start = trail.indexOf(node);
    if (start >= 0) cycles.push([...trail.slice(start), node]);
    if (start >= 0 || done.has(node)) return;
    for (const next of graph.get(node) ?? []) visit(next, [...trail, node]);
    done.add(node);
  };
  for (const node of graph.keys()) visit(node, []);
  return cycles;
}

if (import.meta.main) {
  const errors = findLayerErrors(join(ROOT, 'src'));
  for (const error of errors) console.error(error);
  process.exitCode = errors.length === 0 ? 0 : 1;
}
