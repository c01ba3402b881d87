import { SignetError } from '../../../../core/errors/index.ts';
import type { PublicKey } from '../../../../core/keys/public-key.ts';
import { parseDelegation } from '../../../../core/names/role.ts';
import { type CommandSpec, parseCommand } from '../../../line/command.ts';
import type { Session } from '../../../session.ts';
import { makeChanges, STAGE, STAGE_OPTION } from '../change.ts';
import { PLACE_FLAGS, PLACE_OPTIONS, placeOf } from '../place-flags.ts';
import { readPublicKey } from '../public-keys.ts';
import { readThreshold } from '../role.ts';
import { PATHS, pathsOf } from './paths.ts';

export const DELEGATION_ADD: CommandSpec = {
  program: 'signet',
  path: 'trust delegation add',
  usage: '[OPTIONS] REPOSITORY ROLE [FILE...]',
  summary: 'Make a delegation, or give one more keys or paths',
  flags: [...PATHS, { name: 'threshold', kind: 'value' }, STAGE, ...PLACE_FLAGS],
  options: `      --all-paths          Let the role sign every target
      --paths list         Let the role sign targets whose names begin so
${STAGE_OPTION}
      --threshold int      Number of keys that must sign, of a new delegation
                           (default 1)
${PLACE_OPTIONS}`,
  minArguments: 2,
};

/** `signet trust delegation add [--all-paths] [--paths P,…]… [--threshold N] [--stage] REPOSITORY ROLE [FILE…]`. */
export async function addDelegation(session: Session, words: readonly string[]): Promise<number> {
  const parsed = parseCommand(DELEGATION_ADD, words);
  const [repository = '', name = '', ...files] = parsed.args;
  const role = parseDelegation(name);
  const addPaths = [...(parsed.has('all-paths') ? [''] : []), ...pathsOf(parsed)];
  if (files.length + addPaths.length === 0) {
    throw new SignetError('usage', 'nothing to add: give files of public keys, --paths or --all-paths');
  }
  const threshold = readThreshold(parsed.value('threshold')) ?? 1;
  const collection = (await placeOf(session, parsed)).collection(repository, ['pull', 'push']);
  const addKeys: PublicKey[] = [];
  for (const file of files) addKeys.push(await readPublicKey(file, session.now()));
  const delegation = { threshold, addKeys, addPaths, removeKeys: [], removePaths: [], clearPaths: false };
  return makeChanges(session, parsed, collection, [{ kind: 'create-delegation', role, delegation }]);
}
