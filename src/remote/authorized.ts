import { formatScope, type Scope } from '../core/access.ts';
import { SignetError } from '../core/errors/index.ts';
import { type Login, wipe } from '../core/login.ts';
import { type Instant, SECOND } from '../core/time.ts';
import { basicAuthorization } from './basic.ts';
import { type Challenge, parseChallenges } from './challenge.ts';
import type { HttpClient } from './http.ts';
import type { HttpAnswer, HttpRequest } from './http-message.ts';
import { isLoopback } from './loopback.ts';
import { checkRealm, parseRealm } from './realm.ts';
import { requestToken, type TokenCache } from './token.ts';

export interface AuthorizedOptions {
  readonly http: HttpClient;
  /** The user's login, undefined where there is none. What it returns is wiped after use, so each call makes it anew. */
  readonly login: () => Promise<Login | undefined>;
  /** The host, without port, of the registry that the login is for. */
  readonly loginHost: string;
  /** Origins of token services that the user allowed beyond those that `checkRealm` allows anyway. */
  readonly allowedRealms?: ReadonlySet<string>;
  readonly tokens: TokenCache;
  readonly clientId?: string;
  readonly now?: () => Instant;
}

/** The value of an `Authorization` header; `reused` where it was not made for the request at hand. */
interface Authorization {
  readonly header: string;
  readonly reused: boolean;
  readonly tokenKey: string | undefined;
}

/** A token that has less than this to live is not begun with. */
const MARGIN = 5 * SECOND;

/**
 * Sends requests with the authorization they turn out to need. The first request to an origin goes without any; if it
 * is answered with 401, the challenge says what is needed, the request is repeated with it, and every later request
 * to the origin brings it along at once, and so does a later command where `tokens` outlive this one. Tokens are asked for with the scopes that the caller names; the challenge's
 * own `scope` is ignored (protocol C.5.1).
 */
export class AuthorizedClient {
  private readonly options: AuthorizedOptions;
  private readonly challenges = new Map<string, readonly Challenge[]>();
  private readonly pending = new Map<string, Promise<string>>();
  private basic: Promise<string> | undefined;

  constructor(options: AuthorizedOptions) {
    this.options = options;
  }

  /**
   * The answer to the request; status 401 only where nothing the user has would help. Throws `realm-refused`,
   * `credentials-missing`, `plain-http-refused`, `unauthorized` (by the token service) and what `HttpClient` throws.
   */
  async send(request: HttpRequest, scopes: readonly Scope[]): Promise<HttpAnswer> {
    const first = await this.authorization(request.url, scopes);
    const answer = await this.options.http.send(authorized(request, first));
    const ownAnswer = answer.url.origin === request.url.origin;
    if (answer.status !== 401 || !ownAnswer || first?.reused === false) return answer;
    this.challenges.set(request.url.origin, parseChallenges(answer.headers.get('www-authenticate') ?? ''));
    if (first?.tokenKey !== undefined) await this.options.tokens.remove(first.tokenKey);
    const second = await this.authorization(request.url, scopes);
    if (second === undefined || second.header === first?.header) return answer;
    return this.options.http.send(authorized(request, second));
  }

  private async authorization(url: URL, scopes: readonly Scope[]): Promise<Authorization | undefined> {
    const tokenKey = JSON.stringify([url.origin, this.options.loginHost, ...scopes.map(formatScope)]);
    const known = await this.options.tokens.get(tokenKey);
    if (known !== undefined && known.expires - MARGIN > this.now()) {
      refusePlainHttp(url);
      return { header: `Bearer ${known.value}`, reused: true, tokenKey };
    }
    const challenges = this.challenges.get(url.origin) ?? [];
    const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
    if (bearer !== undefined) return this.bearerAuthorization(url, bearer, scopes, tokenKey);
    if (challenges.some(({ scheme }) => scheme === 'basic')) return this.basicAuthorization(url);
    return undefined;
  }

  private async bearerAuthorization(
    url: URL,
    challenge: Challenge,
    scopes: readonly Scope[],
    tokenKey: string,
  ): Promise<Authorization> {
    refusePlainHttp(url);
    const realm = parseRealm(challenge.parameters.get('realm') ?? '', url);
    const service = challenge.parameters.get('service');
    const pending = this.pending.get(tokenKey) ?? this.fetchToken(url, realm, service, scopes, tokenKey);
    this.pending.set(tokenKey, pending);
    try {
      return { header: `Bearer ${await pending}`, reused: false, tokenKey };
    } finally {
      this.pending.delete(tokenKey);
    }
  }

  private async fetchToken(
    challenger: URL,
    realm: URL,
    service: string | undefined,
    scopes: readonly Scope[],
    tokenKey: string,
  ): Promise<string> {
    const { http, tokens, loginHost, allowedRealms = new Set(), clientId = 'docker' } = this.options;
    const login = await this.options.login();
    try {
      if (login !== undefined) checkRealm(realm, { challenger, loginHost, allowed: allowedRealms });
      const { token } = await requestToken(http, { realm, service, scopes, login, clientId }, this.now());
      await tokens.put(tokenKey, token);
      return token.value;
    } finally {
      if (login !== undefined) wipe(login);
    }
  }

  private async basicAuthorization(url: URL): Promise<Authorization> {
    refusePlainHttp(url);
    const reused = this.basic !== undefined;
    this.basic ??= this.makeBasic();
    return { header: await this.basic, reused, tokenKey: undefined };
  }

  private async makeBasic(): Promise<string> {
    const login = await this.options.login();
    if (login === undefined || login.username === '') {
      throw new SignetError('credentials-missing', 'no basic auth credentials');
    }
    const header = basicAuthorization(login);
    wipe(login);
    return header;
  }

  private now(): Instant {
    return (this.options.now ?? Date.now)();
  }
}

function authorized(request: HttpRequest, authorization: Authorization | undefined): HttpRequest {
  if (authorization === undefined) return request;
  return { ...request, headers: { ...request.headers, Authorization: authorization.header } };
}

function refusePlainHttp(url: URL): void {
  if (url.protocol === 'https:' || isLoopback(url.hostname)) return;
  throw new SignetError('plain-http-refused', `${url.origin} asks for a login, which does not go over plain http`);
}
