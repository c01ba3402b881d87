import { SignetError } from '../../core/errors/index.ts';
import type { JsonValue } from '../../core/json/parse.ts';
import type { Gun } from '../../core/names/gun.ts';
import { printable } from '../../core/printable.ts';
import type { AuthorizedAnswer } from '../auth/authorized.ts';
import { callerNote, logInStep } from '../http/caller.ts';
import { MAX_TEXT, parseErrorBody, type RemoteError } from '../http/error-body.ts';

/** The words of Notary's clients for each kind of rejected update (protocol B.6.4). */
const REJECTIONS: ReadonlyMap<string, string> = new Map([
  ['ErrValidation', 'An error occurred during validation'],
  ['ErrBadHierarchy', 'Metadata hierarchy is incomplete'],
  ['ErrBadRoot', 'The root metadata is invalid'],
  ['ErrBadTargets', 'The targets metadata is invalid'],
  ['ErrBadSnapshot', 'The snapshot metadata is invalid'],
]);
/** The code of a mirror's refusals. */
const READ_ONLY = 'READ_ONLY_MIRROR';
const REJECTED = 'trust server rejected operation.';

/**
 * Returns for status 200 and throws for any other, in the words of Notary's clients (protocol C.5):
 * `trust-data-missing` (404), `unauthorized` (401, with the collection and whose login was used), `server-error`.
 * `resource` is what was requested, such as `2.root` or `timestamp key`.
 */
export function translateStatus({ status, body, url, caller }: AuthorizedAnswer, gun: Gun, resource: string): void {
  if (status === 200) return;
  if (status === 404) {
    throw new SignetError(
      'trust-data-missing',
      `${resource} trust data unavailable.  Has a notary repository been initialized?`,
      { detail: { resource } },
    );
  }
  if (status === 401) {
    const docker = 'you are not authorized to perform this operation: server returned 401.';
    throw new SignetError('unauthorized', `${docker} ${url.host} refuses access to ${gun}${callerNote(caller, url)}`, {
      detail: { gun, server: url.host },
      next: logInStep(caller, url),
    });
  }
  const [first] = parseErrorBody(body);
  if (status === 403 && first?.code === READ_ONLY) {
    throw new SignetError('forbidden', `${url.host} takes no changes: ${printable(first.message, MAX_TEXT)}`, {
      detail: { gun, server: url.host, code: first.code },
      next: 'Publish to the trust server that is mirrored, or to one of your own.',
    });
  }
  const detail = { status, ...(first === undefined ? {} : { code: first.code, message: first.message }) };
  const message = status === 400 ? REJECTED : `unable to reach trust server at this time: ${status}.`;
  throw new SignetError('server-error', message, { detail });
}

/**
 * `translateStatus` for a publish, whose rejection includes the reason: `publish-rejected`, or `publish-conflict` if
 * someone else published first.
 */
export function translatePublish(answer: AuthorizedAnswer, gun: Gun): void {
  if (answer.status === 400) throw rejection(parseErrorBody(answer.body));
  translateStatus(answer, gun, 'POST metadata endpoint');
}

/** Why an update was refused: `publish-conflict`, or `publish-rejected` in the words of Notary's clients. */
export function rejection(errors: readonly RemoteError[]): SignetError {
  const [only] = errors.length === 1 ? errors : [];
  if (only === undefined) return new SignetError('publish-rejected', REJECTED);
  const { code, message } = only;
  const told = { code, message };
  if (code === 'VERSION') return new SignetError('publish-conflict', REJECTED, { detail: told });
  const invalid = validationError(only.detail);
  if (invalid === undefined) return new SignetError('publish-rejected', REJECTED, { detail: told });
  return new SignetError('publish-rejected', `${REJECTIONS.get(invalid.name)}: ${invalid.message}`, {
    detail: { ...told, name: invalid.name },
  });
}

/** `{"Name":"ErrBadRoot","Error":{"Msg":"…"}}`; undefined for a name that clients do not know. */
function validationError(detail: JsonValue | undefined): { name: string; message: string } | undefined {
  if (!(detail instanceof Map)) return undefined;
  const name = detail.get('Name');
  const error = detail.get('Error');
  const message = error instanceof Map ? error.get('Msg') : undefined;
  if (typeof name !== 'string' || !REJECTIONS.has(name) || typeof message !== 'string') return undefined;
  return { name, message: printable(message, MAX_TEXT) };
}
