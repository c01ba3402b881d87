import type { CommandGroup } from '../../../line/command.ts';
import type { Session } from '../../../session.ts';
import { addDelegation } from './add.ts';
import { listDelegations } from './list.ts';
import { purgeKeys } from './purge.ts';
import { removeDelegation } from './remove.ts';

type Command = (session: Session, words: readonly string[]) => Promise<number>;

const HELP = `Usage:  signet trust delegation COMMAND

Manage who may sign targets of a repository

Commands:
  add         Make a delegation, or give one more keys or paths
  list        List the delegations of a repository
  purge       Remove keys from all delegations of a repository
  remove      Remove a delegation, or keys and paths of one

Run 'signet trust delegation COMMAND --help' for more information on a command.
`;

/** `signet trust delegation …`; `run` gives a command its session. */
export function delegationGroup(
  run: (command: Command) => (words: readonly string[]) => Promise<number>,
): CommandGroup {
  return {
    program: 'signet',
    path: 'trust delegation',
    help: HELP,
    commands: new Map([
      ['add', run(addDelegation)],
      ['list', run(listDelegations)],
      ['purge', run(purgeKeys)],
      ['remove', run(removeDelegation)],
    ]),
  };
}
