import { type FoundTarget, findTarget, notFound } from '../../../core/verify/lookup.ts';
import type { Repository } from '../../../trust/publish/repository.ts';
import { shown, shownDigest } from '../../../trust/report/describe.ts';
import { type CommandSpec, parseCommand } from '../../line/command.ts';
import type { Session } from '../../session.ts';
import { PLACE_FLAGS, PLACE_OPTIONS, placeOf } from './place-flags.ts';
import { readCollection } from './read.ts';

export const LOOKUP: CommandSpec = {
  program: 'signet',
  path: 'trust lookup',
  usage: '[OPTIONS] REPOSITORY TARGET',
  summary: 'Show the digest and the size of a target',
  flags: PLACE_FLAGS,
  options: PLACE_OPTIONS,
  minArguments: 2,
  maxArguments: 2,
};

/** `signet trust lookup REPOSITORY TARGET`. */
export async function lookup(session: Session, words: readonly string[]): Promise<number> {
  const parsed = parseCommand(LOOKUP, words);
  const [repository = '', name = ''] = parsed.args;
  const found = await trustedTarget((await placeOf(session, parsed)).collection(repository, ['pull']).repository, name);
  session.print(`${shown(found.name)} ${shownDigest(found.target)} ${found.target.length}\n`);
  return 0;
}

/** What `targets` or, behind it, any delegation says of a target (protocol C.14). Throws `target-not-found` and `role-unusable`. */
export async function trustedTarget(repository: Repository, name: string): Promise<FoundTarget> {
  const { set } = await readCollection(repository);
  const found = findTarget(set, name);
  if (found === undefined) throw notFound(set, name, ['targets']);
  return found;
}
