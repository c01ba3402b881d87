import type { Instant } from '../../core/time.ts';

/** Who changes accounts, and from where. */
export interface Actor {
  /** A user of the system, such as `root (uid 0)`, or the server itself. */
  readonly name: string;
  /** An IP address, or `local`. */
  readonly address: string;
}

export type AccountAction =
  | 'user added'
  | 'user changed'
  | 'user removed'
  | 'grant given'
  | 'grant taken'
  | 'trust imported';

/** One change of a user or of the user's grants. */
export interface AccountEvent {
  readonly at: Instant;
  readonly actor: Actor;
  readonly action: AccountAction;
  /** The user who was changed, or who did it if no user was. */
  readonly user: string;
  /** What was changed, in words; never a secret. */
  readonly detail: string;
}

/**
 * The record of changes. It stands in the database, and is written in the transaction of the change, since `signet user`
 * changes accounts beside the server; the server puts into its log what is new.
 */
export interface AccountEvents {
  /** The newest events, at most `count`, the oldest of them first. */
  latest(count: number): Promise<readonly AccountEvent[]>;
  /** Adds an event that changes no account, unless nothing can be written at the moment. */
  record(event: AccountEvent): Promise<void>;
  /** Every event that was not taken before, in order; none is taken twice, and some wait while nothing can be written. */
  takeNew(): Promise<readonly AccountEvent[]>;
}

/** The server's own changes. */
export const SERVER_ACTOR: Actor = { name: 'signet serve', address: 'local' };
/** Events that are kept; the oldest give way. */
export const MAX_EVENTS = 10_000;
