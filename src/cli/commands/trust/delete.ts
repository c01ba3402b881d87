import { type CommandSpec, parseCommand } from '../../line/command.ts';
import type { Session } from '../../session.ts';
import { declined } from '../../terminal/answer.ts';
import { PLACE_FLAGS, PLACE_OPTIONS, placeOf } from './place-flags.ts';

export const DELETE: CommandSpec = {
  program: 'signet',
  path: 'trust delete',
  usage: '[OPTIONS] REPOSITORY',
  summary: 'Forget the trust data of a repository here, or delete it for everybody',
  flags: [{ name: 'remote', kind: 'switch' }, { name: 'yes', short: 'y', kind: 'switch' }, ...PLACE_FLAGS],
  options: `      --remote             Delete it from the trust server as well
${PLACE_OPTIONS}
  -y, --yes                Do not prompt for confirmation`,
  minArguments: 1,
  maxArguments: 1,
};

/**
 * `signet trust delete [--remote] [--yes] REPOSITORY`: the cache, and with it the pin of the root, and staged changes; keys
 * stay. The server goes first: where it refuses, nothing is lost here.
 */
export async function deleteCollection(session: Session, words: readonly string[]): Promise<number> {
  const parsed = parseCommand(DELETE, words);
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
