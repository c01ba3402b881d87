import { SignetError } from '../../core/errors/index.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Login } from '../../core/login.ts';
import type { Instant } from '../../core/time.ts';
import type { HttpClient } from '../http/http.ts';
import type { HttpAnswer } from '../http/http-message.ts';
import { isLoopback } from '../transport/loopback.ts';
import { basicAuthorization } from './basic.ts';
import { parseChallenges } from './challenge.ts';
import { mayReceive, parseRealm } from './realm.ts';
import { requestToken } from './token.ts';

interface LoginCheck {
  readonly http: HttpClient;
  /** The registry's addresses (`registryEndpoints`), to which the login is sent. */
  readonly endpoint: URL;
  /** The registry (`host[:port]`) that the user logs in to. */
  readonly registry: string;
  readonly login: Login;
  /** Token services on other hosts that the user lets the login be sent to (`LoginSource`). */
  readonly allowed?: ReadonlySet<string>;
  readonly clientId?: string;
  readonly now: Instant;
}

/**
 * Tries a login as `docker login` does: against the registry itself if it asks for Basic authentication, else against
 * its token service. Returns the identity token to store instead of the password, if the service issues one. A registry
 * that asks for nothing accepts every login. Throws `unauthorized` for a wrong one, `realm-refused`,
 * `plain-http-refused` and what `HttpClient` and `requestToken` throw.
 */
export async function checkLogin(check: LoginCheck): Promise<Buffer | undefined> {
  const { http, endpoint, login } = check;
  const answer = await http.send(versionRequest(endpoint, {}));
  if (answer.status !== 401) return accept(answer, endpoint);
  if (endpoint.protocol !== 'https:' && !isLoopback(endpoint.hostname)) {
    throw new SignetError(
      'plain-http-refused',
      `${endpoint.origin} asks for a login, which does not go over plain http`,
    );
  }
  const challenges = parseChallenges(answer.headers.get('www-authenticate') ?? '');
  const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
  if (bearer === undefined) {
    return accept(await http.send(versionRequest(endpoint, { Authorization: basicAuthorization(login) })), endpoint);
  }
  const realm = parseRealm(bearer.parameters.get('realm') ?? '', endpoint);
  if (!mayReceive(realm, endpoint, check)) {
    throw new SignetError('realm-refused', `${endpoint.origin} does not belong to ${check.registry}`);
  }
  const service = bearer.parameters.get('service');
  const clientId = check.clientId ?? 'docker';
  const request = { realm, service, scopes: [], login, clientId, offline: true };
  return (await requestToken(http, request, check.now)).refreshToken;
}

function versionRequest(endpoint: URL, headers: Readonly<Record<string, string>>) {
  const url = new URL(endpoint);
  url.pathname = `${endpoint.pathname.replace(/\/$/, '')}/v2/`;
  return { method: 'GET', url, headers, limit: LIMITS.errorBody } as const;
}

function accept({ status }: HttpAnswer, endpoint: URL): undefined {
  if (status === 200) return undefined;
  if (status === 401) {
    const next = 'Check the user name and the password.';
    throw new SignetError('unauthorized', 'unauthorized: incorrect username or password', { next });
  }
  throw new SignetError('server-error', `${endpoint.origin} answers with status ${status}`, { detail: { status } });
}
