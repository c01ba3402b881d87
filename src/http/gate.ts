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

/** One part of a server: answers the requests that are its own, and `undefined` to all others. */
export type Handler = (request: Request, url: URL, gate: Gate) => Promise<Response | undefined>;

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
