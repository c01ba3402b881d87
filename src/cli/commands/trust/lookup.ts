import { type FoundTarget, findTarget, lookupError } from '../../../core/verify/lookup.ts';
import type { Repository } from '../../../trust/publish/repository.ts';
import { shown, shownDigest } from '../../../trust/report/describe.ts';
import type { Command, ParsedCommand } from '../../line/declaration.ts';
import type { Session } from '../../session.ts';
import { PLACE_FLAGS, placeOf } from './place-flags.ts';
import { readCollection } from './read.ts';

export const LOOKUP: Command<Session> = {
  program: 'signet',
  path: 'trust lookup',
  summary: 'Show the digest and the size of a target',
  args: [
    { name: 'REPOSITORY', takes: 'repository' },
    { name: 'TARGET', takes: 'target' },
  ],
  flags: [...PLACE_FLAGS],
  run: lookup,
};

/** `signet trust lookup REPOSITORY TARGET`. */
async function lookup(session: Session, parsed: ParsedCommand): Promise<number> {
  const [repository = '', name = ''] = parsed.args;
  const found = await trustedTarget((await placeOf(session, parsed)).collection(repository, ['pull']).repository, name);
  session.print(`${shown(found.name)} ${shownDigest(found.target)} ${found.target.length}\n`);
  return 0;
}

/**
 * Finds a target in `targets` or else in any delegation (protocol C.14). Throws `target-not-found` or `role-unusable`.
 */
export async function trustedTarget(repository: Repository, name: string): Promise<FoundTarget> {
  const { set } = await readCollection(repository);
  const found = findTarget(set, name);
  if (found === undefined) throw lookupError(set, name, ['targets']);
  return found;
}
