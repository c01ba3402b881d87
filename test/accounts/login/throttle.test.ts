import { beforeEach, describe, expect, test } from 'bun:test';
import { type Attempt, LoginThrottle } from '../../../src/accounts/login/throttle.ts';
import { isSignetError } from '../../../src/core/errors/index.ts';

const ALICE = 'alice';
const HERE = '192.0.2.1';

let elapsed: number;
let throttle: LoginThrottle;
beforeEach(() => {
  elapsed = 0;
  throttle = new LoginThrottle(() => elapsed);
});

/** Seconds until the next attempt is let through; 0 if it was. */
function attempt(account = ALICE, address = HERE, isFamiliar = false): number {
  const admitted = admit(account, address, isFamiliar);
  return typeof admitted === 'number' ? admitted : 0;
}

/** For how long an attempt is held that is let through, in milliseconds. */
function held(account: string, address: string): number {
  const admitted = admit(account, address, false);
  if (typeof admitted === 'number') throw new Error(`refused for ${admitted} s`);
  return admitted.hold;
}

function admit(account: string, address: string, isFamiliar: boolean): Attempt | number {
  try {
    return throttle.admit(account, address, isFamiliar);
  } catch (error) {
    if (!isSignetError(error, 'login-throttled')) throw error;
    expect(error.httpStatus).toBe(429);
    return Number(error.detail.retryAfter);
  }
}

/** An address of a network that never failed. */
let next = 0;
function elsewhere(): string {
  next++;
  return `198.51.${next >> 8}.${next & 255}`;
}

/** Networks that have failed too often elsewhere to be trusted with anything. */
function suspects(count: number): readonly string[] {
  return Array.from({ length: count }, () => {
    const address = elsewhere();
    for (let failed = 0; failed < 5; failed++) expect(attempt(`other${next}-${failed}`, address)).toBe(0);
    return address;
  });
}

describe('a network', () => {
  test('has five failures free, then the wait doubles up to thirty seconds', () => {
    for (let failed = 0; failed < 5; failed++) expect(attempt()).toBe(0);
    const waits: number[] = [];
    for (let failed = 0; failed < 8; failed++) {
      const wait = attempt();
      waits.push(wait);
      elapsed += wait * 1000;
      expect(attempt()).toBe(0);
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 30, 30, 30]);
  });

  test('waits whatever the accounts are; others do not', () => {
    for (const account of ['a1', 'a2', 'a3', 'a4', 'a5']) expect(attempt(account)).toBe(0);
    expect(attempt('a6')).toBe(1);
    expect(attempt('a6', elsewhere())).toBe(0);
  });

  test('may try again when the wait has passed, not a millisecond earlier', () => {
    for (let failed = 0; failed < 5; failed++) attempt();
    elapsed += 999;
    expect(attempt()).toBe(1);
    elapsed += 1;
    expect(attempt()).toBe(0);
  });

  test('does not wait longer because it did not wait', () => {
    for (let failed = 0; failed < 5; failed++) attempt();
    for (let refused = 0; refused < 50; refused++) expect(attempt()).toBe(1);
    elapsed += 1000;
    expect(attempt()).toBe(0);
  });

  test.each([
    ['2001:db8:1:2::1', '2001:db8:1:2:ffff::9', true],
    ['2001:db8::1', '2001:0db8:0000:0000:0001:2:3:4', true],
    ['2001:db8:1:2::1', '2001:db8:1:3::1', false],
    ['::ffff:192.0.2.7', '192.0.2.7', true],
    ['::ffff:192.0.2.7', '::ffff:192.0.2.8', false],
    ['192.0.2.7', '192.0.2.8', false],
    ['', '', true],
  ])('%p and %p are one: %p', (first, second, same) => {
    for (let failed = 0; failed < 5; failed++) attempt(`user${failed}`, first);
    expect(attempt('user9', second)).toBe(same ? 1 : 0);
  });

  test('of IPv6 shares twenty failures with its /48, since one customer may have 65,536 of them', () => {
    for (let failed = 0; failed < 20; failed++) {
      expect(attempt(`user${failed}`, `2001:db8:1:${failed.toString(16)}::1`)).toBe(0);
    }
    expect(attempt('user21', '2001:db8:1:ffff::1')).toBe(1);
    expect(attempt('user21', '2001:db8:2::1')).toBe(0);
  });

  test('does not buy guesses at others with logins of its own', () => {
    for (let round = 0; round < 4; round++) {
      expect(attempt(`victim${round}`)).toBe(0);
      throttle.admit('mallory', HERE, false).takeBack();
    }
    expect(attempt('victim4')).toBe(0);
    expect(attempt('victim5')).toBe(1);
  });

  test('that makes no mistakes is never slowed down', () => {
    for (let round = 0; round < 100; round++) throttle.admit(ALICE, HERE, round > 50).takeBack();
    expect(attempt()).toBe(0);
  });

  test('has its failures forgotten after an hour', () => {
    for (let failed = 0; failed < 5; failed++) attempt();
    elapsed += 3600 * 1000;
    for (let failed = 0; failed < 5; failed++) expect(attempt()).toBe(0);
    expect(attempt()).toBe(1);
  });
});

