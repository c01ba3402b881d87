import { type CommandGroup, runGroup } from '../../line/command.ts';
import type { Session } from '../../session.ts';
import { approve, discard } from './approve.ts';
import { inspect } from './inspect.ts';
import { renewRoles } from './renew.ts';
import { reset } from './reset.ts';
import { revoke } from './revoke.ts';
import { setRole } from './role.ts';
import { sign } from './sign.ts';
import { addSigners, removeSigners } from './signers.ts';
import { SIGNER_HELP, TRUST_HELP } from './specs.ts';
import { status } from './status.ts';

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
  const later = (load: () => Promise<Command>) => run(async (session, rest) => (await load())(session, rest));
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
        ['add', later(async () => (await import('./add.ts')).add)],
        ['adopt', later(async () => (await import('./adopt.ts')).adopt)],
        ['approve', run(approve)],
        ['delegation', async (rest) => runGroup((await import('./delegation/index.ts')).delegationGroup(run), rest)],
        ['delete', later(async () => (await import('./delete.ts')).deleteCollection)],
        ['discard', run(discard)],
        ['export', later(async () => (await import('./export.ts')).exportCopies)],
        ['import', later(async () => (await import('./import.ts')).importCopies)],
        ['init', later(async () => (await import('./init.ts')).init)],
        ['list', later(async () => (await import('./list.ts')).list)],
        ['lookup', later(async () => (await import('./lookup.ts')).lookup)],
        ['publish', later(async () => (await import('./publish.ts')).publish)],
        ['remove', later(async () => (await import('./remove.ts')).remove)],
        ['renew', run(renewRoles)],
        ['reset', run(reset)],
        ['role', run(setRole)],
        ['status', run(status)],
        ['verify', later(async () => (await import('./verify.ts')).verify)],
        ['witness', later(async () => (await import('./witness.ts')).witness)],
        ['key', async (rest) => runGroup((await import('./key/index.ts')).keyGroup(run), rest)],
        ['signer', (rest) => runGroup(signer, rest)],
      ]),
    },
    words,
  );
}
