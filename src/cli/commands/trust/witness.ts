import { SignetError } from '../../../core/errors/index.ts';
import { isTargetsRole, parseRole, type TargetsRole } from '../../../core/names/role.ts';
import type { Change } from '../../../store/change.ts';
import { type CommandSpec, parseCommand } from '../../line/command.ts';
import type { Session } from '../../session.ts';
import { makeChanges, STAGE, STAGE_OPTION } from './change.ts';
import { PLACE_FLAGS, PLACE_OPTIONS, placeOf } from './place-flags.ts';

export const WITNESS: CommandSpec = {
  program: 'signet',
  path: 'trust witness',
  usage: '[OPTIONS] REPOSITORY ROLE [ROLE...]',
  summary: 'Sign roles anew as they are, whoever signed them before',
  flags: [STAGE, ...PLACE_FLAGS],
  options: `${STAGE_OPTION}
${PLACE_OPTIONS}`,
  minArguments: 2,
};

/** `signet trust witness [--stage] REPOSITORY ROLE…`. */
export async function witness(session: Session, words: readonly string[]): Promise<number> {
  const parsed = parseCommand(WITNESS, words);
  const [repository = '', ...names] = parsed.args;
  const roles = names.map(readRole);
  const collection = (await placeOf(session, parsed)).collection(repository, ['pull', 'push']);
  const changes = roles.map((role): Change => ({ kind: 'witness', role }));
  return makeChanges(session, parsed, collection, changes);
}

function readRole(name: string): TargetsRole {
  const role = parseRole(name);
  if (isTargetsRole(role)) return role;
  throw new SignetError('role-invalid', `tuf: invalid role ${role}. only targets and delegations are witnessed`, {
    detail: { role },
    next: `Sign it anew with: signet trust renew REPOSITORY ${role}`,
  });
}
