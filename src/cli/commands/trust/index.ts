import { carryOut, parseCommand, runGroup } from '../../line/command.ts';
import type { Command, Group } from '../../line/declaration.ts';
import type { Session } from '../../session.ts';

const SIGNER: Group<Session> = {
  path: 'trust signer',
  summary: 'Manage entities who can sign Docker images',
  lists: [
    [
      'Commands',
      [
        ['add', async () => (await import('./signers.ts')).SIGNER_ADD],
        ['remove', async () => (await import('./signers.ts')).SIGNER_REMOVE],
      ],
    ],
  ],
};

/** `docker trust …`, and Signet's own commands next to docker's. */
export const TRUST: Group<Session> = {
  path: 'trust',
  summary: 'Manage trust on Docker images',
  lists: [
    [
      'Management Commands',
      [
        ['key', async () => (await import('./key/index.ts')).KEY],
        ['signer', async () => SIGNER],
      ],
    ],
    [
      'Commands',
      [
        ['inspect', async () => (await import('./inspect.ts')).INSPECT],
        ['revoke', async () => (await import('./revoke.ts')).REVOKE],
        ['sign', async () => (await import('./sign.ts')).SIGN],
      ],
    ],
    [
      'Commands of Signet',
      [
        ['add', async () => (await import('./add.ts')).ADD],
        ['adopt', async () => (await import('./adopt.ts')).ADOPT],
        ['approve', async () => (await import('./approve.ts')).APPROVE],
        ['delegation', async () => (await import('./delegation/index.ts')).DELEGATION],
        ['delete', async () => (await import('./delete.ts')).DELETE],
        ['discard', async () => (await import('./approve.ts')).DISCARD],
        ['export', async () => (await import('./export.ts')).EXPORT],
        ['import', async () => (await import('./import.ts')).IMPORT],
        ['init', async () => (await import('./init.ts')).INIT],
        ['list', async () => (await import('./list.ts')).LIST],
        ['lookup', async () => (await import('./lookup.ts')).LOOKUP],
        ['migrate', async () => (await import('./migrate.ts')).MIGRATE],
        ['publish', async () => (await import('./publish.ts')).PUBLISH],
        ['remove', async () => (await import('./remove.ts')).REMOVE],
        ['renew', async () => (await import('./renew.ts')).RENEW],
        ['reset', async () => (await import('./reset.ts')).RESET],
        ['role', async () => (await import('./role.ts')).ROLE],
        ['status', async () => (await import('./status.ts')).STATUS],
        ['verify', async () => (await import('./verify.ts')).VERIFY],
        ['witness', async () => (await import('./witness.ts')).WITNESS],
      ],
    ],
  ],
};

/** `docker trust …`. Opens the session only once the command line has been parsed, and always closes it. */
export function trustCommand(words: readonly string[], open: () => Promise<Session>): Promise<number> {
  const run = async (command: Command<Session>, rest: readonly string[]) => {
    const parsed = parseCommand(command, rest);
    const session = await open();
    try {
      return await carryOut(command, session, parsed);
    } finally {
      await session.close();
    }
  };
  return runGroup(TRUST, words, run);
}
