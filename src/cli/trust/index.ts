import { type CommandGroup, runGroup } from '../command.ts';
import type { Session } from '../session.ts';
import { inspect } from './inspect.ts';
import { generateKey, loadKey } from './keys.ts';
import { revoke } from './revoke.ts';
import { sign } from './sign.ts';
import { addSigners, removeSigners } from './signers.ts';
import { KEY_HELP, SIGNER_HELP, TRUST_HELP } from './specs.ts';

type Command = (session: Session, words: readonly string[]) => Promise<number>;

/** `docker trust …`. The session is opened for the command that needs it, and closed whatever happens. */
export function trustCommand(words: readonly string[], open: () => Promise<Session>): Promise<number> {
  const run = (command: Command) => async (rest: readonly string[]) => {
    const session = await open();
    try {
      return await command(session, rest);
    } finally {
      await session.close();
    }
  };
  const key: CommandGroup = {
    path: 'trust key',
    help: KEY_HELP,
    commands: new Map([
      ['generate', run(generateKey)],
      ['load', run(loadKey)],
    ]),
  };
  const signer: CommandGroup = {
    path: 'trust signer',
    help: SIGNER_HELP,
    commands: new Map([
      ['add', run(addSigners)],
      ['remove', run(removeSigners)],
    ]),
  };
  return runGroup(
    {
      path: 'trust',
      help: TRUST_HELP,
      commands: new Map([
        ['inspect', run(inspect)],
        ['revoke', run(revoke)],
        ['sign', run(sign)],
        ['key', (rest) => runGroup(key, rest)],
        ['signer', (rest) => runGroup(signer, rest)],
      ]),
    },
    words,
  );
}
