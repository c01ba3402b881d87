import { SignetError } from '../../../../core/errors/index.ts';
import { type KeyId, parseKeyId } from '../../../../core/names/key-id.ts';
import { type DelegationName, parseDelegation } from '../../../../core/names/role.ts';
import { allDelegations } from '../../../../core/verify/lookup.ts';
import { canonicalKeyIds, unknownDelegation } from '../../../../core/verify/signers.ts';
import type { Change } from '../../../../store/change.ts';
import { type ChangePlan, planChanges } from '../../../../trust/changes/changes.ts';
import { YES } from '../../../line/common-flags.ts';
import type { Command, ParsedCommand } from '../../../line/declaration.ts';
import type { Session } from '../../../session.ts';
import { declined } from '../../../terminal/answer.ts';
import { PENDING_EXIT } from '../../../wording/pending.ts';
import { makeChanges, STAGE, stageChanges } from '../change.ts';
import { consequencesText, isGrave } from '../consequences-text.ts';
import { decideKept, KEEPING } from '../keeping.ts';
import { PLACE_FLAGS, placeOf } from '../place-flags.ts';
import { pathsOf } from './paths.ts';

export const DELEGATION_REMOVE: Command<Session> = {
  program: 'signet',
  path: 'trust delegation remove',
  summary: 'Remove a delegation, or keys and paths of one',
  args: [
    { name: 'REPOSITORY', takes: 'repository' },
    { name: 'ROLE', takes: 'role' },
    { name: 'KEYID', takes: 'key', isOptional: true, isRepeated: true },
  ],
  flags: [
    { name: 'all-paths', type: 'switch', about: 'Remove all paths' },
    ...KEEPING,
    { name: 'paths', type: 'list', about: 'Remove these paths' },
    STAGE,
    ...PLACE_FLAGS,
    YES,
  ],
  exitCodes: PENDING_EXIT,
  run: removeDelegation,
};

/**
 * `signet trust delegation remove [--paths P,…]… [--all-paths] [--yes] [--stage] REPOSITORY ROLE [KEYID…]`: removes the
 * whole role if neither keys nor paths are given.
 */
async function removeDelegation(session: Session, parsed: ParsedCommand): Promise<number> {
  const [name = '', roleName = '', ...ids] = parsed.args;
  const role = parseDelegation(roleName);
  const change = changeOf(parsed, role, ids.map(parseKeyId));
  const collection = (await placeOf(session, parsed)).collection(name, ['pull', 'push']);
  const { repository, gun } = collection;
  const isWhole = change.kind === 'remove-delegation';
  const question = isWhole
    ? `Remove ${role} from ${gun}, with all that it has signed?`
    : `Change ${role} all the same?`;
  if (parsed.has('stage')) {
    if (isWhole && !parsed.has('yes') && !(await session.confirm(question))) return declined(session);
    return stageChanges(session, collection, [change]);
  }
  const plan = await planChanges(repository, [change]);
  checkPresent(plan, role, change);
  session.print(consequencesText(gun, plan.consequences));
  const isAsked = (isWhole || isGrave(plan.consequences)) && !parsed.has('yes');
  if (isAsked && !(await session.confirm(question))) return declined(session);
  const kept = await decideKept(session, parsed, plan.consequences.resigned);
  return makeChanges(session, parsed, collection, [change], plan.consequences, kept);
}

function changeOf(
  parsed: ParsedCommand,
  role: DelegationName,
  removeKeys: readonly KeyId[],
): Extract<Change, { readonly kind: 'remove-delegation' | 'update-delegation' | 'create-delegation' }> {
  const removePaths = pathsOf(parsed);
  const clearPaths = parsed.has('all-paths');
  if (removeKeys.length + removePaths.length === 0 && !clearPaths) return { kind: 'remove-delegation', role };
  const delegation = { threshold: 0, addKeys: [], addPaths: [], removeKeys, removePaths, clearPaths };
  return { kind: 'update-delegation', role, delegation };
}

/** Refuses keys and paths that the role does not have, so that a mistyped one is not taken as already removed. */
function checkPresent({ collection: { set } }: ChangePlan, role: DelegationName, change: Change): void {
  const present = allDelegations(set).find(({ name }) => name === role);
  if (present === undefined) throw unknownDelegation(role);
  const asked = change.kind === 'update-delegation' ? change.delegation.removeKeys : [];
  const unknown = asked.find((id) => !canonicalKeyIds(present).includes(id));
  if (unknown === undefined) return;
  throw new SignetError('change-invalid', `${role} has no key ${unknown}`, { detail: { role, id: unknown } });
}
