import type { KeyObject } from 'node:crypto';
import type { Instant } from '../core/time.ts';
import type { Gate } from '../http/gate.ts';
import type { RouteGroup } from '../http/route.ts';
import { gateFor } from './gate.ts';
import type { LoginLog } from './login/login-log.ts';
import { Logins } from './login/logins.ts';
import { type PermissionSettings, Permissions } from './permissions.ts';
import type { AccountStore } from './store/store.ts';
import { AccessTokens } from './tokens/access-tokens.ts';
import { ForeignTokens, type TokenIssuer } from './tokens/foreign-tokens.ts';
import { RefreshTokens } from './tokens/refresh-tokens.ts';
import { tokenRoutes } from './tokens/token-service.ts';

export interface AccountsSettings extends PermissionSettings {
  readonly store: AccountStore;
  /** `service` of the challenge and `aud` of the tokens. */
  readonly service: string;
  /** `iss` of the tokens. */
  readonly issuer: string;
  /** Signs the tokens: what `parseTokenKey` gives. */
  readonly key: KeyObject;
  /** How long an access token is valid, in seconds; docker takes less than 60 for 60. */
  readonly tokenLifetime: number;
  /** Another issuer whose tokens are taken, beside those of the token service here. */
  readonly tokenIssuer?: TokenIssuer | undefined;
  readonly log: LoginLog;
  readonly now: () => Instant;
  /** Milliseconds by a clock that is never set; the process's own if absent. */
  readonly elapsed?: () => number;
  /** Waits so many milliseconds; replaced in tests. */
  readonly sleep?: (milliseconds: number) => Promise<void>;
}

/** What a server needs of its accounts. */
export interface Accounts {
  /** The token service. */
  readonly routes: RouteGroup;
  /** What the caller of a request may do. Those who guess passwords are slowed down by their address. */
  gateFor(request: Request, address: string): Promise<Gate>;
}

/** Puts the accounts of a server together. Throws `grant-invalid` for a malformed pattern in `publicPull`. */
export function createAccounts(settings: AccountsSettings): Accounts {
  const { store, log, now, elapsed = () => performance.now(), sleep = Bun.sleep } = settings;
  const parts = {
    ...settings,
    logins: new Logins({ store, log, now, elapsed, sleep }),
    permissions: new Permissions(store, settings),
    accessTokens: new AccessTokens(settings),
    foreignTokens: settings.tokenIssuer && new ForeignTokens(settings.tokenIssuer, now),
    refreshTokens: new RefreshTokens(store, now),
  };
  return {
    routes: tokenRoutes(parts),
    gateFor: (request, address) => gateFor(parts, request, address),
  };
}
