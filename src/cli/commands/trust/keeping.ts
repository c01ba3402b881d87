import { SignetError } from '../../../core/errors/index.ts';
import type { Target } from '../../../core/metadata/targets.ts';
import type { TargetsRole } from '../../../core/names/role.ts';
import type { Kept, ResignedRole } from '../../../trust/changes/resigning.ts';
import { shown, shownTarget } from '../../../trust/report/describe.ts';
import { naturalCompare } from '../../../trust/report/natural-order.ts';
import type { Flag, ParsedCommand } from '../../line/declaration.ts';
import type { Session } from '../../session.ts';
import { dockerTable } from '../../terminal/table.ts';

/** The flags that decide what happens to targets that lose their signatures with a key. */
export const KEEPING: readonly Flag[] = [
  { name: 'drop-all', type: 'switch', about: 'Drop all targets that lose their signatures' },
  { name: 'keep', type: 'list', takes: 'target', about: 'Sign this target again, and drop those not named so' },
  { name: 'keep-all', type: 'switch', about: 'Sign all of them again' },
];

const FLAGS = '--keep TAG (several times), --keep-all or --drop-all';

/**
 * Decides which targets are signed again with other keys when roles lose their signatures. It is never automatic, as
 * these targets may be the very reason for removing a key: flags decide, or the user, who is shown everything. Throws
 * `usage` if neither can.
 */
export async function decideKept(
  session: Session,
  parsed: ParsedCommand,
  resigned: readonly ResignedRole[],
): Promise<Kept> {
  const roles = resigned.filter(({ targets }) => targets.size > 0);
  const told = toldBy(parsed, roles);
  if (roles.length > 0) session.print(roles.map(listing).join(''));
  if (told !== undefined) return new Map(roles.map(({ role, targets }) => [role, told(targets)]));
  if (roles.length > 0 && !session.isInteractive) {
    throw new SignetError('usage', 'no one can be asked which of these are to be signed again with other keys', {
      next: `Say it on the command line: ${FLAGS}`,
    });
  }
  const kept = new Map<TargetsRole, ReadonlySet<string>>();
  for (const { role, targets } of roles) kept.set(role, await askFor(session, role, targets));
  return kept;
}

type Choice = (targets: ReadonlyMap<string, Target>) => ReadonlySet<string>;

/** The choice made by flags. Undefined if there are none. Throws `usage` or `target-not-found`. */
function toldBy(parsed: ParsedCommand, roles: readonly ResignedRole[]): Choice | undefined {
  const named = parsed.values('keep');
  const given = [named.length > 0, parsed.has('keep-all'), parsed.has('drop-all')].filter((isGiven) => isGiven);
  if (given.length > 1) throw new SignetError('usage', `only one of these can be given: ${FLAGS}`);
  const unknown = named.find((name) => !roles.some(({ targets }) => targets.has(name)));
  if (unknown !== undefined) {
    throw new SignetError('target-not-found', `${shown(unknown)} is not among what loses its signatures`, {
      detail: { name: unknown },
    });
  }
  if (parsed.has('keep-all')) return (targets) => new Set(targets.keys());
  return given.length === 0 ? undefined : () => new Set(named);
}

function listing({ role, targets, vouchers, signed }: ResignedRole): string {
  const date = signed === undefined ? 'not known' : new Date(signed).toISOString().slice(0, 10);
  const rows = [...targets]
    .toSorted(([one], [other]) => naturalCompare(one, other))
    .map(([name, target]) => [shown(name), shownTarget(target), date, (vouchers.get(name) ?? []).join(', ')]);
  return [
    `These lose their signatures in ${role}, and are signed again with other keys or dropped:\n\n`,
    dockerTable(['NAME', 'DIGEST', 'SIGNED', 'ALSO IN'], rows),
    '\nSIGNED is when the whole file was signed last, by its expiry: trust data has no date of a single tag.\n',
  ].join('');
}

async function askFor(
  session: Session,
  role: TargetsRole,
  targets: ReadonlyMap<string, Target>,
): Promise<ReadonlySet<string>> {
  for (;;) {
    const answer = await session.askLine(
      `Which of ${role} are to be signed again? Their names with blanks in between, all, or none: `,
    );
    const names = answer.split(/\s+/).filter((name) => name !== '');
    const [only = ''] = names;
    if (names.length > 0 && names.every((name) => targets.has(name))) return new Set(names);
    if (names.length === 1 && only === 'all') return new Set(targets.keys());
    if (names.length === 1 && only === 'none') return new Set();
    const unknown = names.find((name) => !targets.has(name));
    session.print(unknown === undefined ? 'Nothing is assumed.\n' : `${shown(unknown)} is not among them.\n`);
  }
}
