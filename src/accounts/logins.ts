import { createHmac, randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { SignetError } from '../core/errors/index.ts';
import { type Instant, SECOND } from '../core/time.ts';
import { BoundedMap } from './bounded-map.ts';
import { unknownPasswordHash, verifyPassword } from './password.ts';
import { Slots } from './slots.ts';
import type { AccountStore, User } from './store.ts';
import { LoginThrottle } from './throttle.ts';
import { isUserName } from './user-name.ts';

/** A user's name and password as somebody claims them. */
export interface Credentials {
  readonly name: string;
  readonly password: Buffer;
}

/** The same credentials are not checked again for this long. */
const REMEMBERED = 60 * SECOND;
const CAPACITY = 10_000;
/** Each check takes 19 MiB and a core. */
const CONCURRENT = Math.min(4, availableParallelism());
const WAITING = 64;
/** All names that nobody can have share one count of failures. */
const NO_NAME = '';

/** How a check ended, and the stamp that the user had, undefined where there was none. */
interface Outcome {
  readonly isRight: boolean;
  readonly stamp: string | undefined;
  readonly until: Instant;
}

/**
 * Checks names and passwords. The same ones are checked once a minute: some clients send the right ones each time, and
 * docker sends wrong ones twice, which is one mistake.
 */
export class Logins {
  private readonly store: AccountStore;
  private readonly now: () => Instant;
  private readonly throttle: LoginThrottle;
  private readonly slots = new Slots(CONCURRENT, WAITING);
  private readonly unknownHash = unknownPasswordHash();
  private readonly secret = randomBytes(32);
  private readonly outcomes = new BoundedMap<string, Outcome>(CAPACITY);
  private readonly running = new Map<string, Promise<User>>();

  constructor(store: AccountStore, now: () => Instant) {
    this.store = store;
    this.now = now;
    this.throttle = new LoginThrottle(now);
  }

  /**
   * The user who has this name and password, asked from `address`. Wipes the password.
   * Throws `login-refused`, `login-throttled` or `login-busy`.
   */
  async login(credentials: Credentials, address: string): Promise<User> {
    const key = this.fingerprint(credentials, address);
    const running = this.running.get(key) ?? this.start(key, credentials, address);
    try {
      return await running;
    } finally {
      credentials.password.fill(0);
    }
  }

  /** Equal credentials that come at once, as docker sends them, are one attempt. */
  private start(key: string, credentials: Credentials, address: string): Promise<User> {
    const running = this.recall(key, credentials)
      .then((user) => user ?? this.slots.run(() => this.check(key, credentials, address)))
      .finally(() => this.running.delete(key));
    this.running.set(key, running);
    return running;
  }

  /** What the last check found, unless the user has changed since. */
  private async recall(key: string, { name }: Credentials): Promise<User | undefined> {
    const outcome = this.outcomes.get(key);
    if (outcome === undefined || outcome.until <= this.now()) return undefined;
    const user = await this.userNamed(name);
    if (user?.stamp !== outcome.stamp) return undefined;
    if (!outcome.isRight || user?.disabled !== false) throw refused();
    return user;
  }

  private async check(key: string, { name, password }: Credentials, address: string): Promise<User> {
    const attempt = this.throttle.admit(isUserName(name) ? name : NO_NAME, address);
    const user = await this.userNamed(name);
    const isKnown = await verifyPassword(password, user?.passwordHash ?? (await this.unknownHash));
    const isRight = isKnown && user?.disabled === false;
    this.outcomes.set(key, { isRight, stamp: user?.stamp, until: this.now() + REMEMBERED });
    if (!isRight) throw refused();
    attempt.succeeded();
    return user;
  }

  private async userNamed(name: string): Promise<User | undefined> {
    return isUserName(name) ? this.store.user(name) : undefined;
  }

  /** Keyed by a secret of this process, so that what is in memory cannot be tried against guesses elsewhere. */
  private fingerprint({ name, password }: Credentials, address: string): string {
    return createHmac('sha256', this.secret)
      .update(`${Buffer.byteLength(name)} ${name} ${Buffer.byteLength(address)} ${address} `)
      .update(password)
      .digest('base64');
  }
}

function refused(): SignetError {
  return new SignetError('login-refused', 'incorrect username or password');
}
