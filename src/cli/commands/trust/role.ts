import { SignetError } from '../../../core/errors/index.ts';
import { parseKeyId } from '../../../core/names/key-id.ts';
import { parseRole } from '../../../core/names/role.ts';
import { quoted } from '../../../core/printable.ts';
import { changeRole, planRole } from '../../../trust/changes/roles.ts';
import type { Command, ParsedCommand } from '../../line/declaration.ts';
import type { Session } from '../../session.ts';
import { PENDING_EXIT } from '../../wording/pending.ts';
import { reportPublication } from './approve.ts';
import { decideKept, KEEPING } from './keeping.ts';
import { PLACE_FLAGS, placeOf } from './place-flags.ts';
import { readPublicKey } from './public-keys.ts';

export const ROLE: Command<Session> = {
  program: 'signet',
  path: 'trust role',
  summary: 'Change which keys sign for a role, and how many of them must',
  args: [
    { name: 'REPOSITORY', takes: 'repository' },
    { name: 'ROLE', takes: 'role' },
  ],
  flags: [
    {
      name: 'add-key',
      type: 'list',
      takes: 'file',
      about: 'File of a public key; for root, a certificate that "signet trust key certificate" made',
    },
    ...KEEPING,
    { name: 'remove-key', type: 'list', takes: 'key', about: 'ID of a key' },
    ...PLACE_FLAGS,
    { name: 'threshold', type: 'number', about: 'Number of keys that must sign' },
  ],
  examples: [
    { about: 'Let two people agree on what is released', line: 'trust role --threshold 2 alice/app targets/releases' },
  ],
  exitCodes: PENDING_EXIT,
  run: setRole,
};

/** `signet trust role [--add-key FILE]… [--remove-key ID]… [--threshold N] REPOSITORY ROLE`. */
async function setRole(session: Session, parsed: ParsedCommand): Promise<number> {
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
