import { isSignetError, type SignetError } from '../core/errors/index.ts';
import { covers, type Scope } from '../core/scope.ts';
import { AuthorizationRequired, type Gate } from '../http/gate.ts';
import { parseAuthorization } from './login/authorization.ts';
import type { Credentials, Logins } from './login/logins.ts';
import type { Permissions } from './permissions.ts';
import type { AccountStore, User } from './store/store.ts';
import type { AccessTokens } from './tokens/access-tokens.ts';
import type { ForeignTokens } from './tokens/foreign-tokens.ts';

interface GateParts {
  readonly store: AccountStore;
  readonly logins: Logins;
  readonly permissions: Permissions;
  readonly accessTokens: AccessTokens;
  /** Tokens of another issuer, if any are taken. */
  readonly foreignTokens: ForeignTokens | undefined;
}

/**
 * The gate for one request from `address`, by its Authorization header: what an access token says, or else what the user
 * of a Basic header, or everyone, may do at this moment. Never throws: what is wrong with the header comes up when the
 * gate is asked.
 *
 * `require()` without a scope asks for any valid token or password, an anonymous token included. That is what `/v2/`
 * must ask for: a client learns from its challenge where tokens are, and `docker login` tries there what it was given.
 */
export async function gateFor(parts: GateParts, request: Request, address: string): Promise<Gate> {
  const authorization = parseAuthorization(request.headers.get('authorization'));
  switch (authorization.scheme) {
    case 'none':
      return anonymousGate(parts.permissions);
    case 'malformed':
      return refusingGate((scopes) => new AuthorizationRequired(scopes));
    case 'bearer':
      return tokenGate(parts, authorization.token);
    case 'basic':
      return passwordGate(parts, authorization.credentials, address);
  }
}

function anonymousGate(permissions: Permissions): Gate {
  const allows = (scope: Scope) => isAllowed(permissions, undefined, scope);
  const { require } = gate(undefined, allows);
  return {
    subject: undefined,
    allows,
    require: async (...scopes) => {
      if (scopes.length === 0) throw new AuthorizationRequired(scopes);
      await require(...scopes);
    },
  };
}

/** The stamp ends tokens of users who were changed, disabled or removed since. */
async function tokenGate({ store, accessTokens, foreignTokens }: GateParts, token: string): Promise<Gate> {
  const claims = await accessTokens.verify(token);
  if (claims === undefined) {
    const foreign = await foreignTokens?.verify(token);
    if (foreign !== undefined) {
      return gate(foreign.subject, async (scope) => covers(foreign.access, scope), 'insufficient_scope');
    }
  }
  const user = claims?.user === undefined ? undefined : await store.user(claims.user.name);
  const isCurrent = claims?.user?.stamp === user?.stamp && user?.disabled !== true;
  if (claims === undefined || !isCurrent) {
    return refusingGate((scopes) => new AuthorizationRequired(scopes, 'invalid_token'));
  }
  return gate(user?.name, async (scope) => covers(claims.access, scope), 'insufficient_scope');
}

async function passwordGate(parts: GateParts, credentials: Credentials, address: string): Promise<Gate> {
  try {
    const user = await parts.logins.login(credentials, address);
    return gate(user.name, (scope) => isAllowed(parts.permissions, user, scope), 'insufficient_scope');
  } catch (error) {
    if (isSignetError(error, 'login-refused')) return refusingGate((scopes) => new AuthorizationRequired(scopes));
    if (isSignetError(error, 'login-throttled', 'login-busy')) return refusingGate(() => error);
    throw error;
  }
}

function gate(
  subject: string | undefined,
  allows: (scope: Scope) => Promise<boolean>,
  reason?: 'insufficient_scope',
): Gate {
  return {
    subject,
    allows,
    require: async (...scopes) => {
      for (const scope of scopes) {
        if (!(await allows(scope))) throw new AuthorizationRequired(scopes, reason);
      }
    },
  };
}

function refusingGate(refusal: (scopes: readonly Scope[]) => SignetError): Gate {
  return {
    subject: undefined,
    allows: async () => false,
    require: async (...scopes) => {
      throw refusal(scopes);
    },
  };
}

async function isAllowed(permissions: Permissions, user: User | undefined, scope: Scope): Promise<boolean> {
  const actions = await permissions.allowedActions(user, scope);
  return covers([{ ...scope, actions }], scope);
}
