import { createHmac, randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { isSignetError, SignetError } from '../../core/errors/index.ts';
import { DAY, type Instant, SECOND } from '../../core/time.ts';
import { unknownPasswordHash, verifyPassword } from '../identity/password.ts';
import { isUserName, type UserName } from '../identity/user-name.ts';
import type { AccountStore, User } from '../store/store.ts';
import { BoundedMap } from './bounded-map.ts';
import type { LoginLog } from './login-log.ts';
import { networkOf } from './network.ts';
import { loginBusy, Slots } from './slots.ts';
import { type Attempt, LoginThrottle } from './throttle.ts';

/** A user's name and password as a client claims them. */
export interface Credentials {
  readonly name: string;
  readonly password: Buffer;
}

interface LoginsOptions {
  readonly store: AccountStore;
  readonly log: LoginLog;
  readonly now: () => Instant;
  /** Milliseconds by a clock that is never set, for everything that must wait or is remembered for a while. */
  readonly elapsed: () => number;
  readonly sleep: (milliseconds: number) => Promise<void>;
}

/** The same right credentials are not checked again for this long; the same failure is not logged again either. */
const REMEMBERED = 60 * SECOND;
const CAPACITY = 10_000;
/** Each check takes 19 MiB and a core. */
const CONCURRENT = Math.min(4, availableParallelism());
const WAITING = 64;
/** Attempts that are held back at one time. */
const MAX_HELD = 256;
/** A network is familiar for this long after a login from it; a login within a day of the last one writes nothing. */
const FAMILIAR = 90 * DAY;
/** All names that no one can have share one count of failures. */
const NO_NAME = '';

/** How a check ended, and the stamp that the user had, undefined if there was none. */
interface Outcome {
  readonly isRight: boolean;
  readonly stamp: string | undefined;
  readonly until: number;
}

/** One attempt to log in, and its origin. */
interface Claim extends Credentials {
  readonly key: string;
  /** Undefined if no one can have that name. */
  readonly account: UserName | undefined;
  readonly address: string;
  readonly network: string;
}

/**
 * Checks names and passwords. Right ones are checked once a minute, since some clients send them each time; wrong ones
 * once, as long as the user does not change: docker sends them twice, a forgotten job for ever, and it is one mistake.
 * A client that has to wait is told so whatever it sends, remembered or not: any other answer would answer a guess.
 */
export class Logins {
  private readonly options: LoginsOptions;
  private readonly throttle: LoginThrottle;
  private readonly slots = new Slots(CONCURRENT, WAITING);
  private readonly unknownHash = unknownPasswordHash();
  private readonly secret = randomBytes(32);
  private readonly outcomes = new BoundedMap<string, Outcome>(CAPACITY);
  private readonly throttledLogged = new BoundedMap<string, number>(CAPACITY);
  private readonly running = new Map<string, Promise<unknown>>();
  private held = 0;

  constructor(options: LoginsOptions) {
    this.options = options;
    this.throttle = new LoginThrottle(options.elapsed);
  }

  /**
   * The user who has this name and password, asked from `address`. Wipes the password. Failures are logged.
   * Throws `login-refused`, `login-throttled` or `login-busy`.
   */
  async login(credentials: Credentials, address: string): Promise<User> {
    const { name, password } = credentials;
    const claim: Claim = {
      key: this.fingerprint(credentials, address),
      name,
      password,
      account: isUserName(name) ? name : undefined,
      address,
      network: networkOf(address),
    };
    try {
      return await this.answer(claim);
    } finally {
      password.fill(0);
    }
  }

  /** Equal credentials that come at once, as docker sends them, are one attempt; the others are answered from what it found. */
  private async answer(claim: Claim): Promise<User> {
    const known = await this.recall(claim);
    if (known !== undefined) return known;
    const running = this.running.get(claim.key);
    if (running === undefined) return this.start(claim);
    await running.catch(() => undefined);
    return this.answer(claim);
  }

  private start(claim: Claim): Promise<User> {
    const running = this.attempt(claim).finally(() => this.running.delete(claim.key));
    this.running.set(claim.key, running);
    return running;
  }

  /** What the last check found, unless the user has changed since. Throws `login-throttled` like a first attempt. */
  private async recall(claim: Claim): Promise<User | undefined> {
    const outcome = this.outcomes.get(claim.key);
    if (outcome === undefined) return undefined;
    const isFresh = outcome.until > this.options.elapsed();
    if (outcome.isRight && !isFresh) return undefined;
    const user = await this.userOf(claim);
    if (user?.stamp !== outcome.stamp) return undefined;
    const isFamiliar = this.isFamiliar(await this.lastUse(claim));
    this.throttled(claim, () => this.throttle.check(nameOf(claim), claim.address, isFamiliar));
    if (outcome.isRight && user?.disabled === false) return user;
    if (!isFresh) this.conclude(claim, user, false);
    throw refused();
  }

  private async attempt(claim: Claim): Promise<User> {
    const lastUse = await this.lastUse(claim);
    const isFamiliar = this.isFamiliar(lastUse);
    const attempt = this.throttled(claim, () => this.throttle.admit(nameOf(claim), claim.address, isFamiliar));
    const user = await this.check(claim, attempt, isFamiliar);
    attempt.takeBack();
    await this.remember(claim, user, lastUse);
    return user;
  }

  /** What the throttle says; the log is told if it refuses. */
  private throttled<T>(claim: Claim, ask: () => T): T {
    try {
      return ask();
    } catch (error) {
      this.logThrottled(claim);
      throw error;
    }
  }

  private async check(claim: Claim, attempt: Attempt, isFamiliar: boolean): Promise<User> {
    try {
      await this.hold(attempt);
      return await this.slots.run(() => this.verify(claim), isFamiliar);
    } catch (error) {
      if (!isSignetError(error, 'login-refused')) attempt.takeBack();
      throw error;
    }
  }

  private async hold({ hold }: Attempt): Promise<void> {
    if (hold === 0) return;
    if (this.held >= MAX_HELD) throw loginBusy();
    this.held++;
    try {
      await this.options.sleep(hold);
    } finally {
      this.held--;
    }
  }

  private async verify(claim: Claim): Promise<User> {
    const user = await this.userOf(claim);
    const isKnown = await verifyPassword(claim.password, user?.passwordHash ?? (await this.unknownHash));
    const isRight = isKnown && user?.disabled === false;
    this.conclude(claim, user, isRight);
    if (!isRight) throw refused();
    return user;
  }

  private conclude({ key, account, address }: Claim, user: User | undefined, isRight: boolean): void {
    this.outcomes.set(key, { isRight, stamp: user?.stamp, until: this.options.elapsed() + REMEMBERED });
    if (isRight) return;
    const reason = user === undefined ? 'no such user' : user.disabled ? 'the user is disabled' : 'wrong password';
    this.options.log.warn('login failed', { user: account, address, reason });
  }

  /** Once a minute for each user and network: a client that must wait could otherwise fill the disk. */
  private logThrottled({ account, address, network }: Claim): void {
    const { elapsed, log } = this.options;
    const key = `${account} ${network}`;
    if ((this.throttledLogged.get(key) ?? 0) > elapsed()) return;
    this.throttledLogged.set(key, elapsed() + REMEMBERED);
    log.warn('login failed', { user: account, address, reason: 'too many failures before' });
  }

  private async lastUse({ account, network }: Claim): Promise<Instant | undefined> {
    return account === undefined ? undefined : this.options.store.networkUsed(account, network);
  }

  private isFamiliar(lastUse: Instant | undefined): boolean {
    return lastUse !== undefined && lastUse > this.options.now() - FAMILIAR;
  }

  /** A login does not fail because its network cannot be stored. */
  private async remember({ address, network }: Claim, user: User, lastUse: Instant | undefined): Promise<void> {
    const { store, log, now } = this.options;
    if (lastUse !== undefined && now() - lastUse < DAY) return;
    if (lastUse === undefined) log.info('login from a new network', { user: user.name, address });
    try {
      await store.useNetwork(user.name, network, now());
    } catch (error) {
      log.warn('a network could not be stored as familiar', { user: user.name, address, error: String(error) });
    }
  }

  private async userOf({ account }: Claim): Promise<User | undefined> {
    return account === undefined ? undefined : this.options.store.user(account);
  }

  /** Keyed by a secret of this process, so that what is in memory cannot be tried against guesses elsewhere. */
  private fingerprint({ name, password }: Credentials, address: string): string {
    return createHmac('sha256', this.secret)
      .update(`${Buffer.byteLength(name)} ${name} ${Buffer.byteLength(address)} ${address} `)
      .update(password)
      .digest('base64');
  }
}

/** The name under which the failures of an account are counted. */
function nameOf({ account }: Claim): string {
  return account ?? NO_NAME;
}

function refused(): SignetError {
  return new SignetError('login-refused', 'incorrect username or password');
}
