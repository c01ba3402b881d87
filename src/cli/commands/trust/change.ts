import { parseTargetsRole, type TargetsRole } from '../../../core/names/role.ts';
import type { Change } from '../../../store/change.ts';
import { publishChanges } from '../../../trust/changes/changes.ts';
import type { Consequences } from '../../../trust/changes/consequences.ts';
import type { Kept } from '../../../trust/changes/resigning.ts';
import type { Publication } from '../../../trust/publish/publication.ts';
import type { Flag, ParsedCommand } from '../../line/declaration.ts';
import type { OpenCollection } from '../../place.ts';
import type { Session } from '../../session.ts';
import { reportPublication } from './approve.ts';

/** The flag of commands that can stage their change for `signet trust publish`. */
export const STAGE: Flag = {
  name: 'stage',
  type: 'switch',
  about: 'Keep the change here until "signet trust publish"',
};

/** The flag that names roles: repeated, or several at once separated by commas. `about` is its help text. */
export function rolesFlag(about: string): Flag {
  return { name: 'role', short: 'r', type: 'list', takes: 'role', about, default: 'targets' };
}

/** The roles given on the command line, `targets` if there are none. Throws `role-invalid`. */
export function rolesOf(parsed: ParsedCommand): readonly [TargetsRole, ...TargetsRole[]] {
  const [first = 'targets', ...others] = parsed.values('role').flatMap((list) => list.split(','));
  return [parseTargetsRole(first), ...others.map(parseTargetsRole)];
}

/** Stages changes in the changelist, which needs neither network nor keys. Returns the exit code. */
export async function stageChanges(
  session: Session,
  { gun, changelist }: OpenCollection,
  changes: readonly Change[],
): Promise<number> {
  for (const change of changes) await changelist.append(change);
  session.print(`Staged for the next publish of ${gun}.\n`);
  return 0;
}

/** Publishes changes at once, or stages them if the command line says so. Returns the exit code. */
export async function makeChanges(
  session: Session,
  parsed: ParsedCommand,
  collection: OpenCollection,
  changes: readonly Change[],
  accepted?: Consequences,
  kept?: Kept,
): Promise<number> {
  if (parsed.has('stage')) return stageChanges(session, collection, changes);
  return reportChange(session, collection, await publishChanges(collection.repository, changes, accepted, kept));
}

/**
 * Reports the outcome of a change, and that staged ones, which are not published with it, still wait. Returns the exit
 * code.
 */
export async function reportChange(
  session: Session,
  { gun, repository, changelist }: OpenCollection,
  publication: Publication,
): Promise<number> {
  const exitCode = reportPublication(session, repository, publication);
  const staged = await changelist.count();
  if (staged > 0) {
    const [count, are] = staged === 1 ? ['1 change', 'is'] : [`${staged} changes`, 'are'];
    session.printError(`${count} of ${gun} ${are} staged, and not published: signet trust publish ${gun}\n`);
  }
  return exitCode;
}
