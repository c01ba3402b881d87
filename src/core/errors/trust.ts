import type { Catalogue } from './catalogue.ts';

/** Errors of the use cases and of the command line. */
export const TRUST_ERRORS = {
  'trust-data-exists': {},
  'trust-data-lost': {},
  'founding-unasked': {},
  'rotation-unsupported': {},
  'signatures-pending': {},
  'reset-incomplete': {},
  'trust-incomplete': {},
  'signing-failed': {},
  'digest-unsigned': {
    next: 'Use a tag that is signed, have the digest signed, or exempt the repository in signet.json: signet.json says "digests": "signed".',
  },
  'digest-disagrees': {
    next: 'Somebody moved the tag, or the digest is wrong. Leave the digest out to use the signed one.',
  },
  'image-reference-unsupported': {},
  'image-missing': {},
  'file-missing': {},
  'file-exists': {},
  usage: { next: 'See signet --help' },
  cancelled: { exit: 130 },
  'configuration-invalid': {},
  'key-ambiguous': {},
  'key-unprotected': {},
  'import-incomplete': {},
  'confirmation-missing': {},
  'passphrase-missing': {},
  'passphrase-unfit': {},
  'passphrase-command-failed': {
    next: 'Run the command by hand, with SIGNET_KEY_ALIAS and SIGNET_KEY_ID set, and see what it prints.',
  },
  'command-uncovered': { exit: 125 },
  'command-unknown': { exit: 125 },
  'flag-uncovered': { exit: 125 },
  'dockerfile-invalid': {},
  'dockerfile-uncertain': {
    next: 'Write the line more plainly: Signet refuses a Dockerfile that it cannot read with certainty.',
  },
  'build-context-invalid': {},
  'build-context-remote': {
    next: 'Fetch it first, for example with git clone, look at it, and build the folder.',
  },
  'build-option-unsafe': {},
} as const satisfies Catalogue;
