import { YES } from '../../line/common-flags.ts';
import type { Command, ParsedCommand } from '../../line/declaration.ts';
import type { Session } from '../../session.ts';
import { declined } from '../../terminal/answer.ts';
import { PLACE_FLAGS, placeOf } from './place-flags.ts';

export const DELETE: Command<Session> = {
  program: 'signet',
  path: 'trust delete',
  summary: 'Forget the trust data of a repository here, or delete it for everybody',
  args: [{ name: 'REPOSITORY', takes: 'repository' }],
  flags: [{ name: 'remote', type: 'switch', about: 'Delete it from the trust server as well' }, ...PLACE_FLAGS, YES],
  run: deleteCollection,
};

/**
 * `signet trust delete [--remote] [--yes] REPOSITORY`: deletes the cache, which includes the pin of the root, and
 * staged changes; keys stay. The server's data is deleted first: if it refuses, nothing is lost locally.
 */
async function deleteCollection(session: Session, parsed: ParsedCommand): Promise<number> {
  const isRemote = parsed.has('remote');
  const place = await placeOf(session, parsed);
  const { gun, repository, changelist } = place.collection(parsed.args[0] ?? '', [isRemote ? '*' : 'pull']);
  if (isRemote && !parsed.has('yes')) {
    const question = `Delete the trust data of ${gun} from ${repository.host}, for everybody?`;
    if (!(await session.confirm(question))) return declined(session);
  }
  if (isRemote) await repository.source.server.remove(gun);
  await repository.forget();
  await changelist.clear();
  session.print(`Deleted the trust data of ${gun} ${isRemote ? `here and from ${repository.host}` : 'here'}.\n`);
  return 0;
}
