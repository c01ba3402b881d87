import { planOn } from '../../trust/changes/changes.ts';
import { publishStaged } from '../../trust/changes/staged.ts';
import { type CommandSpec, parseCommand } from '../command.ts';
import type { Session } from '../session.ts';
import { reportPublication } from './approve.ts';
import { consequencesText } from './consequences-text.ts';
import { decideKept, KEEPING, KEEPING_OPTIONS } from './keeping.ts';
import { PLACE_FLAGS, PLACE_OPTIONS, placeOf } from './place-flags.ts';

export const PUBLISH: CommandSpec = {
  program: 'signet',
  path: 'trust publish',
  usage: '[OPTIONS] REPOSITORY',
  summary: 'Publish all staged changes, and a repository that was only prepared',
  flags: [...KEEPING, ...PLACE_FLAGS],
  options: `${KEEPING_OPTIONS}
${PLACE_OPTIONS}`,
  minArguments: 1,
  maxArguments: 1,
};

/** `signet trust publish REPOSITORY`: what Signet has staged, and Notary. */
export async function publish(session: Session, words: readonly string[]): Promise<number> {
  const parsed = parseCommand(PUBLISH, words);
  const { repository, changelist } = (await placeOf(session, parsed)).collection(parsed.args[0] ?? '', [
    'pull',
    'push',
  ]);
  const staged = (await changelist.read()).map(({ change }) => change);
  const collection = await repository.current();
  if (collection === undefined)
    return reportPublication(session, repository, await publishStaged(repository, changelist));
  const { consequences } = await planOn(repository, collection, staged);
  session.printError(consequencesText(repository.gun, consequences));
  const kept = await decideKept(session, parsed, consequences.resigned);
  const publication = await publishStaged(repository, changelist, consequences, kept);
  return reportPublication(session, repository, publication);
}
