import { SignetError } from '../../../../core/errors/index.ts';
import { parseKeyId } from '../../../../core/names/key-id.ts';
import type { Change } from '../../../../store/change.ts';
import { planChanges } from '../../../../trust/changes/changes.ts';
import { type CommandSpec, parseCommand } from '../../../line/command.ts';
import type { Session } from '../../../session.ts';
import { declined } from '../../../terminal/answer.ts';
import { makeChanges, STAGE, STAGE_OPTION, stageChanges } from '../change.ts';
import { consequencesText, isGrave } from '../consequences-text.ts';
import { decideKept, KEEPING, KEEPING_OPTIONS } from '../keeping.ts';
import { PLACE_FLAGS, PLACE_OPTIONS, placeOf } from '../place-flags.ts';

export const DELEGATION_PURGE: CommandSpec = {
  program: 'signet',
  path: 'trust delegation purge',
  usage: '[OPTIONS] REPOSITORY',
  summary: 'Remove keys from all delegations of a repository',
  flags: [
    { name: 'key', kind: 'list' },
    STAGE,
    ...KEEPING,
    { name: 'yes', short: 'y', kind: 'switch' },
    ...PLACE_FLAGS,
  ],
  options: `${KEEPING_OPTIONS}
      --key list           ID of a key
${STAGE_OPTION}
${PLACE_OPTIONS}
  -y, --yes                Do not prompt for confirmation`,
  minArguments: 1,
  maxArguments: 1,
};

/** `signet trust delegation purge --key ID… [--yes] [--stage] REPOSITORY`. */
export async function purgeKeys(session: Session, words: readonly string[]): Promise<number> {
  const parsed = parseCommand(DELEGATION_PURGE, words);
  const keys = parsed.values('key').flatMap((list) => list.split(',').map(parseKeyId));
  if (keys.length === 0) throw new SignetError('usage', 'say which keys are to go: --key ID');
  const change: Change = { kind: 'purge-keys', below: 'targets', keys };
  const collection = (await placeOf(session, parsed)).collection(parsed.args[0] ?? '', ['pull', 'push']);
  if (parsed.has(STAGE.name)) return stageChanges(session, collection, [change]);
  const { consequences } = await planChanges(collection.repository, [change]);
  session.print(consequencesText(collection.gun, consequences));
  const isAsked = isGrave(consequences) && !parsed.has('yes');
  if (isAsked && !(await session.confirm('Remove the keys all the same?'))) return declined(session);
  const kept = await decideKept(session, parsed, consequences.resigned);
  return makeChanges(session, parsed, collection, [change], consequences, kept);
}
