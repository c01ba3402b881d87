import { printable } from '../../../../core/printable.ts';
import type { StoredKey } from '../../../../store/key-store.ts';
import type { Command, ParsedCommand } from '../../../line/declaration.ts';
import type { Session } from '../../../session.ts';
import { dockerTable } from '../../../terminal/table.ts';
import { existingPlaceOf, PLACE_FLAGS } from '../place-flags.ts';

export const KEY_LIST: Command<Session> = {
  program: 'signet',
  path: 'trust key list',
  summary: 'List the private keys that are here',
  args: [],
  flags: [{ name: 'quiet', short: 'q', type: 'switch', about: 'Only display key IDs' }, ...PLACE_FLAGS],
  run: listKeys,
};

/** `signet trust key list [--quiet]`: root keys first, then by GUN, role and ID, as Notary orders them (protocol E.3). */
async function listKeys(session: Session, parsed: ParsedCommand): Promise<number> {
  const { keys } = await existingPlaceOf(session, parsed);
  const sorted = [...(await keys.list())].sort(compare);
  if (parsed.has('quiet')) session.print(sorted.map(({ id }) => `${id}\n`).join(''));
  else session.print(sorted.length === 0 ? 'No signing keys found.\n' : tableText(sorted));
  return 0;
}

function tableText(keys: readonly StoredKey[]): string {
  return dockerTable(
    ['ROLE', 'GUN', 'KEY ID', 'ENCRYPTED'],
    keys.map(({ role, gun, id, encrypted }) => [printable(role), gun ?? '', id, encrypted ? 'yes' : 'no']),
  );
}

function compare(one: StoredKey, other: StoredKey): number {
  const isRoot = ({ role }: StoredKey) => Number(role === 'root');
  if (isRoot(one) !== isRoot(other)) return isRoot(other) - isRoot(one);
  const words = ({ gun, role, id }: StoredKey) => [gun ?? '', role, id];
  const [left, right] = [words(one), words(other)];
  const at = left.findIndex((word, index) => word !== right[index]);
  return (left[at] ?? '') < (right[at] ?? '') ? -1 : 1;
}
