import { isSignetError, SignetError } from '../../core/errors/index.ts';
import { formatScope, type Scope } from '../../core/scope.ts';
import { formatTime, type Instant } from '../../core/time.ts';
import type { Call } from '../../http/call.ts';
import type { RouteGroup } from '../../http/route.ts';
import type { LoginLog } from '../login/login-log.ts';
import type { Logins } from '../login/logins.ts';
import type { Permissions } from '../permissions.ts';
import type { User } from '../store/store.ts';
import type { AccessTokens } from './access-tokens.ts';
import type { RefreshTokens } from './refresh-tokens.ts';
import { type Proof, readTokenRequest } from './token-request.ts';

interface TokenServices {
  readonly service: string;
  /** In seconds. */
  readonly tokenLifetime: number;
  readonly logins: Logins;
  readonly permissions: Permissions;
  readonly accessTokens: AccessTokens;
  readonly refreshTokens: RefreshTokens;
  readonly log: LoginLog;
  readonly now: () => Instant;
}

/** Where the token service answers; the path of the realm in challenges. */
export const TOKEN_PATH = '/auth/token';

/** Beyond the longest form, which the reader refuses in its own words. */
const BODY = { limit: 64 * 1024, memory: 64 * 1024 };

/**
 * Docker's token service (protocol F.4). It grants what the caller has of what was asked, and never refuses merely
 * because that is less.
 */
export function tokenRoutes(services: TokenServices): RouteGroup<TokenServices> {
  return {
    name: 'token',
    access: 'open',
    body: BODY,
    services,
    routes: [
      { method: 'GET', path: TOKEN_PATH, answer },
      { method: 'POST', path: TOKEN_PATH, answer },
    ],
    unmatched: async (_call, { methods }) =>
      new Response(null, { status: 405, headers: { Allow: methods.join(', ') } }),
    errorResponse: (error) => (isSignetError(error) ? refusal(error) : undefined),
  };
}

async function answer(services: TokenServices, call: Call): Promise<Response> {
  const request = await readTokenRequest(call);
  if (request.service !== undefined && request.service !== services.service) {
    throw new SignetError('token-request-invalid', `there are no tokens here for the service ${request.service}`);
  }
  const user = await prove(services, request.proof, call.address);
  const access = await grantedAccess(services.permissions, user, request.scopes);
  const token = await services.accessTokens.issue(user, access);
  const wantsRefresh = request.offline && request.proof.kind === 'password';
  return json(200, {
    token,
    access_token: token,
    scope: access.map(formatScope).join(' '),
    expires_in: services.tokenLifetime,
    issued_at: formatTime(services.now()),
    refresh_token: user !== undefined && wantsRefresh ? await services.refreshTokens.issue(user) : undefined,
  });
}

async function prove(services: TokenServices, proof: Proof, address: string): Promise<User | undefined> {
  switch (proof.kind) {
    case 'none':
      return undefined;
    case 'password':
      return services.logins.login(proof.credentials, address);
    case 'refresh-token':
      return redeem(services, proof.token, address);
  }
}

async function redeem({ refreshTokens, log }: TokenServices, token: string, address: string): Promise<User> {
  try {
    return await refreshTokens.redeem(token);
  } catch (error) {
    if (isSignetError(error, 'refresh-token-invalid')) log.warn('login failed', { address, reason: error.message });
    throw error;
  }
}

async function grantedAccess(
  permissions: Permissions,
  user: User | undefined,
  scopes: readonly Scope[],
): Promise<readonly Scope[]> {
  const granted: Scope[] = [];
  for (const scope of scopes) {
    const actions = await permissions.allowedActions(user, scope);
    if (actions.length > 0) granted.push({ type: scope.type, name: scope.name, actions });
  }
  return granted;
}

/**
 * Docker's reader of errors prefers `details`. Only with it does the engine pass a 401 on to the CLI; `errors` alone, the
 * registry's form, becomes a 500 there.
 */
function refusal(error: SignetError): Response {
  const message = error.message;
  const headers = new Headers();
  if (error.httpStatus === 401) headers.set('WWW-Authenticate', 'Basic realm="Signet", charset="UTF-8"');
  if (error.detail.retryAfter !== undefined) headers.set('Retry-After', String(error.detail.retryAfter));
  return json(error.httpStatus, { errors: [{ code: wireCode(error.httpStatus), message }], details: message }, headers);
}

function wireCode(status: number): string {
  switch (status) {
    case 401:
      return 'UNAUTHORIZED';
    case 429:
      return 'TOOMANYREQUESTS';
    case 503:
      return 'UNAVAILABLE';
    default:
      return status < 500 ? 'INVALID_PARAMETERS' : 'UNKNOWN';
  }
}

function json(status: number, body: unknown, headers = new Headers()): Response {
  headers.set('Content-Type', 'application/json; charset=utf-8');
  headers.set('Cache-Control', 'no-store');
  return new Response(`${JSON.stringify(body)}\n`, { status, headers });
}
