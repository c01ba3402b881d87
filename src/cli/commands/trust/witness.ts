import { SignetError } from '../../../core/errors/index.ts';
import { isTargetsRole, parseRole, type TargetsRole } from '../../../core/names/role.ts';
import type { Change } from '../../../store/change.ts';
import type { Command, ParsedCommand } from '../../line/declaration.ts';
import type { Session } from '../../session.ts';
import { PENDING_EXIT } from '../../wording/pending.ts';
import { makeChanges, STAGE } from './change.ts';
import { PLACE_FLAGS, placeOf } from './place-flags.ts';

export const WITNESS: Command<Session> = {
  program: 'signet',
  path: 'trust witness',
  summary: 'Sign roles anew as they are, whoever signed them before',
  args: [
    { name: 'REPOSITORY', takes: 'repository' },
    { name: 'ROLE', takes: 'role', isRepeated: true },
  ],
  flags: [STAGE, ...PLACE_FLAGS],
  exitCodes: PENDING_EXIT,
  run: witness,
};

/** `signet trust witness [--stage] REPOSITORY ROLE…`. */
async function witness(session: Session, parsed: ParsedCommand): Promise<number> {
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
