import { allDelegations } from '../../../../core/verify/lookup.ts';
import { canonicalKeyIds } from '../../../../core/verify/signers.ts';
import type { DelegatedRole } from '../../../../core/verify/trusted-set.ts';
import { shown } from '../../../../trust/report/describe.ts';
import type { Command, ParsedCommand } from '../../../line/declaration.ts';
import type { Session } from '../../../session.ts';
import { dockerTable } from '../../../terminal/table.ts';
import { PLACE_FLAGS, placeOf } from '../place-flags.ts';
import { readCollection } from '../read.ts';

export const DELEGATION_LIST: Command<Session> = {
  program: 'signet',
  path: 'trust delegation list',
  summary: 'List the delegations of a repository',
  args: [{ name: 'REPOSITORY', takes: 'repository' }],
  flags: [...PLACE_FLAGS],
  run: listDelegations,
};

/** `signet trust delegation list REPOSITORY`. Keys are shown by the role names in their files. */
async function listDelegations(session: Session, parsed: ParsedCommand): Promise<number> {
  const { repository, gun } = (await placeOf(session, parsed)).collection(parsed.args[0] ?? '', ['pull']);
  const { set } = await readCollection(repository);
  const roles = [...allDelegations(set)].sort((one, other) => (one.name < other.name ? -1 : 1));
  if (roles.length === 0) session.print(`No delegations in ${gun}.\n`);
  else session.print(dockerTable(['ROLE', 'PATHS', 'KEY IDS', 'THRESHOLD'], roles.flatMap(rowsOf)));
  return 0;
}

/** The first line of a role, and further lines below it for what does not fit. */
function rowsOf(role: DelegatedRole): readonly (readonly string[])[] {
  const paths = role.paths.map((path) => (path === '' ? '"" <all paths>' : shown(path)));
  const ids = canonicalKeyIds(role);
  const height = Math.max(1, paths.length, ids.length);
  return Array.from({ length: height }, (_, row) => [
    row === 0 ? role.name : '',
    paths[row] ?? '',
    ids[row] ?? '',
    row === 0 ? `${role.threshold}` : '',
  ]);
}
