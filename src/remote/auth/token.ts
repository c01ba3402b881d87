import { isSignetError, SignetError } from '../../core/errors/index.ts';
import { Fields } from '../../core/json/fields.ts';
import { parseJson } from '../../core/json/parse.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Login } from '../../core/login.ts';
import { formatScope, type Scope } from '../../core/scope.ts';
import { type Instant, parseTime, SECOND } from '../../core/time.ts';
import { describeFailure } from '../http/error-body.ts';
import type { HttpClient } from '../http/http.ts';
import type { HttpAnswer } from '../http/http-message.ts';
import { basicAuthorization } from './basic.ts';

/** A bearer token and when it expires. */
interface Token {
  readonly value: string;
  readonly expires: Instant;
}

/**
 * Keeps tokens until they expire, and the token services that issue them. Keys say for which origin, which scopes and
 * whose login a token is; they contain no secret.
 */
export interface TokenCache {
  get(key: string): Promise<Token | undefined>;
  put(key: string, token: Token): Promise<void>;
  remove(key: string): Promise<void>;
}

export interface TokenOptions {
  readonly realm: URL;
  readonly service: string | undefined;
  readonly scopes: readonly Scope[];
  /** Undefined requests anonymous access. */
  readonly login: Login | undefined;
  readonly clientId: string;
  /** Requests a refresh token as well. */
  readonly offline?: boolean;
}

interface TokenAnswer {
  readonly token: Token;
  readonly refreshToken: Buffer | undefined;
}

/** Seconds; the lifetime if the service gives a shorter one or none (protocol F.4). */
const SHORTEST_LIFE = 60;
const LONGEST_LIFE = 24 * 3600;
const TOKEN = /^[-A-Za-z0-9._~+/]+=*$/;
const MAX_TOKEN = 32 * 1024;

/** Keeps tokens for the lifetime of the process. */
export class MemoryTokens implements TokenCache {
  private readonly tokens = new Map<string, Token>();

  async get(key: string): Promise<Token | undefined> {
    return this.tokens.get(key);
  }

  async put(key: string, token: Token): Promise<void> {
    this.tokens.set(key, token);
  }

  async remove(key: string): Promise<void> {
    this.tokens.delete(key);
  }
}

/**
 * Requests a token from a token service (protocol C.5.1 step 3, F.4): by POST with the identity token if the login has
 * one, else by GET with user name and password, or anonymously. Whether the login may be sent there is up to the caller
 * (`checkRealm`). Throws `unauthorized`, `server-error`, `response-invalid` and what `HttpClient` throws.
 */
export async function requestToken(http: HttpClient, request: TokenOptions, now: Instant): Promise<TokenAnswer> {
  const identityToken = request.login?.identityToken;
  const answer =
    identityToken === undefined ? await getToken(http, request) : await postRefreshToken(http, request, identityToken);
  if (answer.status !== 200) throw refused(request, answer);
  return parseTokenAnswer(answer.body, now);
}

/**
 * Parses a token service's response. The expiry is on this machine's clock, and never later than the service says.
 * Throws `response-invalid`.
 */
export function parseTokenAnswer(body: Uint8Array, now: Instant): TokenAnswer {
  try {
    const members = ['token', 'access_token', 'expires_in', 'issued_at', 'refresh_token'];
    const fields = new Fields(parseJson(body, { numbers: 'any' }), 'token answer', members, 'ignore');
    const value = tokenText(fields.optionalString('access_token') || fields.optionalString('token') || '');
    const seconds = (fields.raw('expires_in') ?? undefined) === undefined ? 0 : fields.integer('expires_in');
    const life = Math.min(Math.max(seconds, SHORTEST_LIFE), LONGEST_LIFE) * SECOND;
    const refreshToken = fields.optionalString('refresh_token') || undefined;
    return {
      token: { value, expires: Math.min(issuedAt(fields.optionalString('issued_at'), now), now) + life },
      refreshToken: refreshToken === undefined ? undefined : Buffer.from(tokenText(refreshToken)),
    };
  } catch (cause) {
    if (isSignetError(cause, 'response-invalid')) throw cause;
    throw new SignetError('response-invalid', "the token service's answer is malformed", { cause });
  }
}

function getToken(
  http: HttpClient,
  { realm, service, scopes, login, offline, clientId }: TokenOptions,
): Promise<HttpAnswer> {
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set('service', service);
  for (const scope of scopes) url.searchParams.append('scope', formatScope(scope));
  if (login !== undefined) url.searchParams.set('account', login.username);
  if (offline === true) {
    url.searchParams.set('offline_token', 'true');
    url.searchParams.set('client_id', clientId);
  }
  const headers = login === undefined ? {} : { Authorization: basicAuthorization(login) };
  return http.send({ method: 'GET', url, headers, limit: LIMITS.tokenResponse });
}

async function postRefreshToken(http: HttpClient, request: TokenOptions, identityToken: Buffer): Promise<HttpAnswer> {
  const form = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: identityToken.toString('utf8') });
  if (request.service !== undefined) form.set('service', request.service);
  form.set('client_id', request.clientId);
  if (request.scopes.length > 0) form.set('scope', request.scopes.map(formatScope).join(' '));
  const body = Buffer.from(form.toString());
  try {
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const more = { limit: LIMITS.tokenResponse, mayTakeEffectTwice: true };
    return await http.send({ method: 'POST', url: request.realm, headers, body, ...more });
  } finally {
    body.fill(0);
  }
}

function refused({ realm, scopes, login }: TokenOptions, answer: HttpAnswer): SignetError {
  const told = describeFailure(answer.body);
  const said = told === undefined ? '' : `: ${told}`;
  const detail = { status: answer.status, realm: realm.origin };
  if (answer.status === 401 || answer.status === 403) {
    const what = scopes.length === 0 ? '' : ` for ${scopes.map(({ name }) => name).join(', ')}`;
    const refusal = login === undefined ? `gives nobody a token${what}` : `refuses the login${what}`;
    return new SignetError('unauthorized', `the token service ${realm.origin} ${refusal}${said}`, { detail });
  }
  return new SignetError(
    'server-error',
    `the token service ${realm.origin} answers with status ${answer.status}${said}`,
    {
      detail,
    },
  );
}

/** Services written in Go send the year 1 for a missing time. */
function issuedAt(text: string | undefined, now: Instant): Instant {
  const time = text === undefined ? now : parseTime(text);
  return time <= 0 ? now : time;
}

function tokenText(text: string): string {
  if (text.length > MAX_TOKEN || !TOKEN.test(text)) {
    throw new SignetError('response-invalid', "the token service's answer holds no usable token");
  }
  return text;
}
