import { isSignetError, type SignetError } from '../../core/errors/index.ts';
import { formatScope, type Scope } from '../../core/scope.ts';
import { AuthorizationRequired } from '../../http/gate.ts';

/** Where clients get tokens, and from whom. */
export interface Realm {
  /** URL of the token service, under the name that the client used for this server. */
  readonly url: string;
  readonly service: string;
}

/**
 * The answer to a request that failed. A 401 carries the challenge of protocol B.4, everything else an error body of
 * protocol B.3. What is not meant for clients (status 500) is only said to the log, under `id`.
 */
export function errorResponse(error: unknown, realm: Realm | undefined, id: string): Response {
  if (error instanceof AuthorizationRequired && realm !== undefined) return challenge(error, realm);
  if (!isExpected(error)) return respond(500, { code: 'UNKNOWN', message: 'unknown error', detail: { id } });
  const headers = new Headers();
  if (error.detail.retryAfter !== undefined) headers.set('Retry-After', String(error.detail.retryAfter));
  if (error.code === 'server-stopping') headers.set('Connection', 'close');
  return respond(error.httpStatus, { code: wireCode(error), message: error.message }, headers);
}

/** Whether an error is one that a client may read: raised on purpose, with a status of its own in the catalogue. */
export function isExpected(error: unknown): error is SignetError {
  return isSignetError(error) && error.httpStatus !== 500;
}

/** `WWW-Authenticate` and body as Notary and docker's registry write them (protocol B.4, F.4). */
function challenge({ wanted, reason, message }: AuthorizationRequired, { url, service }: Realm): Response {
  const parameters: readonly (readonly [string, string | undefined])[] = [
    ['realm', url],
    ['service', service],
    ['scope', wanted.length === 0 ? undefined : wanted.map(formatScope).join(' ')],
    ['error', reason],
  ];
  const written = parameters
    .filter(([, value]) => value !== undefined)
    .map(([name, value = '']) => `${name}="${value.replace(/["\\]/g, '\\$&')}"`);
  const headers = new Headers({ 'WWW-Authenticate': `Bearer ${written.join(',')}` });
  return respond(401, { code: 'UNAUTHORIZED', message, detail: wanted.flatMap(wantedActions) }, headers);
}

function wantedActions({ type, name, actions }: Scope): readonly Record<string, string>[] {
  return actions.map((action) => ({ Type: type, Class: '', Name: name, Action: action }));
}

/** The code in the body: one that Notary's and registry clients know, or else the catalogue's in their spelling. */
function wireCode({ code, httpStatus }: SignetError): string {
  if (code === 'route-unknown') return 'METADATA_NOT_FOUND';
  if (httpStatus === 401) return 'UNAUTHORIZED';
  if (httpStatus === 429) return 'TOOMANYREQUESTS';
  return httpStatus === 503 ? 'UNAVAILABLE' : code.toUpperCase().replaceAll('-', '_');
}

function respond(status: number, error: Readonly<Record<string, unknown>>, headers = new Headers()): Response {
  const body = `${JSON.stringify({ errors: [error] })}\n`;
  headers.set('Content-Type', 'application/json; charset=utf-8');
  return new Response(body, { status, headers });
}
