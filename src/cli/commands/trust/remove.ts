import { SignetError } from '../../../core/errors/index.ts';
import type { TargetsRole } from '../../../core/names/role.ts';
import type { Change } from '../../../store/change.ts';
import { publishChanges } from '../../../trust/changes/changes.ts';
import { shown } from '../../../trust/report/describe.ts';
import type { Command, ParsedCommand } from '../../line/declaration.ts';
import type { Session } from '../../session.ts';
import { PENDING_EXIT } from '../../wording/pending.ts';
import { reportChange, rolesFlag, rolesOf, STAGE, stageChanges } from './change.ts';
import { PLACE_FLAGS, placeOf } from './place-flags.ts';

export const REMOVE: Command<Session> = {
  program: 'signet',
  path: 'trust remove',
  summary: 'Take a target back',
  args: [
    { name: 'REPOSITORY', takes: 'repository' },
    { name: 'TARGET', takes: 'target' },
  ],
  flags: [rolesFlag('Take it from these roles'), STAGE, ...PLACE_FLAGS],
  exitCodes: PENDING_EXIT,
  run: remove,
};

/** `signet trust remove [--role ROLE]… [--stage] REPOSITORY TARGET`. */
async function remove(session: Session, parsed: ParsedCommand): Promise<number> {
  const [repository = '', name = ''] = parsed.args;
  const roles = rolesOf(parsed);
  const collection = (await placeOf(session, parsed)).collection(repository, ['pull', 'push']);
  const changes = roles.map((role): Change => ({ kind: 'remove-target', role, name }));
  if (parsed.has('stage')) return stageChanges(session, collection, changes);
  const publication = await publishChanges(collection.repository, changes);
  if (publication.kind === 'unchanged') throw notFound(name, roles);
  return reportChange(session, collection, publication);
}

function notFound(name: string, roles: readonly TargetsRole[]): SignetError {
  return new SignetError('target-not-found', `${roles.join(', ')} has no target ${shown(name)}`, { detail: { name } });
}
