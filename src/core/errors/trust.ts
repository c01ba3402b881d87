import type { Catalogue } from './catalogue.ts';

/** Errors of the use cases and of the command line. */
export const TRUST_ERRORS = {
  'trust-data-lost': {},
  'trust-incomplete': {},
  'signing-failed': {},
  'digest-disagrees': {
    next: 'Somebody moved the tag, or the digest is wrong. Leave the digest out to use the signed one.',
  },
  'image-reference-unsupported': {},
  'image-missing': {},
  'file-missing': {},
  'file-exists': {},
  'file-unsafe': { next: 'Make it private first: chmod 600 FILE' },
  usage: { next: 'See signet --help' },
  cancelled: { exit: 130 },
  'configuration-invalid': {},
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
