import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { CommandSpec } from '../../../../src/cli/line/command.ts';

const SOURCES = join(import.meta.dir, '../../../../src/cli/commands/trust');

/** The specs of the commands in a folder of `src/cli/commands/trust` that are Signet's own. */
export async function ownSpecs(folder: string): Promise<readonly CommandSpec[]> {
  const files = readdirSync(join(SOURCES, folder)).filter((name) => name.endsWith('.ts') && name !== 'index.ts');
  const modules = await Promise.all(files.map((name) => import(join(SOURCES, folder, name))));
  return modules.flatMap((module) => Object.values(module)).filter(isOwn);
}

function isOwn(value: unknown): value is CommandSpec {
  return typeof value === 'object' && value !== null && 'program' in value && value.program === 'signet';
}
