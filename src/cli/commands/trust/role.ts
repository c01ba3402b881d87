import { SignetError } from '../../../core/errors/index.ts';
import { parseKeyId } from '../../../core/names/key-id.ts';
import { parseRole } from '../../../core/names/role.ts';
import { quoted } from '../../../core/printable.ts';
import { changeRole, planRole } from '../../../trust/changes/roles.ts';
import { type CommandSpec, parseCommand } from '../../line/command.ts';
import type { Session } from '../../session.ts';
import { reportPublication } from './approve.ts';
import { decideKept, KEEPING, KEEPING_OPTIONS } from './keeping.ts';
import { PLACE_FLAGS, PLACE_OPTIONS, placeOf } from './place-flags.ts';
import { readPublicKey } from './public-keys.ts';

export const ROLE: CommandSpec = {
  program: 'signet',
  path: 'trust role',
  usage: '[OPTIONS] REPOSITORY ROLE',
  summary: 'Change which keys sign for a role, and how many of them must',
  flags: [
    ...KEEPING,
    { name: 'add-key', kind: 'list' },
    { name: 'remove-key', kind: 'list' },
    { name: 'threshold', kind: 'value' },
    ...PLACE_FLAGS,
  ],
  options: `      --add-key list       File of a public key; for root, a certificate that
                           "signet trust key certificate" made
${KEEPING_OPTIONS}
      --remove-key list    ID of a key
${PLACE_OPTIONS}
      --threshold int      Number of keys that must sign`,
  minArguments: 2,
  maxArguments: 2,
};

/** `signet trust role [--add-key FILE]… [--remove-key ID]… [--threshold N] REPOSITORY ROLE`. */
export async function setRole(session: Session, words: readonly string[]): Promise<number> {
  const parsed = parseCommand(ROLE, words);
  const [name = '', role = ''] = parsed.args;
  const addKeys = await Promise.all(parsed.values('add-key').map((path) => readPublicKey(path, session.now())));
  const removeKeys = parsed.values('remove-key').map(parseKeyId);
  const threshold = readThreshold(parsed.value('threshold'));
  if (addKeys.length + removeKeys.length === 0 && threshold === undefined) {
    throw new SignetError('usage', 'nothing to change: give --add-key, --remove-key or --threshold');
  }
  const { repository } = (await placeOf(session, parsed)).collection(name, ['pull', 'push']);
  const change = { addKeys, removeKeys, threshold };
  const resigned = await planRole(repository, parseRole(role), change);
  const kept = await decideKept(session, parsed, resigned);
  return reportPublication(session, repository, await changeRole(repository, parseRole(role), change, resigned, kept));
}

/** The value of a `--threshold`. Throws `threshold-invalid`. */
export function readThreshold(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,2}$/.test(text)) return Number(text);
  throw new SignetError('threshold-invalid', `a threshold is a number of keys, not ${quoted(text, 40)}`);
}
