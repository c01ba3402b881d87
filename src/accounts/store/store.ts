import { SignetError } from '../../core/errors/index.ts';
import type { Instant } from '../../core/time.ts';
import type { Grant, Pattern } from '../identity/grants.ts';
import type { UserName } from '../identity/user-name.ts';

export interface User {
  readonly name: UserName;
  /** In PHC string format, with its parameters and salt. */
  readonly passwordHash: string;
  /** May do everything, foreign names included. */
  readonly admin: boolean;
  readonly disabled: boolean;
  /** Random, and another one after every change of the user or of the user's grants: access tokens of before end with it. */
  readonly stamp: string;
  readonly created: Instant;
  readonly updated: Instant;
}

export interface NewUser {
  readonly name: UserName;
  readonly passwordHash: string;
  readonly admin: boolean;
}

/** What to change of a user; what is absent stays. */
export interface UserChange {
  readonly passwordHash?: string;
  readonly admin?: boolean;
  readonly disabled?: boolean;
}

/** What is kept of a refresh token. */
export interface RefreshToken {
  /** SHA-256 of the token. */
  readonly hash: Buffer;
  readonly user: UserName;
  readonly expires: Instant;
}

/** Where accounts are kept. Every change is one transaction and is seen by all replicas from then on. */
export interface AccountStore {
  /** Throws `user-exists`. */
  addUser(user: NewUser, now: Instant): Promise<void>;
  user(name: UserName): Promise<User | undefined>;
  /** All users, by name. */
  users(): Promise<readonly User[]>;
  /**
   * A new password and disabling end all refresh tokens of the user, a new password makes all networks strange. Throws
   * `user-unknown`.
   */
  updateUser(name: UserName, change: UserChange, now: Instant): Promise<void>;
  /** Ends the user's grants and refresh tokens too. Throws `user-unknown`. */
  removeUser(name: UserName, now: Instant): Promise<void>;

  /** The user's grants, by pattern; none for an unknown user. */
  grants(name: UserName): Promise<readonly Grant[]>;
  /** Replaces what was granted on the same pattern. Throws `user-unknown`. */
  grant(name: UserName, grant: Grant, now: Instant): Promise<void>;
  /** Throws `user-unknown` or `grant-unknown`. */
  revoke(name: UserName, pattern: Pattern, now: Instant): Promise<void>;

  /**
   * Keeps a refresh token, and drops what has expired and all but the user's newest `MAX_REFRESH_TOKENS`. False, and
   * nothing is kept, if the user is no longer as `stamp` says: changed while the password was being checked.
   */
  addRefreshToken(token: RefreshToken, stamp: string, now: Instant): Promise<boolean>;
  refreshToken(hash: Buffer): Promise<RefreshToken | undefined>;
  extendRefreshToken(hash: Buffer, expires: Instant): Promise<void>;

  /** When the user last logged in from a network, as `useNetwork` was told; undefined if never. */
  networkUsed(name: UserName, network: string): Promise<Instant | undefined>;
  /** Remembers a network that the user has logged in from; of each user the `MAX_NETWORKS` used last. */
  useNetwork(name: UserName, network: string, now: Instant): Promise<void>;
}

/** Logins of one user that are remembered; the oldest gives way. */
export const MAX_REFRESH_TOKENS = 100;
/** Networks of one user that are remembered; the one that was not used for longest gives way. */
export const MAX_NETWORKS = 32;

/** The error of a name that is taken. */
export function userExists(name: UserName, cause?: unknown): SignetError {
  return new SignetError('user-exists', `there is already a user ${name}`, { cause });
}