describe('an account that is guessed at from many networks', () => {
  test('is held for 1, 2, then 4 s for networks without failures, which are never refused', () => {
    for (let failed = 0; failed < 5; failed++) expect(held(ALICE, elsewhere())).toBe(0);
    const holds = Array.from({ length: 1000 }, () => held(ALICE, elsewhere()));
    expect(holds.slice(0, 4)).toEqual([1000, 2000, 4000, 4000]);
    expect(Math.max(...holds)).toBe(4000);
  });

  test('is not held when the guessing is over', () => {
    for (let failed = 0; failed < 50; failed++) attempt(ALICE, elsewhere());
    elapsed += 29_000;
    expect(held(ALICE, elsewhere())).toBe(1000);
    elapsed += 30_000;
    expect(held(ALICE, elsewhere())).toBe(0);
  });

  test('is tried once in thirty seconds by all networks with failures together', () => {
    const attackers = suspects(50);
    elapsed += 60_000;
    let looked = 0;
    for (let second = 0; second < 1800; second++) {
      elapsed += 1000;
      for (const address of attackers) looked += attempt(ALICE, address) === 0 ? 1 : 0;
    }
    // Five are free, six more come before the wait has grown to thirty seconds.
    expect(looked).toBeGreaterThan(1800 / 30);
    expect(looked).toBeLessThanOrEqual(1800 / 30 + 5 + 6);
  });

  test('does not slow down other accounts', () => {
    for (let failed = 0; failed < 50; failed++) attempt(ALICE, elsewhere());
    expect(held('bob', elsewhere())).toBe(0);
  });

  test('is open to its owner in a familiar network, at once', () => {
    for (let failed = 0; failed < 200; failed++) attempt(ALICE, elsewhere());
    const admitted = throttle.admit(ALICE, HERE, true);
    expect(admitted.hold).toBe(0);
  });
});

describe('a familiar network', () => {
  test('is open to the owner while strangers in it fail at other accounts', () => {
    for (let failed = 0; failed < 20; failed++) attempt(`user${failed}`);
    expect(attempt('bob')).toBeGreaterThan(0);
    expect(attempt(ALICE, HERE, true)).toBe(0);
  });

  test('counts the failures at its own account, and keeps them apart', () => {
    for (let failed = 0; failed < 5; failed++) expect(attempt(ALICE, HERE, true)).toBe(0);
    expect(attempt(ALICE, HERE, true)).toBe(1);
    expect(attempt('bob', HERE, true)).toBe(0);
    expect(attempt('carol', HERE)).toBe(0);
    expect(held(ALICE, elsewhere())).toBe(0);
  });
});

test('an attempt that is taken back leaves no trace', () => {
  for (let failed = 0; failed < 4; failed++) attempt();
  throttle.admit(ALICE, HERE, false).takeBack();
  expect(attempt()).toBe(0);
  expect(attempt()).toBe(1);
});

test('an attempt that is taken back makes no one wait after the failures before it', () => {
  for (let failed = 0; failed < 5; failed++) attempt();
  elapsed += 1000;
  const right = throttle.admit(ALICE, HERE, false);
  const check = () => throttle.check(ALICE, HERE, false);
  expect(check).toThrow('too many failed logins, try again in 2 s');
  right.takeBack();
  expect(check).not.toThrow();
  expect(attempt()).toBe(0);
  expect(check).toThrow('too many failed logins, try again in 2 s');
});

test('looking whether an attempt would be let through counts nothing', () => {
  for (let look = 0; look < 20; look++) throttle.check(ALICE, HERE, false);
  for (let failed = 0; failed < 5; failed++) expect(attempt()).toBe(0);
  expect(() => throttle.check(ALICE, HERE, false)).toThrow('too many failed logins, try again in 1 s');
});

test('remembers no more than it has room for', () => {
  for (let failed = 0; failed < 6; failed++) attempt(ALICE, elsewhere());
  expect(held(ALICE, elsewhere())).toBeGreaterThan(0);
  for (let account = 0; account < 10_000; account++) attempt(`user${account}`, `2001:db8:${account.toString(16)}::1`);
  expect(held(ALICE, elsewhere())).toBe(0);
});
