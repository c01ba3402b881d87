import { SignetError } from '../../../core/errors/index.ts';
import type { TargetsRole } from '../../../core/names/role.ts';
import type { Change } from '../../../store/change.ts';
import { publishChanges } from '../../../trust/changes/changes.ts';
import { shown } from '../../../trust/report/describe.ts';
import { type CommandSpec, parseCommand } from '../../line/command.ts';
import type { Session } from '../../session.ts';
import { ROLES, reportChange, rolesOf, STAGE, STAGE_OPTION, stageChanges } from './change.ts';
import { PLACE_FLAGS, PLACE_OPTIONS, placeOf } from './place-flags.ts';

export const REMOVE: CommandSpec = {
  program: 'signet',
  path: 'trust remove',
  usage: '[OPTIONS] REPOSITORY TARGET',
  summary: 'Take a target back',
  flags: [ROLES, STAGE, ...PLACE_FLAGS],
  options: `  -r, --role list          Take it from these roles (default targets)
${STAGE_OPTION}
${PLACE_OPTIONS}`,
  minArguments: 2,
  maxArguments: 2,
};

/** `signet trust remove [--role ROLE]… [--stage] REPOSITORY TARGET`. */
export async function remove(session: Session, words: readonly string[]): Promise<number> {
  const parsed = parseCommand(REMOVE, words);
  const [repository = '', name = ''] = parsed.args;
  const roles = rolesOf(parsed);
  const collection = (await placeOf(session, parsed)).collection(repository, ['pull', 'push']);
  const changes = roles.map((role): Change => ({ kind: 'remove-target', role, name }));
  if (parsed.has(STAGE.name)) return stageChanges(session, collection, changes);
  const publication = await publishChanges(collection.repository, changes);
  if (publication.kind === 'unchanged') throw notFound(name, roles);
  return reportChange(session, collection, publication);
}

function notFound(name: string, roles: readonly TargetsRole[]): SignetError {
  return new SignetError('target-not-found', `${roles.join(', ')} has no target ${shown(name)}`, { detail: { name } });
}
