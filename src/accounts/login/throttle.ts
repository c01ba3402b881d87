import { SignetError } from '../../core/errors/index.ts';
import { HOUR, SECOND } from '../../core/time.ts';
import { BoundedMap } from './bounded-map.ts';
import { networkOf, siteOf } from './network.ts';

/** Failures that cost no waiting: of an account, of a network, of an account in a network. */
const FREE = 5;
/** Failures of an IPv6 /48, in which many networks may be, that cost no waiting. */
const SITE_FREE = 20;
const FIRST_DELAY = SECOND;
/** The longest time after which a client is told to come back. */
const MAX_DELAY = 30 * SECOND;
/** The longest time for which an attempt is held before it is looked at. */
const MAX_HOLD = 4 * SECOND;
/** Failures are forgotten after this long without another one. */
const MEMORY = HOUR;
/** Failures of which the time is remembered, of each: those before the attempts that are running. */
const NEWEST = 16;
/** Accounts, networks and pairs of both that are remembered, of each. */
const CAPACITY = 10_000;

/** One attempt to log in that was let through. It counts as failed unless it is taken back. */
export interface Attempt {
  /** How long to wait before the password is looked at, in milliseconds. */
  readonly hold: number;
  /** The attempt was no failure: the password was right, or no one looked at it. */
  takeBack(): void;
}

/**
 * Slows down guessing, by limits that know nothing of each other:
 *
 * - A network may fail five times, then it is told to wait 1 s, 2 s, 4 s … up to 30 s between two attempts; an IPv6 /48
 *   after twenty.
 * - Networks with that many failures share one such limit for each account, however many they are.
 * - A network with fewer is never refused an account that others guess at: its attempt is held for at most 4 s.
 * - In a network from which the account was logged in to before, only failures there and at this account count, so that
 *   no stranger can lock its owner out.
 *
 * An attempt counts when it begins, so that guesses sent at once do not slip through together. Names that no one has are
 * treated as those that someone has. Times are those of a clock that is never set: the machine's may jump.
 */
export class LoginThrottle {
  private readonly elapsed: () => number;
  private readonly accounts = new BoundedMap<string, Failures>(CAPACITY);
  private readonly networks = new BoundedMap<string, Failures>(CAPACITY);
  private readonly pairs = new BoundedMap<string, Failures>(CAPACITY);

  /** `elapsed` gives milliseconds since some moment. */
  constructor(elapsed: () => number) {
    this.elapsed = elapsed;
  }

  /**
   * `isFamiliar`: the account was logged in to from this network before. Throws `login-throttled`, with the seconds to
   * wait as `detail.retryAfter`.
   */
  admit(account: string, address: string, isFamiliar: boolean): Attempt {
    this.check(account, address, isFamiliar);
    const target = this.target(account);
    const origins = this.origins(account, address, isFamiliar);
    const accountWait = isFamiliar ? 0 : this.waitOf(target);
    const counters = isFamiliar ? origins : [...origins, target];
    const began = this.elapsed();
    for (const counter of counters) this.count(counter, began);
    return {
      hold: Math.min(accountWait, MAX_HOLD),
      // Only this attempt: forgetting them all would let the owner of one account guess at others for ever.
      takeBack: () => {
        for (const counter of counters) this.uncount(counter, began);
      },
    };
  }

  /** Whether an attempt would be let through now. Counts nothing. Throws `login-throttled` as `admit` does. */
  check(account: string, address: string, isFamiliar: boolean): void {
    const origins = this.origins(account, address, isFamiliar);
    const wait = Math.max(...origins.map((origin) => this.waitOf(origin)));
    const accountWait = isFamiliar ? 0 : this.waitOf(this.target(account));
    const isSuspect = origins.some((origin) => this.countOf(origin) >= origin.free);
    const refusal = isSuspect ? Math.max(wait, accountWait) : wait;
    if (refusal > 0) throw throttled(refusal);
  }

  private origins(account: string, address: string, isFamiliar: boolean): readonly Counter[] {
    return isFamiliar ? [this.pair(account, address)] : this.networksOf(address);
  }

  private target(account: string): Counter {
    return { map: this.accounts, key: account, free: FREE };
  }

  private pair(account: string, address: string): Counter {
    return { map: this.pairs, key: `${account} ${networkOf(address)}`, free: FREE };
  }

  private networksOf(address: string): readonly Counter[] {
    const network = { map: this.networks, key: networkOf(address), free: FREE };
    const site = siteOf(address);
    return site === undefined ? [network] : [network, { map: this.networks, key: site, free: SITE_FREE }];
  }

  /** Failures that are not forgotten. */
  private countOf({ map, key }: Counter): number {
    const failures = map.get(key);
    return failures !== undefined && this.elapsed() - lastOf(failures) < MEMORY ? failures.count : 0;
  }

  private waitOf(counter: Counter): number {
    const beyond = this.countOf(counter) - counter.free;
    const failures = counter.map.get(counter.key);
    if (beyond < 0 || failures === undefined) return 0;
    return Math.max(0, lastOf(failures) + Math.min(MAX_DELAY, FIRST_DELAY * 2 ** beyond) - this.elapsed());
  }

  private count(counter: Counter, began: number): void {
    const count = this.countOf(counter);
    const before = count === 0 ? [] : (counter.map.get(counter.key)?.newest ?? []);
    counter.map.set(counter.key, { count: count + 1, newest: [...before, began].slice(-NEWEST) });
  }

  /** The waiting, too, is what it was before: a right password among wrong ones makes no one wait. */
  private uncount({ map, key }: Counter, began: number): void {
    const failures = map.get(key);
    if (failures === undefined) return;
    const at = failures.newest.lastIndexOf(began);
    const newest = at < 0 || failures.newest.length === 1 ? failures.newest : failures.newest.toSpliced(at, 1);
    if (failures.count <= 1) map.delete(key);
    else map.set(key, { count: failures.count - 1, newest });
  }
}

interface Failures {
  readonly count: number;
  /** When the newest began, by `elapsed`, oldest first; never empty. */
  readonly newest: readonly number[];
}

function lastOf({ newest }: Failures): number {
  return newest.at(-1) ?? 0;
}

/** Where failures are counted, and how many are free there. */
interface Counter {
  readonly map: BoundedMap<string, Failures>;
  readonly key: string;
  readonly free: number;
}

function throttled(wait: number): SignetError {
  const seconds = Math.ceil(wait / SECOND);
  return new SignetError('login-throttled', `too many failed logins, try again in ${seconds} s`, {
    detail: { retryAfter: seconds },
  });
}
