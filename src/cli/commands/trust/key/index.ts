import type { Group } from '../../../line/declaration.ts';
import type { Session } from '../../../session.ts';

/** `docker trust key …`, and Signet's own commands next to docker's two. */
export const KEY: Group<Session> = {
  path: 'trust key',
  summary: 'Manage keys for signing Docker images',
  lists: [
    [
      'Commands',
      [
        ['generate', async () => (await import('./generate.ts')).KEY_GENERATE],
        ['load', async () => (await import('./load.ts')).KEY_LOAD],
      ],
    ],
    [
      'Commands of Signet',
      [
        ['certificate', async () => (await import('./certificate.ts')).KEY_CERTIFICATE],
        ['export', async () => (await import('./export.ts')).KEY_EXPORT],
        ['import', async () => (await import('./import.ts')).KEY_IMPORT],
        ['list', async () => (await import('./list.ts')).KEY_LIST],
        ['passwd', async () => (await import('./passwd.ts')).KEY_PASSWD],
        ['remove', async () => (await import('./remove.ts')).KEY_REMOVE],
        ['rotate', async () => (await import('./rotate.ts')).KEY_ROTATE],
      ],
    ],
  ],
};
