import type { ErrorCode } from '../../../src/core/errors/index.ts';

/** With which errors one file of metadata may be refused, whoever signed it. */
export const FILE_ERRORS: readonly ErrorCode[] = [
  ...(['json-malformed', 'json-duplicate-key', 'json-number-unsafe', 'json-too-deep', 'json-unexpected'] as const),
  ...(['metadata-malformed', 'metadata-type-wrong', 'threshold-invalid', 'checksum-missing', 'time-invalid'] as const),
  ...(['key-malformed', 'key-id-mismatch', 'key-id-invalid', 'role-invalid'] as const),
];

/** With which errors a signed file may be refused by itself. */
export const SIGNATURE_ERRORS: readonly ErrorCode[] = [...FILE_ERRORS, 'signatures-missing', 'threshold-not-met'];

/** With which errors a collection may be refused. */
export const TRUST_ERRORS: readonly ErrorCode[] = [
  ...SIGNATURE_ERRORS,
  ...(['metadata-expired', 'version-rollback', 'version-jump', 'checksum-mismatch', 'length-mismatch'] as const),
  ...(['root-untrusted', 'root-outdated', 'root-rotation-invalid', 'role-unknown'] as const),
];

/** With which errors an upload may be refused. */
export const UPLOAD_ERRORS: readonly ErrorCode[] = [
  ...TRUST_ERRORS,
  ...(['version-conflict', 'upload-incomplete', 'online-key-missing'] as const),
];
