import { beforeEach, expect, test } from 'bun:test';
import { LoginThrottle } from '../../src/accounts/throttle.ts';
import { isSignetError } from '../../src/core/errors/index.ts';
import { failure, NOON } from './world.ts';

const ALICE = 'alice';
const HERE = '192.0.2.1';

let now: number;
let throttle: LoginThrottle;
beforeEach(() => {
  now = NOON;
  throttle = new LoginThrottle(() => now);
});

/** Seconds until the next attempt is let through; 0 if it was. */
function attempt(account = ALICE, address = HERE): number {
  try {
    throttle.admit(account, address);
    return 0;
  } catch (error) {
    if (!isSignetError(error, 'login-throttled')) throw error;
    return Number(error.detail.retryAfter);
  }
}

/** Addresses that differ, so that only the account is counted. */
let next = 0;
function elsewhere(): string {
  next++;
  return `198.51.${next >> 8}.${next & 255}`;
}

test('five failures are free, then the wait doubles up to five minutes', () => {
  for (let failed = 0; failed < 5; failed++) expect(attempt()).toBe(0);
  const waits: number[] = [];
  for (let failed = 0; failed < 12; failed++) {
    const wait = attempt();
    waits.push(wait);
    now += wait * 1000;
    expect(attempt()).toBe(0);
  }
  expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
});

test('the wait passes, not a millisecond early', () => {
  for (let failed = 0; failed < 5; failed++) attempt();
  now += 999;
  expect(attempt()).toBe(1);
  now += 1;
  expect(attempt()).toBe(0);
});

test('an attempt that must wait does not lengthen the wait', () => {
  for (let failed = 0; failed < 5; failed++) attempt();
  for (let refused = 0; refused < 50; refused++) expect(attempt()).toBe(1);
  now += 1000;
  expect(attempt()).toBe(0);
});

test('one account is slowed down whatever the address', () => {
  for (let failed = 0; failed < 5; failed++) expect(attempt(ALICE, elsewhere())).toBe(0);
  expect(attempt(ALICE, elsewhere())).toBe(1);
  expect(attempt('bob', elsewhere())).toBe(0);
});

test('one address is slowed down whatever the account', () => {
  for (const account of ['a1', 'a2', 'a3', 'a4', 'a5']) expect(attempt(account, HERE)).toBe(0);
  expect(attempt('a6', HERE)).toBe(1);
  expect(attempt('a6', elsewhere())).toBe(0);
});

test.each([
  ['2001:db8:1:2::1', '2001:db8:1:2:ffff::9', true],
  ['2001:db8::1', '2001:0db8:0000:0000:0001:2:3:4', true],
  ['2001:db8:1:2::1', '2001:db8:1:3::1', false],
  ['::ffff:192.0.2.7', '192.0.2.7', true],
  ['::ffff:192.0.2.7', '::ffff:192.0.2.8', false],
  ['192.0.2.7', '192.0.2.8', false],
  ['', '', true],
])('%p and %p are one attacker: %p', (first, second, same) => {
  for (let failed = 0; failed < 5; failed++) attempt(`user${failed}`, first);
  expect(attempt('user9', second)).toBe(same ? 1 : 0);
});

test('a success forgets the failures of the account', () => {
  for (let failed = 0; failed < 4; failed++) attempt(ALICE, elsewhere());
  throttle.admit(ALICE, elsewhere()).succeeded();
  for (let failed = 0; failed < 5; failed++) expect(attempt(ALICE, elsewhere())).toBe(0);
  expect(attempt(ALICE, elsewhere())).toBe(1);
});

test('a success with an own account does not buy guesses at others', () => {
  for (let round = 0; round < 4; round++) {
    expect(attempt(`victim${round}`, HERE)).toBe(0);
    throttle.admit('mallory', HERE).succeeded();
  }
  expect(attempt('victim4', HERE)).toBe(0);
  expect(attempt('victim5', HERE)).toBe(1);
});

test('successes alone are never slowed down', () => {
  for (let round = 0; round < 100; round++) throttle.admit(ALICE, HERE).succeeded();
  expect(attempt()).toBe(0);
});

test('a stranger cannot lock the owner out of an address the owner has used', () => {
  throttle.admit(ALICE, HERE).succeeded();
  for (let failed = 0; failed < 20; failed++) attempt(ALICE, elsewhere());
  expect(attempt(ALICE, elsewhere())).toBeGreaterThan(0);
  expect(attempt(ALICE, HERE)).toBe(0);
  for (let failed = 0; failed < 4; failed++) attempt(ALICE, HERE);
  expect(attempt(ALICE, HERE)).toBe(1);
});

test('failures are forgotten after an hour', () => {
  for (let failed = 0; failed < 5; failed++) attempt();
  now += 3600 * 1000;
  for (let failed = 0; failed < 5; failed++) expect(attempt()).toBe(0);
  expect(attempt()).toBe(1);
});

test('remembers no more than it has room for', async () => {
  for (let failed = 0; failed < 5; failed++) attempt(ALICE, elsewhere());
  for (let account = 0; account < 9_999; account++) attempt(`user${account}`, `2001:db8:${account.toString(16)}::1`);
  expect(attempt(ALICE, elsewhere())).toBe(1);
  attempt('one-more', elsewhere());
  expect(attempt(ALICE, elsewhere())).toBe(0);
  expect(
    (
      await failure(() => {
        for (let failed = 0; failed < 6; failed++) throttle.admit('carol', elsewhere());
      })
    ).httpStatus,
  ).toBe(429);
});
