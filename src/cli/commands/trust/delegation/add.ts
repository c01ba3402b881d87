import { SignetError } from '../../../../core/errors/index.ts';
import type { PublicKey } from '../../../../core/keys/public-key.ts';
import { parseDelegation } from '../../../../core/names/role.ts';
import type { Command, ParsedCommand } from '../../../line/declaration.ts';
import type { Session } from '../../../session.ts';
import { PENDING_EXIT } from '../../../wording/pending.ts';
import { makeChanges, STAGE } from '../change.ts';
import { PLACE_FLAGS, placeOf } from '../place-flags.ts';
import { readPublicKey } from '../public-keys.ts';
import { readThreshold } from '../role.ts';
import { pathsOf } from './paths.ts';

export const DELEGATION_ADD: Command<Session> = {
  program: 'signet',
  path: 'trust delegation add',
  summary: 'Make a delegation, or give one more keys or paths',
  args: [
    { name: 'REPOSITORY', takes: 'repository' },
    { name: 'ROLE', takes: 'role' },
    { name: 'FILE', takes: 'file', isOptional: true, isRepeated: true },
  ],
  flags: [
    { name: 'all-paths', type: 'switch', about: 'Let the role sign every target' },
    { name: 'paths', type: 'list', about: 'Let the role sign targets whose names begin so' },
    STAGE,
    { name: 'threshold', type: 'number', about: 'Number of keys that must sign, of a new delegation', default: '1' },
    ...PLACE_FLAGS,
  ],
  exitCodes: PENDING_EXIT,
  run: addDelegation,
};

/** `signet trust delegation add [--all-paths] [--paths P,…]… [--threshold N] [--stage] REPOSITORY ROLE [FILE…]`. */
async function addDelegation(session: Session, parsed: ParsedCommand): Promise<number> {
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
