import { SignetError } from '../core/errors/index.ts';
import { HOUR, type Instant, SECOND } from '../core/time.ts';
import { BoundedMap } from './bounded-map.ts';
import { networkOf } from './network.ts';

/** Failures that cost no waiting. */
const FREE = 5;
const FIRST_DELAY = SECOND;
const MAX_DELAY = 300 * SECOND;
/** Failures are forgotten after this long without another one. */
const MEMORY = HOUR;
/** Accounts, addresses and pairs of both that are remembered, of each. */
const CAPACITY = 10_000;

/** One attempt to log in that was let through. It counts as failed unless `succeeded` is called. */
export interface Attempt {
  succeeded(): void;
}

/**
 * Slows down guessing: after five failures on one account, or from one address, each further attempt there must wait
 * 1 s, 2 s, 4 s … up to 5 min.
 *
 * An attempt counts when it begins, so that guesses sent at once do not slip through together. An address from which
 * the account was logged in to before does not wait for the account: a stranger cannot lock its owner out.
 */
export class LoginThrottle {
  private readonly now: () => Instant;
  private readonly accounts = new BoundedMap<string, Failures>(CAPACITY);
  private readonly addresses = new BoundedMap<string, Failures>(CAPACITY);
  private readonly familiar = new BoundedMap<string, true>(CAPACITY);

  constructor(now: () => Instant) {
    this.now = now;
  }

  /** Throws `login-throttled`, with the seconds to wait as `detail.retryAfter`. */
  admit(account: string, address: string): Attempt {
    const network = networkOf(address);
    const pair = `${account} ${network}`;
    const accountWait = this.familiar.has(pair) ? 0 : this.waitOf(this.accounts.get(account));
    const wait = Math.max(accountWait, this.waitOf(this.addresses.get(network)));
    if (wait > 0) throw throttled(wait);
    this.count(this.accounts, account);
    this.count(this.addresses, network);
    return {
      succeeded: () => {
        this.accounts.delete(account);
        this.familiar.set(pair, true);
        // Only this attempt: forgetting them all would let the owner of one account guess at others for ever.
        this.uncount(this.addresses, network);
      },
    };
  }

  private waitOf(failures: Failures | undefined): number {
    return failures === undefined ? 0 : Math.max(0, failures.last + delayAfter(failures.count) - this.now());
  }

  private count(map: BoundedMap<string, Failures>, key: string): void {
    const before = map.get(key);
    const known = before !== undefined && this.now() - before.last < MEMORY ? before.count : 0;
    map.set(key, { count: known + 1, last: this.now() });
  }

  private uncount(map: BoundedMap<string, Failures>, key: string): void {
    const before = map.get(key);
    if (before === undefined) return;
    if (before.count <= 1) map.delete(key);
    else map.set(key, { count: before.count - 1, last: before.last });
  }
}

interface Failures {
  readonly count: number;
  readonly last: Instant;
}

function delayAfter(failures: number): number {
  return failures < FREE ? 0 : Math.min(MAX_DELAY, FIRST_DELAY * 2 ** (failures - FREE));
}

function throttled(wait: number): SignetError {
  const seconds = Math.ceil(wait / SECOND);
  return new SignetError('login-throttled', `too many failed logins, try again in ${seconds} s`, {
    detail: { retryAfter: seconds },
  });
}
