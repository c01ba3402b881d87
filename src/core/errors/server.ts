import type { Catalogue } from './catalogue.ts';

/** Errors of the trust server and of the database. */
export const SERVER_ERRORS = {
  'database-unusable': { own: true, next: 'Check that the folder exists, is writable and lies on a local disk.' },
  'database-newer': {
    own: true,
    next: 'The data was written by a newer Signet. Run that version, or restore a backup.',
  },

  'database-not-notary': {
    own: true,
    next: 'Name the database of a notary-server, or an empty one that Signet may use alone.',
  },
  'database-half-migrated': {
    own: true,
    next: "Let Notary's own migrations end first: see why the last one broke off, mend that, set its version with `migrate force`, and run `migrate up`.",
  },
  'database-rights-missing': {
    own: true,
    next: 'Grant the user of the database SELECT, INSERT, UPDATE and DELETE on all its tables, and CREATE for those of Signet.',
  },
  'database-ids-used-up': {
    http: 507,
    next: 'Widen the column `id` of the table that the message names to bigint; Notary works with that, too.',
  },
  'database-url-invalid': {
    own: true,
    exit: 125,
    next: 'Write sqlite:PATH, postgres://USER:PASSWORD@HOST:PORT/NAME or mysql://USER:PASSWORD@HOST:PORT/NAME, with %40 for @ in a password.',
  },
  'database-incomplete': {
    own: true,
    next: 'Let the copy go on where it was: signet serve database copy FROM TO',
  },
  'database-not-empty': { own: true, next: 'Copy to an empty database.' },
  'database-copy-differs': {
    own: true,
    next: 'Stop every server that works on the first database, empty the second one, and copy again.',
  },
  'dump-invalid': {
    own: true,
    next: 'Dump the databases of the server and of the signer once more, and import that: rethinkdb dump -e DATABASE -e DATABASE',
  },
  'database-unavailable': {
    http: 503,
    next: 'Check that the database server runs and can be reached from here, then try again.',
  },
  'database-busy': {
    http: 503,
    next: 'Another process writes to the database, or holds its lock: let it end, then try again.',
  },
  'disk-full': { http: 507, next: 'Free some space on the disk of the data folder, then try again.' },
  'disk-failing': { http: 503, next: 'Look at the system log: the disk of the data folder is read-only or fails.' },

  'upload-malformed': { http: 400 },
  'upload-too-large': { http: 413 },
  'upload-encoding-unsupported': { http: 415 },
  'upload-filename-missing': { http: 400 },
  'upload-role-invalid': { http: 400 },
  'upload-json-malformed': { http: 400 },
  'update-invalid': { http: 400 },
  'update-version-exists': { http: 400 },
  'update-failed': { http: 500 },
  'metadata-not-found': { http: 404 },
  'gun-unsupported': { http: 400 },
  'gun-case-conflict': { http: 409, next: 'Choose a name that differs from the other one in more than case.' },
  'mirror-read-only': { http: 403 },
  'mirror-unusable': {
    own: true,
    next: 'Name files that signet trust export has written, or folders of them: --mirror FOLDER',
  },
  'proposal-changed': { http: 412 },
  'import-taken': { http: 409 },
  'condition-missing': { http: 428 },
  'parameters-invalid': { http: 400 },
  'trust-server-failed': { http: 500 },

  'gun-prefix-invalid': {
    own: true,
    next: 'A prefix is the beginning of a repository name and ends in a slash: registry.example.com/',
  },
  'master-key-invalid': { own: true, next: 'The master key has 32 bytes.' },
  'online-key-unreadable': { own: true, next: 'Start the server with the master key that its data was written with.' },
  'publication-incomplete': {},

  'signer-message-malformed': {},
  'signer-unreachable': {
    own: true,
    http: 503,
    next: 'Check that the signer runs, and that its certificate and those of the settings belong together.',
  },
  'signer-silent': { own: true, http: 503, next: 'Look at the log of the signer: it does not answer in time.' },
  'signer-refused': { own: true, http: 502, next: 'Look at the log of the signer.' },
  'signer-faulty': { own: true, http: 502, next: 'Ask the operator of the signer: what it answers cannot be used.' },
} as const satisfies Catalogue;
