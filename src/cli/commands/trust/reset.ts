import { SignetError } from '../../../core/errors/index.ts';
import { quoted } from '../../../core/printable.ts';
import { AuditFolder } from '../../../store/audit-folder.ts';
import { planReset, type ResetPlan, resetRepository } from '../../../trust/changes/reset.ts';
import { YES } from '../../line/common-flags.ts';
import type { Command, ParsedCommand } from '../../line/declaration.ts';
import type { OpenCollection, TrustPlace } from '../../place.ts';
import type { Session } from '../../session.ts';
import { declined } from '../../terminal/answer.ts';
import { PLACE_FLAGS, placeOf } from './place-flags.ts';

export const RESET: Command<Session> = {
  program: 'signet',
  path: 'trust reset',
  summary: 'Drop staged changes, or found a repository anew whose root key is lost',
  args: [{ name: 'REPOSITORY', takes: 'repository' }],
  flags: [
    { name: 'all', type: 'switch', about: 'Drop all staged changes' },
    {
      name: 'lost-root',
      type: 'switch',
      about: "Delete the repository's trust data, and publish it under a new root key",
    },
    {
      name: 'number',
      short: 'n',
      type: 'list',
      about: 'Drop the staged changes of these numbers, as "signet trust status" shows them',
    },
    { name: 'reason', type: 'value', about: 'Why the root key is replaced; kept in the record' },
    ...PLACE_FLAGS,
    YES,
  ],
  run: reset,
};

/** `signet trust reset --all | -n N… | --lost-root --reason TEXT REPOSITORY`. */
async function reset(session: Session, parsed: ParsedCommand): Promise<number> {
  const isChoosing = parsed.has('all') || parsed.values('number').length > 0;
  if (parsed.has('lost-root') && isChoosing) {
    throw new SignetError('usage', '--lost-root cannot be given with --all or --number');
  }
  const place = await placeOf(session, parsed);
  const name = parsed.args[0] ?? '';
  if (parsed.has('lost-root')) return resetLostRoot(session, parsed, place, place.collection(name, ['*']));
  return dropStaged(session, parsed, place.collection(name, ['pull']));
}

async function dropStaged(session: Session, parsed: ParsedCommand, collection: OpenCollection): Promise<number> {
  const { gun, changelist } = collection;
  const numbers = parsed.values('number').flatMap((list) => list.split(','));
  if (parsed.has('all')) await changelist.clear();
  else if (numbers.length === 0) {
    throw new SignetError('usage', 'must specify changes to reset with -n or the --all flag', {
      next: 'Where the root key is lost: signet trust reset --lost-root --reason TEXT REPOSITORY',
    });
  } else {
    const staged = await changelist.read();
    const chosen = numbers.map((number) => (/^\d{1,6}$/.test(number) ? staged[Number(number)] : undefined));
    const missing = numbers.find((_, index) => chosen[index] === undefined);
    if (missing !== undefined) throw new SignetError('usage', `no staged change has the number ${quoted(missing, 40)}`);
    await changelist.clear(chosen.filter((change) => change !== undefined));
  }
  session.print(`Successfully reset specified changes for repository ${gun}\n`);
  return 0;
}

async function resetLostRoot(
  session: Session,
  parsed: ParsedCommand,
  place: TrustPlace,
  { gun, repository }: OpenCollection,
): Promise<number> {
  const reason = parsed.value('reason') ?? '';
  if (reason === '') throw new SignetError('usage', 'say why the root key is replaced: --reason TEXT');
  const plan = await planReset(repository);
  session.print(planText(gun, plan));
  if (!parsed.has('yes') && !(await session.confirm(`Replace the root of ${gun}?`))) return declined(session);
  const by = session.env.USER ?? session.env.LOGNAME ?? 'unknown';
  const { record } = await resetRepository(repository, plan, new AuditFolder(place.folder), { by, reason });
  session.print(`Published ${gun} under a new root key. The record of it: ${record}\n`);
  session.print(`Everybody who trusted the old root decides anew, with: signet trust delete ${gun}\n`);
  return 0;
}

function planText(gun: string, { kept, emptied, former }: ResetPlan): string {
  const tags = kept.reduce((sum, role) => sum + (former.set.targets.get(role)?.payload.targets.size ?? 0), 0);
  return [
    `The trust data of ${gun} is deleted from the server and published anew, under another root key.\n`,
    `Nobody who trusted it before trusts the new one by itself: they see an error until they forget the old one.\n`,
    `Signed again with the keys that are here: ${tags} entries of ${kept.join(', ')}\n`,
    emptied.length === 0 ? '' : `Left for their signers to sign again: ${emptied.join(', ')}\n`,
  ].join('');
}
