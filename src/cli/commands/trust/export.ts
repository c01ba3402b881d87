import { isatty } from 'node:tty';
import type { CollectionCopy } from '../../../core/copy/collection-copy.ts';
import { formatCopies, parseCopies } from '../../../core/copy/copy-file.ts';
import { isSignetError, SignetError } from '../../../core/errors/index.ts';
import { LIMITS } from '../../../core/limits.ts';
import { printable } from '../../../core/printable.ts';
import { readSmallFile, writePrivateFile } from '../../../store/files.ts';
import type { Command, ParsedCommand } from '../../line/declaration.ts';
import type { TrustPlace } from '../../place.ts';
import type { Session } from '../../session.ts';
import { checkFolderOf, usability } from './copies.ts';
import { existingPlaceOf, PLACE_FLAGS, placeOf } from './place-flags.ts';
import { withReason } from './repository-names.ts';
import { hostOrAddress } from './server-argument.ts';

export const EXPORT: Command<Session> = {
  program: 'signet',
  path: 'trust export',
  summary: 'Write whole repositories of trust data, without keys, into one file',
  args: [{ name: 'REPOSITORY', takes: 'repository', isOptional: true, isRepeated: true }],
  flags: [
    {
      name: 'cached',
      type: 'switch',
      about: 'Take what is cached here, without asking a server; all of it if no repository is named',
    },
    { name: 'force', type: 'switch', about: 'Replace a file that has something else, such as other repositories' },
    { name: 'from', type: 'value', about: 'Address or host of another trust server to read from' },
    { name: 'output', short: 'o', type: 'value', takes: 'file', about: 'File to write, in place of standard output' },
    { name: 'partial', type: 'switch', about: 'Write the file without what cannot be read' },
    ...PLACE_FLAGS,
  ],
  run: exportCopies,
};

const STDOUT = 1;

/**
 * `signet trust export [--from URL | --cached] [--partial] [-o FILE] REPOSITORY…`. An existing file is replaced only by
 * a complete export, unless `--partial` is given.
 */
async function exportCopies(session: Session, parsed: ParsedCommand): Promise<number> {
  const [from, output] = [sourceOf(parsed), parsed.value('output')];
  if (output !== undefined) checkFolderOf(output);
  const place = await (from === 'cache' ? existingPlaceOf : placeOf)(session, parsed);
  const names = await namesOf(parsed, place);
  if (output === undefined && isatty(STDOUT)) {
    throw new SignetError('usage', 'trust data is not written to a terminal', { next: 'Name a file: --output FILE' });
  }
  const { copies, failed } = await readAll(session, place, [...new Set(names)], from);
  if (failed.length > 0 && !(parsed.has('partial') && copies.length > 0)) throw incomplete(failed, copies.length);
  if (output !== undefined && !parsed.has('force')) checkReplaced(output, copies);
  const file = formatCopies(copies);
  if (output === undefined) session.write(file);
  else writePrivateFile(output, file);
  session.printError(`Exported ${counted(copies.length)}${output === undefined ? '' : ` to ${output}`}\n`);
  return failed.length > 0 ? 1 : 0;
}

function sourceOf(parsed: ParsedCommand): URL | 'cache' | undefined {
  const from = parsed.value('from');
  if (parsed.has('cached') && from !== undefined) {
    throw new SignetError('usage', '--cached asks no server, and --from names one: only one of them can be given');
  }
  if (parsed.has('cached')) return 'cache';
  return from === undefined ? undefined : hostOrAddress(from);
}

async function namesOf(parsed: ParsedCommand, place: TrustPlace): Promise<readonly string[]> {
  if (parsed.args.length > 0) return parsed.args;
  const cached = parsed.has('cached') ? await place.cached() : [];
  if (cached.length > 0) return cached;
  throw parsed.has('cached')
    ? new SignetError('trust-data-missing', `nothing is cached in ${place.folder}`)
    : new SignetError('usage', 'no repository is named', { next: 'See signet trust export --help' });
}

/** A file of before may have the last copy of what its server no longer has. Throws `file-exists`. */
function checkReplaced(path: string, copies: readonly CollectionCopy[]): void {
  const bytes = readSmallFile(path, LIMITS.copyFile, true);
  if (bytes === undefined || bytes.length === 0) return;
  const lost = [...gunsIn(bytes)].filter((gun) => !copies.some((copy) => copy.gun === gun));
  if (lost.length === 0) return;
  throw new SignetError('file-exists', `${path} would lose what it has: ${lost.join(', ')}`, {
    next: 'Name another file, or replace it all the same: --force',
  });
}

function gunsIn(bytes: Buffer): readonly string[] {
  try {
    return parseCopies(bytes).map(({ gun }) => gun);
  } catch (error) {
    if (isSignetError(error)) return ['something else than trust data'];
    throw error;
  }
}

interface Failure {
  readonly name: string;
  readonly error: SignetError;
}

async function readAll(
  session: Session,
  place: TrustPlace,
  names: readonly string[],
  from: URL | 'cache' | undefined,
): Promise<{ readonly copies: readonly CollectionCopy[]; readonly failed: readonly Failure[] }> {
  const copies = new Map<string, CollectionCopy>();
  const failed: Failure[] = [];
  for (const name of names) {
    try {
      const copy = await place.copy(name, from);
      copies.set(copy.gun, copy);
      session.printError(
        `${copy.gun}: ${counted(copy.roots.length, 'root', 'roots')}; ${usability(copy, session.now())}\n`,
      );
    } catch (error) {
      if (!isSignetError(error) || error.code === 'cancelled') throw error;
      const failure = { name: printable(name, 300), error: withReason(error) };
      session.printError(`${failure.name}: ${failure.error.message}\n`);
      failed.push(failure);
    }
  }
  return { copies: [...copies.values()], failed };
}

function incomplete([first, ...others]: readonly Failure[], read: number): SignetError {
  const names = [first, ...others].map((failure) => failure?.name).join(', ');
  const steps = [first?.error.next, read === 0 ? undefined : 'To write the others all the same: --partial'];
  return new SignetError('export-incomplete', `nothing is written, as these could not be read: ${names}`, {
    cause: first?.error,
    next: steps.filter((step) => step !== undefined).join('\n'),
  });
}

function counted(count: number, one = 'repository', several = 'repositories'): string {
  return `${count} ${count === 1 ? one : several}`;
}
