import { planChanges } from '../../trust/changes/changes.ts';
import { publishStaged } from '../../trust/changes/staged.ts';
import { type CommandSpec, parseCommand } from '../command.ts';
import type { Session } from '../session.ts';
import { reportPublication } from './approve.ts';
import { consequencesText } from './consequences-text.ts';
import { PLACE_FLAGS, PLACE_OPTIONS, placeOf } from './place-flags.ts';

export const PUBLISH: CommandSpec = {
  program: 'signet',
  path: 'trust publish',
  usage: '[OPTIONS] REPOSITORY',
  summary: 'Publish all staged changes, and a repository that was only prepared',
  flags: PLACE_FLAGS,
  options: PLACE_OPTIONS,
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
  if ((await repository.current()) !== undefined) {
    const { consequences } = await planChanges(repository, staged);
    session.printError(consequencesText(repository.gun, consequences));
  }
  return reportPublication(session, repository, await publishStaged(repository, changelist));
}
