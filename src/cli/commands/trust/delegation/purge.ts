import { SignetError } from '../../../../core/errors/index.ts';
import { parseKeyId } from '../../../../core/names/key-id.ts';
import type { Change } from '../../../../store/change.ts';
import { planChanges } from '../../../../trust/changes/changes.ts';
import { YES } from '../../../line/common-flags.ts';
import type { Command, ParsedCommand } from '../../../line/declaration.ts';
import type { Session } from '../../../session.ts';
import { declined } from '../../../terminal/answer.ts';
import { PENDING_EXIT } from '../../../wording/pending.ts';
import { makeChanges, STAGE, stageChanges } from '../change.ts';
import { consequencesText, isGrave } from '../consequences-text.ts';
import { decideKept, KEEPING } from '../keeping.ts';
import { PLACE_FLAGS, placeOf } from '../place-flags.ts';

export const DELEGATION_PURGE: Command<Session> = {
  program: 'signet',
  path: 'trust delegation purge',
  summary: 'Remove keys from all delegations of a repository',
  args: [{ name: 'REPOSITORY', takes: 'repository' }],
  flags: [...KEEPING, { name: 'key', type: 'list', takes: 'key', about: 'ID of a key' }, STAGE, ...PLACE_FLAGS, YES],
  exitCodes: PENDING_EXIT,
  run: purgeKeys,
};

/** `signet trust delegation purge --key ID… [--yes] [--stage] REPOSITORY`. */
async function purgeKeys(session: Session, parsed: ParsedCommand): Promise<number> {
  const keys = parsed.values('key').flatMap((list) => list.split(',').map(parseKeyId));
  if (keys.length === 0) throw new SignetError('usage', 'say which keys are to go: --key ID');
  const change: Change = { kind: 'purge-keys', below: 'targets', keys };
  const collection = (await placeOf(session, parsed)).collection(parsed.args[0] ?? '', ['pull', 'push']);
  if (parsed.has('stage')) return stageChanges(session, collection, [change]);
  const { consequences } = await planChanges(collection.repository, [change]);
  session.print(consequencesText(collection.gun, consequences));
  const isAsked = isGrave(consequences) && !parsed.has('yes');
  if (isAsked && !(await session.confirm('Remove the keys all the same?'))) return declined(session);
  const kept = await decideKept(session, parsed, consequences.resigned);
  return makeChanges(session, parsed, collection, [change], consequences, kept);
}
