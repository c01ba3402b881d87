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
  'file-missing': {},
  'file-exists': {},
  'file-unsafe': { next: 'Make it private first: chmod 600 FILE' },
  usage: { next: 'See signet --help' },
  cancelled: { exit: 130 },
  'configuration-invalid': {},
} as const satisfies Catalogue;
