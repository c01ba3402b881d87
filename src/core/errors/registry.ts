import type { Catalogue } from './catalogue.ts';

/** Errors of the registry. */
export const REGISTRY_ERRORS = {
  'repository-name-invalid': { http: 400 },
  'repository-unknown': { http: 404 },

  'blob-unknown': { http: 404 },
  'blob-range-unsatisfiable': { http: 416 },
  'blob-digest-invalid': { http: 400 },
  'blob-digest-mismatch': {
    http: 400,
    next: 'The content was changed on its way or is not what its name says: push it again.',
  },
  'blob-too-large': { http: 413 },
  'blob-collected': { http: 404, next: 'The blob was removed while it was being pushed: push it again.' },

  'blob-upload-unknown': {
    http: 404,
    next: 'The upload was finished, cancelled or abandoned for too long: push the blob again.',
  },
  'blob-upload-busy': {
    http: 409,
    next: 'Another request is writing to this upload: wait for it, then ask for its state.',
  },
  'blob-upload-range-invalid': { http: 416, next: 'Ask for the state of the upload and continue from there.' },
  'blob-uploads-too-many': { http: 429, next: 'Finish or cancel uploads that have begun; abandoned ones expire.' },
  'blob-upload-size-mismatch': { http: 400 },
  'body-interrupted': { http: 400 },

  'manifest-unknown': { http: 404 },
  'manifest-invalid': { http: 400 },
  'manifest-too-large': { http: 413 },
  'manifest-blob-unknown': {
    http: 400,
    next: 'Push the layers, configuration and images that the manifest names before it.',
  },
  'manifest-reference-invalid': { http: 400 },
  'manifest-digest-mismatch': { http: 400 },

  'page-size-invalid': { http: 400 },
  'registry-method-unsupported': { http: 405 },
} as const satisfies Catalogue;
