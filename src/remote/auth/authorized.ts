import { isSignetError, SignetError } from '../../core/errors/index.ts';
import { parseJson } from '../../core/json/parse.ts';
import { type Login, wipe } from '../../core/login.ts';
import { formatScope, type Scope } from '../../core/scope.ts';
import { DAY, type Instant, SECOND } from '../../core/time.ts';
import { ANONYMOUS, type Caller, callerNote, logInStep } from '../http/caller.ts';
import type { HttpClient } from '../http/http.ts';
import type { HttpAnswer, HttpRequest } from '../http/http-message.ts';
import { isLoopback } from '../transport/loopback.ts';
import { basicAuthorization } from './basic.ts';
import { type Challenge, parseChallenges } from './challenge.ts';
import { belongsTo, type LoginSource, mayReceive, parseRealm } from './realm.ts';
import { requestToken, type TokenCache } from './token.ts';

export interface AuthorizedOptions {
  readonly http: HttpClient;
  /** Sources of the user's login; the first that has one counts. */
  readonly logins: readonly LoginSource[];
  readonly tokens: TokenCache;
  readonly clientId?: string;
  readonly now?: () => Instant;
}

/** The value of an `Authorization` header; `reused` if the server did not ask for it in this process. */
interface Authorization {
  readonly header: string;
  readonly reused: boolean;
  readonly tokenKey: string | undefined;
}

/** A response, and whose authorization was used for it. */
export interface AuthorizedAnswer extends HttpAnswer {
  readonly caller: Caller;
}

/** The token service of an origin, from its challenge. */
interface TokenSource {
  readonly realm: string;
  readonly service: string | undefined;
}

/** A token that expires sooner than this is not used. */
const MARGIN = 5 * SECOND;
/** How long an origin's token service is remembered. */
const CHALLENGE_LIFE = DAY;

/**
 * Sends requests with the authorization they turn out to need. The first request to an origin carries none. If the
 * response is 401, the request is repeated as the challenge demands, and every later request to the origin carries the
 * authorization from the start. So does a later command if `tokens` outlive this one: with a token that has not
 * expired, or a new one from the same token service. Tokens are requested with the caller's scopes; the challenge's own
 * `scope` is ignored (protocol C.5.1).
 */
export class AuthorizedClient {
  private readonly options: AuthorizedOptions;
  private readonly challenges = new Map<string, readonly Challenge[]>();
  private readonly pending = new Map<string, Promise<string>>();
  /** By origin: authorization for one server is not for another. */
  private readonly basic = new Map<string, Promise<string>>();
  private caller: Caller = ANONYMOUS;

  constructor(options: AuthorizedOptions) {
    this.options = options;
  }

  /**
   * Returns the response to the request; status 401 only if nothing the user has would help. Throws `realm-refused`,
   * `credentials-missing`, `plain-http-refused`, `unauthorized` (by the token service) and what `HttpClient` throws.
   */
  async send(request: HttpRequest, scopes: readonly Scope[]): Promise<AuthorizedAnswer> {
    const answer = await this.sendAsNeeded(request, scopes);
    return { ...answer, caller: this.caller };
  }

  private async sendAsNeeded(request: HttpRequest, scopes: readonly Scope[]): Promise<HttpAnswer> {
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
    const tokenKey = JSON.stringify([url.origin, this.owners, ...scopes.map(formatScope)]);
    const known = await this.options.tokens.get(tokenKey);
    if (known !== undefined && known.expires - MARGIN > this.now()) {
      refusePlainHttp(url);
      return { header: `Bearer ${known.value}`, reused: true, tokenKey };
    }
    const challenges = this.challenges.get(url.origin);
    if (challenges === undefined) return this.rememberedAuthorization(url, scopes, tokenKey);
    const bearer = challenges.find(({ scheme }) => scheme === 'bearer')?.parameters;
    if (bearer !== undefined) {
      const source = { realm: bearer.get('realm') ?? '', service: bearer.get('service') };
      return { header: await this.bearer(url, source, scopes, tokenKey), reused: false, tokenKey };
    }
    if (challenges.some(({ scheme }) => scheme === 'basic')) return this.basicAuthorization(url);
    return undefined;
  }

  /**
   * Uses a token from the same token service as the last one. If it is no longer accepted, the server's challenge says
   * so.
   */
  private async rememberedAuthorization(
    url: URL,
    scopes: readonly Scope[],
    tokenKey: string,
  ): Promise<Authorization | undefined> {
    const sourceKey = this.sourceKey(url);
    const remembered = await this.options.tokens.get(sourceKey);
    const source =
      remembered === undefined || remembered.expires <= this.now() ? undefined : readSource(remembered.value);
    if (source === undefined) return undefined;
    try {
      return { header: await this.bearer(url, source, scopes, tokenKey), reused: true, tokenKey };
    } catch (error) {
      if (!isSignetError(error)) throw error;
      await this.options.tokens.remove(sourceKey);
      return undefined;
    }
  }

