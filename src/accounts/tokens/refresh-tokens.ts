import { createHash, randomBytes } from 'node:crypto';
import { SignetError } from '../../core/errors/index.ts';
import { DAY, type Instant } from '../../core/time.ts';
import type { AccountStore, User } from '../store/store.ts';

/** A refresh token ends after this long without use. */
const LIFE = 90 * DAY;
/** A use within this long of the last extension does not write again. */
const EXTENDED_EVERY = DAY;
const FORM = /^[A-Za-z0-9_-]{43}$/;

/**
 * The tokens that docker calls identity tokens and keeps instead of the password: 256 random bits, of which only the
 * SHA-256 is stored. They end with a new password, with the user's disabling or removal, and 90 days after their last use.
 */
export class RefreshTokens {
  private readonly store: AccountStore;
  private readonly now: () => Instant;

  constructor(store: AccountStore, now: () => Instant) {
    this.store = store;
    this.now = now;
  }

  /** A new token for a user who has just proven the password. Throws `login-refused` if the user has changed since. */
  async issue(user: User): Promise<string> {
    const token = randomBytes(32).toString('base64url');
    const record = { hash: hashOf(token), user: user.name, expires: this.now() + LIFE };
    if (!(await this.store.addRefreshToken(record, user.stamp, this.now()))) {
      throw new SignetError('login-refused', 'the account has changed meanwhile, log in again');
    }
    return token;
  }

  /** The user that a token was issued to. Throws `refresh-token-invalid`. */
  async redeem(token: string): Promise<User> {
    const record = FORM.test(token) ? await this.store.refreshToken(hashOf(token)) : undefined;
    const user = record === undefined ? undefined : await this.store.user(record.user);
    const now = this.now();
    if (record === undefined || record.expires <= now || user === undefined || user.disabled) {
      throw new SignetError('refresh-token-invalid', 'the login has expired or was ended, log in again');
    }
    if (record.expires < now + LIFE - EXTENDED_EVERY) await this.store.extendRefreshToken(record.hash, now + LIFE);
    return user;
  }
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
