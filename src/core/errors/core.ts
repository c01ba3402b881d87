import type { Catalogue } from './catalogue.ts';

/** Errors of the protocol itself: text, names, keys, metadata, trust. */
export const CORE_ERRORS = {
  'json-malformed': { http: 400 },
  'json-duplicate-key': { http: 400 },
  'json-number-unsafe': { http: 400 },
  'json-too-deep': { http: 400 },
  'json-too-large': { http: 400 },
  'json-unexpected': { http: 400 },
  'too-large': { http: 413 },
  'archive-invalid': {},

  'name-invalid': { http: 400 },
  'role-invalid': { http: 400 },
  'reference-invalid': { http: 400 },
  'digest-invalid': { http: 400 },
  'key-id-invalid': { http: 400 },
  'time-invalid': { http: 400 },

  'key-malformed': { http: 400 },
  'key-unsupported': { http: 400 },
  'key-too-short': { http: 400 },
  'key-passphrase-wrong': { next: 'Check the passphrase and try again.' },
  'key-id-mismatch': { http: 400 },
  'key-wiped': {},
  'certificate-invalid': { http: 400 },

  'metadata-type-wrong': { http: 400 },
  'metadata-malformed': { http: 400 },
  'threshold-invalid': { http: 400 },
  'signatures-missing': { http: 400 },
  'threshold-not-met': { http: 400 },
  'metadata-expired': {
    http: 400,
  },
  'version-rollback': {
    http: 400,
    next: 'The server offers older trust data than was seen before; ask its operator why.',
  },
  'version-jump': { http: 400 },
  'version-conflict': { http: 400 },
  'upload-incomplete': { http: 400 },
  'online-key-missing': { http: 400 },
  'checksum-mismatch': { http: 400 },
  'checksum-missing': { http: 400 },
  'length-mismatch': { http: 400 },
  'role-unknown': { http: 400 },
  'role-order': {},
  'role-unusable': {},
  'role-withheld': {
    own: true,
    http: 400,
    next: 'The server hides trust data that was there before; ask its operator why. If the delegation was removed and made again since, its signers sign it again, or it is removed for good.',
  },
  'root-untrusted': { http: 400 },
  'root-pin-mismatch': { own: true, next: 'Compare the pinned keys or certificates with those of the repository.' },
  'root-unpinned': { own: true },
  'root-unconfirmed': { own: true },
  'root-rotation-invalid': { http: 400 },
  'root-outdated': { http: 400 },

  'copy-malformed': {
    own: true,
    next: 'Make the copy again, or fetch the file again: signet trust export REPOSITORY -o FILE',
  },
  'copy-untrusted': {
    own: true,
    next: 'Nothing of it is used. Make the copy again from the server: signet trust export REPOSITORY -o FILE',
  },

  'target-not-found': {},
  'target-role-untrusted': {},
  'target-hash-missing': {},
  'signing-key-missing': { next: 'Load the key of an authorised signer: signet trust key load FILE' },
  'change-invalid': {},

  'proposal-invalid': {
    own: true,
    http: 400,
    next: 'Discard it, and make the change again: signet trust discard REPOSITORY',
  },
  'proposals-unsupported': { own: true },
  'proposal-stale': { own: true, next: 'Discard it, and make the change again: signet trust discard REPOSITORY' },
  'proposal-unseen': { own: true },
  'proposal-unusual': { own: true },
  'proposal-conflict': {
    own: true,
    next: 'Sign or discard that change first: signet trust approve REPOSITORY, or signet trust discard REPOSITORY',
  },
} as const satisfies Catalogue;
