import type { Catalogue } from './catalogue.ts';

/** Errors of accounts, passwords, grants and tokens. */
export const ACCOUNTS_ERRORS = {
  'user-name-invalid': { own: true, http: 400 },
  'user-exists': { own: true, http: 409 },
  'user-unknown': { own: true, http: 404, next: 'List the users: signet user list' },
  'accounts-missing': {
    own: true,
    next: 'Run the command where the server runs, name its folder with --data FOLDER, or start a server first: signet serve',
  },
  'password-unfit': { own: true, http: 400, next: 'Choose another password.' },
  'password-file-unreadable': { own: true },
  'password-mismatch': { own: true, next: 'Run the command again and type the same password twice.' },
  'grant-invalid': { own: true, http: 400 },
  'grant-unknown': { own: true, http: 404, next: 'List the grants of every user: signet user list' },

  'login-refused': { http: 401 },
  'login-throttled': { http: 429 },
  'login-busy': { http: 503 },
  'refresh-token-invalid': { http: 401, next: 'Log in again.' },
  'token-request-invalid': { http: 400 },
  'token-key-invalid': {},
} as const satisfies Catalogue;
