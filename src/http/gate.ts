import { SignetError } from '../core/errors/index.ts';
import type { Scope } from '../core/scope.ts';

/** What the caller of one request may do. */
export interface Gate {
  /** The user's name, undefined for an anonymous caller. */
  readonly subject: string | undefined;
  /** Returns only if every scope is granted; throws AuthorizationRequired otherwise. */
  require(...scopes: Scope[]): Promise<void>;
  allows(scope: Scope): Promise<boolean>;
}

/** Everyone may do everything: the gate of a server without accounts, and of routes that need none. */
export const OPEN_GATE: Gate = {
  subject: undefined,
  require: async () => {},
  allows: async () => true,
};

/** What only administrators may see: which repositories there are. */
export const CATALOG: Scope = { type: 'registry', name: 'catalog', actions: ['*'] };

/** The request needs a token, or another one: the server answers with a challenge that names `wanted`. */
export class AuthorizationRequired extends SignetError {
  readonly wanted: readonly Scope[];
  readonly reason: 'invalid_token' | 'insufficient_scope' | undefined;

  constructor(wanted: readonly Scope[], reason?: 'invalid_token' | 'insufficient_scope') {
    super('unauthorized', 'authentication required');
    this.wanted = wanted;
    this.reason = reason;
  }
}