  private async bearer(url: URL, source: TokenSource, scopes: readonly Scope[], tokenKey: string): Promise<string> {
    refusePlainHttp(url);
    const pending = this.pending.get(tokenKey) ?? this.fetchToken(url, source, scopes, tokenKey);
    this.pending.set(tokenKey, pending);
    try {
      return `Bearer ${await pending}`;
    } finally {
      this.pending.delete(tokenKey);
    }
  }

  private async fetchToken(
    challenger: URL,
    source: TokenSource,
    scopes: readonly Scope[],
    tokenKey: string,
  ): Promise<string> {
    const { http, tokens, clientId = 'docker' } = this.options;
    const { service } = source;
    const realm = parseRealm(source.realm, challenger);
    const login = await this.loginFor((owner) => mayReceive(realm, challenger, owner));
    try {
      const { token } = await requestToken(http, { realm, service, scopes, login, clientId }, this.now());
      // Nothing waits for what only later commands need.
      void tokens.put(tokenKey, token);
      const value = JSON.stringify([source.realm, service ?? null]);
      void tokens.put(this.sourceKey(challenger), { value, expires: this.now() + CHALLENGE_LIFE });
      return token.value;
    } catch (error) {
      if (!isSignetError(error, 'unauthorized')) throw error;
      throw error.reworded(`${error.message}${callerNote(this.caller, challenger)}`, {
        next: logInStep(this.caller, challenger, error.detail.status === 401),
      });
    } finally {
      if (login !== undefined) wipe(login);
    }
  }

  /** The login to use at a server, if there is one and it may be sent there. */
  private async loginFor(mayGo: (owner: LoginSource) => boolean): Promise<Login | undefined> {
    this.caller = ANONYMOUS;
    for (const owner of this.options.logins) {
      const login = await this.find(owner);
      if (login === undefined) continue;
      try {
        if (mayGo(owner)) {
          const { username: user, source } = login;
          this.caller = { user, registry: owner.registry, source, withheld: undefined };
          return login;
        }
      } catch (error) {
        wipe(login);
        throw error;
      }
      wipe(login);
      this.caller = { ...this.caller, withheld: owner.registry };
    }
    return undefined;
  }

  /**
   * A credential helper for other hosts may fail where docker would not have called it: for a trust server's own login,
   * before the registry's. That counts as no login, and is reported if a login is required.
   */
  private async find(owner: LoginSource): Promise<Login | undefined> {
    try {
      return await owner.find();
    } catch (error) {
      const isLast = owner === this.options.logins.at(-1);
      if (isLast || !isSignetError(error, 'credential-helper-failed')) throw error;
      this.caller = { ...ANONYMOUS, trouble: error.message };
      return undefined;
    }
  }

  /** Identifies the logins: tokens obtained with them are not used for anyone else. */
  private get owners(): string {
    return this.options.logins.map(({ registry }) => registry).join(' ');
  }

  private sourceKey({ origin }: URL): string {
    return JSON.stringify(['challenge', origin, this.owners]);
  }

  private async basicAuthorization(url: URL): Promise<Authorization> {
    refusePlainHttp(url);
    const known = this.basic.get(url.origin);
    const header = known ?? this.makeBasic(url);
    this.basic.set(url.origin, header);
    return { header: await header, reused: known !== undefined, tokenKey: undefined };
  }

  private async makeBasic(url: URL): Promise<string> {
    const login = await this.loginFor((owner) => belongsTo(url, owner));
    if (login === undefined || login.username === '') {
      throw new SignetError('credentials-missing', `no basic auth credentials${callerNote(this.caller, url)}`, {
        next: logInStep(this.caller, url),
      });
    }
    const header = basicAuthorization(login);
    wipe(login);
    return header;
  }

  private now(): Instant {
    return (this.options.now ?? Date.now)();
  }
}

/** Parses a remembered challenge; undefined for anything else. */
function readSource(text: string): TokenSource | undefined {
  try {
    const [realm, service] = [parseJson(text)].flat();
    return typeof realm === 'string'
      ? { realm, service: typeof service === 'string' ? service : undefined }
      : undefined;
  } catch (error) {
    if (isSignetError(error)) return undefined;
    throw error;
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
