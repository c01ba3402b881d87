import type { Catalogue } from './catalogue.ts';

/** Errors of the use cases and of the command line. */
export const TRUST_ERRORS = {
  'trust-data-exists': {},
  'trust-data-lost': { own: true },
  'founding-unasked': { own: true },
  'rotation-unsupported': { own: true },
  'signatures-pending': { own: true },
  'reset-incomplete': { own: true },
  'trust-incomplete': {},
  'signing-failed': {},
  'digest-unsigned': {
    own: true,
    next: 'Use a tag that is signed, have the digest signed, or exempt the repository in signet.json: signet.json says "digests": "signed".',
  },
  'digest-disagrees': {
    own: true,
    next: 'Somebody moved the tag, or the digest is wrong. Leave the digest out to use the signed one.',
  },
  'image-reference-unsupported': {},
  'image-missing': {},
  'file-missing': {},
  'file-exists': {},
  usage: { next: 'See signet --help' },
  cancelled: { exit: 130 },
  'configuration-invalid': { own: true },
  'key-ambiguous': { own: true },
  'key-unprotected': { own: true },
  'key-vault-limited': { own: true, next: 'Use the tool that the keys there are managed with.' },
  'export-incomplete': { own: true },
  'import-incomplete': { own: true },
  'confirmation-missing': { own: true },
  'passphrase-missing': { own: true },
  'passphrase-unfit': {},
  'passphrase-command-failed': {
    own: true,
    next: 'Run the command by hand, with SIGNET_KEY_ALIAS and SIGNET_KEY_ID set, and see what it prints.',
  },
  'command-uncovered': { own: true, exit: 125 },
  'command-unknown': { own: true, exit: 125 },
  'flag-uncovered': { own: true, exit: 125 },
  'dockerfile-invalid': { own: true },
  'dockerfile-uncertain': {
    own: true,
    next: 'Write the line more plainly: Signet refuses a Dockerfile that it cannot read with certainty.',
  },
  'build-context-invalid': { own: true },
  'build-context-remote': {
    own: true,
    next: 'Fetch it first, for example with git clone, look at it, and build the folder.',
  },
  'build-option-unsafe': { own: true },
} as const satisfies Catalogue;
