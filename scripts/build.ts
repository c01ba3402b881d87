import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { npmProgram, ROOT, SIGNET } from './paths.ts';

const LIBRARY = join(ROOT, 'src/index.ts');
const LIBRARY_FOLDER = join(ROOT, 'dist/lib');

/**
 * The executable. Split chunks keep a command from loading what it does not use, and bytecode spares parsing what it
 * does. A compiled Bun would read `.env` and `bunfig.toml` of the folder it is called in: there they are not ours.
 */
const EXECUTABLE = [
  ...['build', '--compile', '--format=esm', '--splitting', '--bytecode'],
  ...['--no-compile-autoload-dotenv', '--no-compile-autoload-bunfig'],
  ...[join(ROOT, 'src/cli/main.ts'), '--outfile', SIGNET],
];

const MODULES = [
  ...['build', '--target=node', '--format=esm', '--splitting', '--packages=external', '--sourcemap=linked'],
  ...[LIBRARY, '--outdir', LIBRARY_FOLDER],
];

/** Builds `dist/signet`, and the library with its types in `dist/lib`. Throws with the builder's output. */
export async function build(): Promise<void> {
  rmSync(join(ROOT, 'dist'), { recursive: true, force: true });
  await must(process.execPath, ...EXECUTABLE);
  if (!existsSync(LIBRARY)) return;
  await must(process.execPath, ...MODULES);
  await must(npmProgram('tsc'), '-p', join(ROOT, 'scripts/tsconfig.lib.json'));
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
