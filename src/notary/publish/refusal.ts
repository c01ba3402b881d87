import { type ErrorCode, SignetError } from '../../core/errors/index.ts';
import { escapeForFile } from '../../core/json/canonical.ts';

/** What goes into the `detail` member of an error body; undefined leaves the member out. */
type WireDetail = string | Readonly<Record<string, unknown>> | undefined;

interface WireError {
  readonly code: string;
  readonly message: string;
}

const MALFORMED_UPLOAD = { code: 'MALFORMED_UPLOAD', message: 'The body of your request is malformed.' };

/** The error codes and messages that Notary clients know (protocol B.3). */
const WIRE_ERRORS = {
  'upload-malformed': MALFORMED_UPLOAD,
  'upload-too-large': MALFORMED_UPLOAD,
  'upload-encoding-unsupported': MALFORMED_UPLOAD,
  'upload-filename-missing': { code: 'NO_FILENAME', message: 'No file/role name provided.' },
  'upload-role-invalid': {
    code: 'INVALID_ROLE',
    message: 'The role you are attempting to operate on is invalid.',
  },
  'upload-json-malformed': {
    code: 'MALFORMED_JSON',
    message: 'JSON sent by the client could not be parsed by the server',
  },
  'update-invalid': { code: 'INVALID_UPDATE', message: 'Update sent by the client is invalid.' },
  'update-version-exists': { code: 'VERSION', message: 'A newer version of metadata is already available.' },
  'update-failed': { code: 'UPDATING', message: 'An error has occurred while updating the TUF repository.' },
  'metadata-not-found': {
    code: 'METADATA_NOT_FOUND',
    message: 'You have requested metadata that does not exist.',
  },
  'gun-unsupported': {
    code: 'INVALID_GUN',
    message: 'The server does not support actions on images of this name.',
  },
  'parameters-invalid': { code: 'INVALID_PARAMETERS', message: 'The parameters provided are not valid.' },
  'mirror-read-only': {
    code: 'READ_ONLY_MIRROR',
    message: 'This trust server is a mirror: it serves copies, has no keys, and takes no changes.',
  },
  'proposal-invalid': { code: 'INVALID_PROPOSAL', message: 'The proposal is invalid.' },
  'proposal-changed': { code: 'PROPOSAL_CHANGED', message: 'Another proposal stands there, or none.' },
  'import-taken': { code: 'GUN_NOT_EMPTY', message: 'The repository has trust data already.' },
  'condition-missing': {
    code: 'CONDITION_MISSING',
    message: 'The request must say what it replaces, with If-Match or If-None-Match.',
  },
  'trust-server-failed': { code: 'UNKNOWN', message: 'unknown error' },
} as const satisfies Partial<Record<ErrorCode, WireError>>;

/** A request that the trust server answers with an error of protocol B.3. */
export class Refusal extends SignetError {
  private readonly body: string;

  constructor(code: keyof typeof WIRE_ERRORS, detail?: WireDetail, cause?: unknown) {
    const wire = WIRE_ERRORS[code];
    super(code, wire.message, { cause });
    this.body = `${escapeForFile(JSON.stringify({ errors: [{ ...wire, detail }] }))}\n`;
  }

  /** The whole response; its body is, to the byte, what Notary's server writes. */
  get response(): Response {
    const headers = { 'Content-Type': 'application/json; charset=utf-8' };
    return new Response(this.body, { status: this.httpStatus, headers });
  }
}
