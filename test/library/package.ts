import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildLibrary } from '../../scripts/build.ts';
import { npmProgram, ROOT } from '../../scripts/paths.ts';
import { type Outcome, run } from '../support/run.ts';
import { temporaryFolder } from '../support/temp.ts';

/** A program's folder in which the library is installed as the package `signet`. */
export interface ProgramFolder {
  readonly path: string;
  /** Writes a TypeScript file and its translation to JavaScript, `<name>.mjs`. Types are not checked. */
  write(name: string, code: string): void;
  /** Checks the types of all files written so far, as strictly as a program may. */
  checkTypes(): Promise<Outcome>;
}

/** What a program that uses the library would have in its own `tsconfig.json`. */
const CONFIGURATION = {
  compilerOptions: {
    ...{ target: 'es2023', module: 'nodenext', strict: true, noUncheckedIndexedAccess: true },
    ...{ exactOptionalPropertyTypes: true, verbatimModuleSyntax: true, noEmit: true, types: ['node'] },
    skipLibCheck: false,
  },
  include: ['*.mts'],
};

/** Makes an empty program's folder. The library is that of the build within `npm test`, and built from the sources elsewhere. */
export async function programFolder(): Promise<ProgramFolder> {
  const path = temporaryFolder();
  const installed = join(path, 'node_modules/signet');
  mkdirSync(installed, { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(installed, 'package.json'));
  if (process.env.TEST_SIGNET_BUILT === '1') symlinkSync(join(ROOT, 'dist'), join(installed, 'dist'));
  else await buildLibrary(join(installed, 'dist/lib'));
  symlinkSync(join(ROOT, 'node_modules'), join(installed, 'node_modules'));
  symlinkSync(join(ROOT, 'node_modules/@types'), join(path, 'node_modules/@types'));
  writeFileSync(join(path, 'tsconfig.json'), JSON.stringify(CONFIGURATION));
  const transpiler = new Bun.Transpiler({ loader: 'ts', target: 'node' });
  return {
    path,
    write: (name, code) => {
      writeFileSync(join(path, `${name}.mts`), code);
      writeFileSync(join(path, `${name}.mjs`), transpiler.transformSync(code));
    },
    checkTypes: () => run([npmProgram('tsc'), '-p', path, '--pretty', 'false'], { cwd: path }),
  };
}
