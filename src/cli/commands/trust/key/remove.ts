import { isSignetError, SignetError } from '../../../../core/errors/index.ts';
import { printable } from '../../../../core/printable.ts';
import type { StoredKey } from '../../../../store/key-store.ts';
import { MetadataFolder } from '../../../../store/trust-folder.ts';
import { type KeyUses, usesOfKey } from '../../../../trust/keys/key-uses.ts';
import { YES } from '../../../line/common-flags.ts';
import type { Command, ParsedCommand } from '../../../line/declaration.ts';
import type { Session } from '../../../session.ts';
import { declined } from '../../../terminal/answer.ts';
import { existingPlaceOf, PLACE_FLAGS } from '../place-flags.ts';
import { chosenKey } from './chosen-key.ts';

export const KEY_REMOVE: Command<Session> = {
  program: 'signet',
  path: 'trust key remove',
  summary: 'Remove a private key',
  args: [{ name: 'ID|NAME', takes: 'key' }],
  flags: [...PLACE_FLAGS, YES],
  run: removeKey,
};

/** `signet trust key remove [--yes] ID|NAME`: shows what will be impossible without the key, asks, and removes it. */
async function removeKey(session: Session, parsed: ParsedCommand): Promise<number> {
  const { keys, folder } = await existingPlaceOf(session, parsed);
  const key = chosenKey(await keys.list(), parsed.args[0] ?? '');
  session.print(lossText(key, await usesOfKey(new MetadataFolder(folder), key.id)));
  if (!parsed.has('yes') && !(await isConfirmed(session, key))) {
    return declined(session);
  }
  if (!(await keys.remove(key.id))) throw new SignetError('signing-key-missing', `signing key not found: ${key.id}`);
  session.print(`Deleted ${key.id} (role ${printable(key.role)})\n`);
  return 0;
}

function lossText({ id, role, gun }: StoredKey, { uses, unreadable }: KeyUses): string {
  const lines = uses.map((use) => `  ${use.gun}: ${use.roles.join(', ')}\n`);
  return [
    `Key:   ${id}\nRole:  ${printable(role)}\n${gun === undefined ? '' : `GUN:   ${gun}\n`}`,
    lines.length === 0
      ? 'By the trust data that are kept here, it signs for nothing.\n'
      : `By the trust data that are kept here, it signs for\n${lines.join('')}`,
    ...unreadable.map((of) => `The trust data of ${of} cannot be read; it may sign there too.\n`),
    `Without a copy it is lost for good. To make one: signet trust key export --key ${id} --output FILE\n`,
  ].join('');
}

/** For a root key, the user must type a full answer: without it a repository can never get other keys. */
async function isConfirmed(session: Session, { role }: StoredKey): Promise<boolean> {
  if (!session.isInteractive) {
    throw new SignetError('confirmation-missing', 'no one can be asked whether to remove the key', {
      next: 'Say it on the command line: --yes',
    });
  }
  return role === 'root' ? isWrittenOut(session) : session.confirm('Remove this key?');
}

async function isWrittenOut(session: Session): Promise<boolean> {
  try {
    return (await session.askLine('This is a root key. Type "yes" to remove it: ')).trim() === 'yes';
  } catch (error) {
    if (isSignetError(error, 'input-ended')) return false;
    throw error;
  }
}
