import { isSignetError } from '../../../core/errors/index.ts';
import type { Changelist } from '../../../store/changelist.ts';
import { planOn } from '../../../trust/changes/changes.ts';
import { publishStaged, republishStaged } from '../../../trust/changes/staged.ts';
import type { Repository } from '../../../trust/publish/repository.ts';
import type { Command, ParsedCommand } from '../../line/declaration.ts';
import type { Session } from '../../session.ts';
import { PENDING_EXIT } from '../../wording/pending.ts';
import { reportPublication } from './approve.ts';
import { consequencesText } from './consequences-text.ts';
import { decideKept, KEEPING } from './keeping.ts';
import { checkFolder, PLACE_FLAGS, placeOf } from './place-flags.ts';

export const PUBLISH: Command<Session> = {
  program: 'signet',
  path: 'trust publish',
  summary: 'Publish all staged changes, and a repository that was only prepared',
  args: [{ name: 'REPOSITORY', takes: 'repository' }],
  flags: [...KEEPING, ...PLACE_FLAGS],
  exitCodes: PENDING_EXIT,
  run: publish,
};

/** `signet trust publish REPOSITORY`: publishes changes staged by Signet or by Notary. */
async function publish(session: Session, parsed: ParsedCommand): Promise<number> {
  const place = await placeOf(session, parsed);
  const { repository, changelist } = place.collection(parsed.args[0] ?? '', ['pull', 'push']);
  // A wrong name is reported first.
  checkFolder(place, parsed);
  const staged = (await changelist.read()).map(({ change }) => change);
  const collection = await repository.current().catch((error: unknown) => {
    if (isSignetError(error, 'trust-data-lost')) return 'lost' as const;
    throw error;
  });
  if (collection === 'lost') return publishAgain(session, repository, changelist);
  if (collection === undefined)
    return reportPublication(session, repository, await publishStaged(repository, changelist));
  const { consequences } = await planOn(repository, collection, staged);
  session.printError(consequencesText(repository.gun, consequences));
  const kept = await decideKept(session, parsed, consequences.resigned);
  const publication = await publishStaged(repository, changelist, consequences, kept);
  return reportPublication(session, repository, publication);
}

/** The server is empty, but this user's cache is not: publishes the cached files again, as Notary's command does. */
async function publishAgain(session: Session, repository: Repository, changelist: Changelist): Promise<number> {
  const { gun, host } = repository;
  session.printError(`${host} has no data for ${gun} any more. What is kept here is published there again.\n`);
  await republishStaged(repository, changelist);
  session.print(`Published to ${gun}.\n`);
  return 0;
}
