import type { Group } from '../../../line/declaration.ts';
import type { Session } from '../../../session.ts';

/** `signet trust delegation …`. */
export const DELEGATION: Group<Session> = {
  program: 'signet',
  path: 'trust delegation',
  summary: 'Manage who may sign targets of a repository',
  lists: [
    [
      'Commands',
      [
        ['add', async () => (await import('./add.ts')).DELEGATION_ADD],
        ['list', async () => (await import('./list.ts')).DELEGATION_LIST],
        ['purge', async () => (await import('./purge.ts')).DELEGATION_PURGE],
        ['remove', async () => (await import('./remove.ts')).DELEGATION_REMOVE],
      ],
    ],
  ],
};
