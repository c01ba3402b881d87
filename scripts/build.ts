import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { npmProgram, ROOT } from './paths.ts';

const LIBRARY = join(ROOT, 'src/index.ts');
const COMMANDS = join(ROOT, 'src/cli/commands/words.ts');
const MANUAL = join(ROOT, 'scripts/manual.ts');
const DIST = join(ROOT, 'dist');

/**
 * Options for the executable. Splitting keeps a command from loading code it does not use, and bytecode saves parsing
 * the rest. A compiled Bun would read `.env` and `bunfig.toml` of the current folder, which do not belong to Signet.
 */
const EXECUTABLE = [
  ...['build', '--compile', '--format=esm', '--splitting', '--bytecode'],
  ...['--no-compile-autoload-dotenv', '--no-compile-autoload-bunfig', join(ROOT, 'src/cli/main.ts'), '--outfile'],
];

const MODULES = [
  ...['build', '--target=node', '--format=esm', '--splitting', '--packages=external', '--sourcemap=linked', LIBRARY],
  '--outdir',
];

/**
 * Builds `dist/signet`, and the library with its types in `dist/lib`. Builds in another folder that then replaces
 * `dist`, so that concurrent users of the old build always find one. Throws with the builder's output.
 */
export async function build(): Promise<void> {
  const folder = mkdtempSync(join(ROOT, 'dist.'));
  try {
    await must(process.execPath, ...EXECUTABLE, join(folder, 'signet'));
    if (existsSync(LIBRARY)) await buildLibrary(join(folder, 'lib'));
    if (existsSync(COMMANDS)) await must(process.execPath, MANUAL, join(folder, 'man'));
    const old = `${folder}.old`;
    if (existsSync(DIST)) renameSync(DIST, old);
    renameSync(folder, DIST);
    rmSync(old, { recursive: true, force: true });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Builds the library and its types in `folder`. Throws with the builder's output. */
export async function buildLibrary(folder: string): Promise<void> {
  await must(process.execPath, ...MODULES, folder);
  await must(npmProgram('tsc'), '-p', join(ROOT, 'scripts/tsconfig.lib.json'), '--outDir', folder);
}

async function must(...command: string[]): Promise<void> {
  const child = Bun.spawn(command, { cwd: ROOT, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' });
  const [stdout, stderr, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  if (exitCode !== 0) throw new Error(`${command.join(' ')}\n${stdout}${stderr}`);
}

if (import.meta.main) {
  await build();
  console.log('built dist/signet');
}
