import { closeSync, constants, fstatSync, lstatSync, openSync, realpathSync, writeFileSync } from 'node:fs';
import { basename, dirname, sep } from 'node:path';
import { SignetError } from '../../../../core/errors/index.ts';
import { printable } from '../../../../core/printable.ts';
import { readUpTo } from '../../../../store/files.ts';
import { refuseReplacingPolicy } from './policy.ts';

/** Each in bytes. */
const MAX_SIZE = 1024 * 1024;
const IGNORE_FILES: readonly string[] = ['.dockerignore', '.containerignore'];
const POLICY = '.rego';

/** The files that docker reads along with a Dockerfile. */
interface CompanionRules {
  /** Whether docker would look for a build policy there. */
  readonly hasPolicy: boolean;
  readonly trust: boolean;
}

/**
 * Copies the files that docker reads along with the Dockerfile at `path`: the ignore files, and the policy, which under
 * trust may only deny. Throws `build-context-invalid` for a file that cannot be read, or is a link that leads out of
 * the Dockerfile's folder; `too-large`; `build-option-unsafe`.
 */
export function copyCompanions(path: string, copy: string, { hasPolicy, trust }: CompanionRules): void {
  for (const suffix of IGNORE_FILES) copyCompanion(path + suffix, copy + suffix);
  if (!hasPolicy) return;
  const policy = copyCompanion(path + POLICY, copy + POLICY);
  if (policy !== undefined && trust) refuseReplacingPolicy(nameOf(path + POLICY), policy.toString('utf8'));
}

/** Returns its bytes; undefined if there is no such file. */
function copyCompanion(path: string, copy: string): Buffer | undefined {
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return undefined;
  const bytes = readCompanion(path);
  if (bytes.length > MAX_SIZE) throw new SignetError('too-large', `${nameOf(path)} has more than ${MAX_SIZE} bytes`);
  writeFileSync(copy, bytes, { mode: 0o600, flag: 'wx' });
  return bytes;
}

function readCompanion(path: string): Buffer {
  try {
    const real = realpathSync(path);
    if (!real.startsWith(`${realpathSync(dirname(path))}${sep}`)) throw new Error('it is a link that leads elsewhere');
    const file = openSync(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      if (!fstatSync(file).isFile()) throw new Error('it is no file');
      return readUpTo(file, MAX_SIZE + 1);
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    const why = cause instanceof Error ? printable(cause.message, 200) : '';
    throw new SignetError('build-context-invalid', `${nameOf(path)} cannot be read: ${why}`, { cause });
  }
}

function nameOf(path: string): string {
  return printable(basename(path), 100);
}
