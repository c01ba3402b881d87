import { listTargets } from '../../../core/verify/lookup.ts';
import { shown, shownDigest } from '../../../trust/report/describe.ts';
import { naturalCompare } from '../../../trust/report/natural-order.ts';
import type { Command, ParsedCommand } from '../../line/declaration.ts';
import type { Session } from '../../session.ts';
import { dockerTable } from '../../terminal/table.ts';
import { rolesFlag, rolesOf } from './change.ts';
import { PLACE_FLAGS, placeOf } from './place-flags.ts';
import { readCollection } from './read.ts';

export const LIST: Command<Session> = {
  program: 'signet',
  path: 'trust list',
  summary: 'List the targets of a repository',
  args: [{ name: 'REPOSITORY', takes: 'repository' }],
  flags: [rolesFlag('Ask only these roles and those below them, the first one first'), ...PLACE_FLAGS],
  run: list,
};

/**
 * `signet trust list [--role ROLE]… REPOSITORY`. If several roles have a name, the first one's target is shown
 * (protocol C.14).
 */
async function list(session: Session, parsed: ParsedCommand): Promise<number> {
  const roles = rolesOf(parsed);
  const { repository, gun } = (await placeOf(session, parsed)).collection(parsed.args[0] ?? '', ['pull']);
  const { set } = await readCollection(repository);
  const found = [...listTargets(set, roles).values()].sort((one, other) => naturalCompare(one.name, other.name));
  if (found.length === 0) session.print(`No targets in ${gun}.\n`);
  else {
    const rows = found.map(({ name, target, role }) => [shown(name), shownDigest(target), `${target.length}`, role]);
    session.print(dockerTable(['NAME', 'DIGEST', 'SIZE', 'ROLE'], rows));
  }
  return 0;
}
