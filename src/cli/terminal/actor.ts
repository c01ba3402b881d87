import { isIP } from 'node:net';
import { userInfo } from 'node:os';
import type { Actor } from '../../accounts/store/account-events.ts';
import { printable } from '../../core/printable.ts';

/**
 * Who runs this command, for the change record: the system's user, the user before sudo, and the remote address of an
 * SSH session, as far as the environment gives them.
 */
export function currentActor(environment: NodeJS.ProcessEnv = process.env): Actor {
  const uid = process.getuid?.() ?? -1;
  const before = environment.SUDO_USER ?? '';
  const sudo = before === '' ? '' : `, sudo by ${printable(before, 40)}`;
  const [peer = ''] = (environment.SSH_CONNECTION ?? '').split(' ');
  return { name: `${userName() ?? 'user'} (uid ${uid}${sudo})`, address: isIP(peer) === 0 ? 'local' : peer };
}

/** Undefined for a user without an entry in the system's list. */
function userName(): string | undefined {
  try {
    return printable(userInfo().username, 40);
  } catch {
    return undefined;
  }
}
