import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { ROOT } from './paths.ts';

/** The library's exports are used by its users. */
const ENTRANCE = 'src/index.ts';
/** Other folders that may import a file of src, to test or measure it. */
const TRIALS = ['test', 'bench', 'scripts'];

const COMMENTS = /^\s*(?:\/\*[\s\S]*?\*\/|\/\/.*$)/gm;
const DECLARED =
  /^export (?:abstract |async )*(?:function\*?|class|const|let|interface|type|enum) (?:(?<name>[\w$]+)|\{(?<names>[^}]*)\} =)/gm;
const LISTED = /^(?<word>import|export) (?:type )?(?:[\w$]+, )?\{(?<names>[^}=]*)\}(?: from '(?<from>[^']+)')?;/gm;
/** Imports that do not list their names; the names appear elsewhere in the file. */
const WHOLE = /^import (?:type )?(?:[\w$]+, )?\* as [\w$]+ from '([^']+)'|\bimport\('([^']+)'\)/gm;
const STAR = /^export (?:type )?\*/m;
const WORDS = /[\w$]+/g;

interface Module {
  /** Relative to the root: `src/core/names/gun.ts`. */
  readonly path: string;
  /** Without comments on lines of their own. */
  readonly code: string;
  readonly exports: readonly string[];
  /** The exports declared in this file, without duplicates. */
  readonly declares: ReadonlySet<string>;
  /** By path of another file, the names imported or re-exported from it. */
  readonly uses: ReadonlyMap<string, ReadonlySet<string>>;
}

/**
 * The unnecessary exports of src below `root`, one line each: names that nothing in src uses (dead, or used by tests
 * only), and names that only their own file uses, unless a test imports them. Re-exports of
 * `index.ts` count as used. A name that may be imported with `import()` counts as used if it appears anywhere in the
 * importing file.
 */
export function findNeedlessExports(root: string): string[] {
  const modules = readModules(root, 'src');
  const trials = TRIALS.flatMap((folder) => readModules(root, folder));
  const isImported = ({ path }: Module, name: string, by: readonly Module[]) =>
    by.some((other) => other.path !== path && other.uses.get(path)?.has(name));
  const faultOf = (file: Module, name: string): string | undefined => {
    if (isImported(file, name, modules)) return undefined;
    const isTried = isImported(file, name, trials);
    if (!isUsedWithin(file, name)) return isTried ? 'only tests use' : 'no one uses';
    return isTried ? undefined : 'no other file imports';
  };
  return modules.flatMap((file) => {
    if (STAR.test(file.code)) return [`${file.path} passes names on without saying which (export *)`];
    if (file.path === ENTRANCE) return [];
    const faults = file.exports.map((name) => [name, faultOf(file, name)] as const);
    return faults.flatMap(([name, fault]) =>
      fault === undefined ? [] : `${file.path} exports ${name}, which ${fault}`,
    );
  });
}

/**
 * The names that several files of src below `root` declare and export, one line each: a reader, or an editor's
 * auto-import, would mistake one for the other. Re-exports do not count.
 */
export function findSharedNames(root: string): string[] {
  const files = new Map<string, string[]>();
  for (const { path, declares } of readModules(root, 'src')) {
    for (const name of declares) files.set(name, [...(files.get(name) ?? []), path]);
  }
  return [...files].flatMap(([name, paths]) =>
    paths.length > 1 ? [`${name} is exported by ${paths.join(', ')}`] : [],
  );
}

function readModules(root: string, folder: string): Module[] {
  const paths = [...new Bun.Glob(`${folder}/**/*.{ts,tsx}`).scanSync(root)].sort();
  return paths.map((path) => readModule(path, readFileSync(join(root, path), 'utf8').replace(COMMENTS, '')));
}

function readModule(path: string, code: string): Module {
  const declared = [...code.matchAll(DECLARED)].map(({ groups = {} }) => groups);
  const listed = [...code.matchAll(LISTED)].map(({ groups = {} }) => groups);
  const uses = new Map<string, Set<string>>();
  const use = (from: string, names: readonly string[]) => {
    const file = from.startsWith('.') ? normalize(join(dirname(path), from)) : from;
    uses.set(file, new Set([...(uses.get(file) ?? []), ...names]));
  };
  for (const { from, names = '' } of listed)
    if (from !== undefined)
      use(
        from,
        namesIn(names).map(([own]) => own),
      );
  for (const found of code.matchAll(WHOLE)) use(found[1] ?? found[2] ?? '', code.match(WORDS) ?? []);
  const passedOn = listed.filter(({ word }) => word === 'export');
  const declares = declared.flatMap(
    ({ name, names = '' }) => name ?? namesIn(names.replaceAll(':', ' as ')).map(([, local]) => local),
  );
  return {
    path,
    code,
    exports: [...declares, ...passedOn.flatMap(({ names = '' }) => namesIn(names).map(([, name]) => name))],
    declares: new Set(declares),
    uses,
  };
}

/** Of `a, type B as C`: each name, and its alias. */
function namesIn(list: string): [string, string][] {
  const entries = list.split(',').map((entry) => entry.trim().replace(/^type /, ''));
  return entries
    .filter((entry) => entry !== '')
    .map((entry) => {
      const [name = '', other = name] = entry.split(' as ').map((word) => word.trim());
      return [name, other];
    });
}

/** A declared name occurs once in its own declaration; a re-exported one does not count as a use. */
function isUsedWithin({ code }: Module, name: string): boolean {
  const uses = code.replace(LISTED, '').match(new RegExp(`(?<![\\w$.])${RegExp.escape(name)}(?![\\w$])`, 'g')) ?? [];
  return uses.length > 1;
}

if (import.meta.main) {
  for (const line of [...findNeedlessExports(ROOT), ...findSharedNames(ROOT)]) console.log(line);
}
