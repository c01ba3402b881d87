import { type ErrorCode, isSignetError, type SignetError } from '../../core/errors/index.ts';

interface OciError {
  readonly code: string;
  readonly message: string;
}

/** What clients know errors by: the codes of the distribution specification and docker's own, with docker's texts. */
const OCI_ERRORS: ReadonlyMap<ErrorCode, OciError> = new Map<ErrorCode, OciError>([
  ['repository-name-invalid', { code: 'NAME_INVALID', message: 'invalid repository name' }],
  ['repository-unknown', { code: 'NAME_UNKNOWN', message: 'repository name not known to registry' }],

  ['blob-unknown', { code: 'BLOB_UNKNOWN', message: 'blob unknown to registry' }],
  ['blob-range-unsatisfiable', { code: 'RANGE_INVALID', message: 'invalid content range' }],
  ['blob-digest-invalid', { code: 'DIGEST_INVALID', message: 'provided digest did not match uploaded content' }],
  ['blob-digest-mismatch', { code: 'DIGEST_INVALID', message: 'provided digest did not match uploaded content' }],
  ['blob-too-large', { code: 'SIZE_INVALID', message: 'the blob is larger than this registry takes' }],
  ['blob-collected', { code: 'BLOB_UPLOAD_UNKNOWN', message: 'blob upload unknown to registry' }],

  ['blob-upload-unknown', { code: 'BLOB_UPLOAD_UNKNOWN', message: 'blob upload unknown to registry' }],
  ['blob-upload-busy', { code: 'BLOB_UPLOAD_INVALID', message: 'blob upload invalid' }],
  ['blob-upload-range-invalid', { code: 'RANGE_INVALID', message: 'invalid content range' }],
  ['blob-upload-size-mismatch', { code: 'SIZE_INVALID', message: 'provided length did not match content length' }],
  ['blob-uploads-too-many', { code: 'TOOMANYREQUESTS', message: 'too many requests' }],
  ['body-interrupted', { code: 'BLOB_UPLOAD_INVALID', message: 'the body of the request broke off' }],

  ['manifest-unknown', { code: 'MANIFEST_UNKNOWN', message: 'manifest unknown' }],
  ['manifest-invalid', { code: 'MANIFEST_INVALID', message: 'manifest invalid' }],
  ['manifest-too-large', { code: 'MANIFEST_INVALID', message: 'the manifest is larger than this registry takes' }],
  ['manifest-blob-unknown', { code: 'MANIFEST_BLOB_UNKNOWN', message: 'blob unknown to registry' }],
  ['manifest-reference-invalid', { code: 'TAG_INVALID', message: 'manifest tag did not match URI' }],
  ['manifest-digest-mismatch', { code: 'DIGEST_INVALID', message: 'provided digest did not match uploaded content' }],

  ['page-size-invalid', { code: 'PAGINATION_NUMBER_INVALID', message: 'invalid number of results requested' }],
  ['registry-method-unsupported', { code: 'UNSUPPORTED', message: 'The operation is unsupported.' }],
]);

/**
 * The answer to a request that failed, in the specification's form, with one entry for each digest in the error's
 * `digests`, and its `allow` as the header. Undefined for errors that are not the registry's own: they are for the server around it.
 */
export function ociErrorResponse(
  error: unknown,
  headers: Headers | Readonly<Record<string, string>> = {},
): Response | undefined {
  if (!isSignetError(error)) return undefined;
  const known = OCI_ERRORS.get(error.code);
  if (known === undefined) return undefined;
  const { allow, retryAfter } = error.detail;
  const all = new Headers(headers);
  if (typeof allow === 'string') all.set('Allow', allow);
  if (typeof retryAfter === 'number') all.set('Retry-After', String(retryAfter));
  const errors = detailsOf(error).map((detail) => ({ ...known, detail }));
  return Response.json({ errors }, { status: error.httpStatus, headers: all });
}

function detailsOf(error: SignetError): readonly unknown[] {
  const { digests } = error.detail;
  if (Array.isArray(digests)) return digests.map((digest) => ({ digest }));
  return [{ reason: error.message }];
}
