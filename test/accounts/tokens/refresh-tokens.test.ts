import { beforeEach, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import type { User } from '../../../src/accounts/store/store.ts';
import { RefreshTokens } from '../../../src/accounts/tokens/refresh-tokens.ts';
import { addUser, codeOf, failure, NOON, type World, world } from '../world.ts';

const DAY = 86_400_000;

let made: World;
let tokens: RefreshTokens;
let alice: User;
beforeEach(async () => {
  made = world();
  tokens = new RefreshTokens(made.store, () => made.now);
  alice = await addUser(made.store, 'alice');
});

test('gives the user back, again and again', async () => {
  const token = await tokens.issue(alice);
  expect(await tokens.redeem(token)).toEqual(alice);
  expect(await tokens.redeem(token)).toEqual(alice);
});

test('is 256 random bits, of which only the hash is kept', async () => {
  const token = await tokens.issue(alice);
  expect(Buffer.from(token, 'base64url')).toHaveLength(32);
  expect(await tokens.issue(alice)).not.toBe(token);
  const hash = createHash('sha256').update(token).digest();
  expect(await made.store.refreshToken(hash)).toEqual({ hash, user: alice.name, expires: NOON + 90 * DAY });
});

test('ends 90 days after its last use', async () => {
  const token = await tokens.issue(alice);
  made.now = NOON + 80 * DAY;
  await tokens.redeem(token);
  made.now = NOON + 170 * DAY - 1;
  await tokens.redeem(token);
  made.now += 90 * DAY;
  const error = await failure(tokens.redeem(token));
  expect([error.code, error.httpStatus]).toEqual(['refresh-token-invalid', 401]);
});

test('is not written again by each use', async () => {
  const token = await tokens.issue(alice);
  const hash = createHash('sha256').update(token).digest();
  made.now = NOON + DAY;
  await tokens.redeem(token);
  expect((await made.store.refreshToken(hash))?.expires).toBe(NOON + 90 * DAY);
  made.now += 1;
  await tokens.redeem(token);
  expect((await made.store.refreshToken(hash))?.expires).toBe(NOON + 91 * DAY + 1);
});

test('ends with a new password, with disabling and with removal', async () => {
  for (const end of [
    () => made.store.updateUser(alice.name, { passwordHash: 'new' }, NOON),
    () => made.store.updateUser(alice.name, { disabled: true }, NOON),
    () => made.store.removeUser(alice.name, NOON),
  ]) {
    await made.store.updateUser(alice.name, { disabled: false }, NOON);
    const current = (await made.store.user(alice.name)) ?? alice;
    const token = await tokens.issue(current);
    expect((await tokens.redeem(token)).name).toBe(alice.name);
    await end();
    expect(await codeOf(tokens.redeem(token))).toBe('refresh-token-invalid');
  }
});

test('is of no use to a user who was disabled by hand, in the database', async () => {
  const token = await tokens.issue(alice);
  made.database.run('UPDATE users SET disabled = 1');
  expect(await codeOf(tokens.redeem(token))).toBe('refresh-token-invalid');
});

test('does not come back when a disabled user is enabled', async () => {
  const token = await tokens.issue(alice);
  await made.store.updateUser(alice.name, { disabled: true }, NOON);
  await made.store.updateUser(alice.name, { disabled: false }, NOON);
  expect(await codeOf(tokens.redeem(token))).toBe('refresh-token-invalid');
});

test('is not given on a password that was changed while it was checked', async () => {
  await made.store.updateUser(alice.name, { passwordHash: 'new' }, NOON);
  expect(await codeOf(tokens.issue(alice))).toBe('login-refused');
});

test.each([
  '',
  'x',
  'A'.repeat(43),
  `${'A'.repeat(43)}=`,
  'A'.repeat(1_000_000),
  '%'.repeat(43),
  `${'A'.repeat(42)}\n`,
])('a guess is refused', async (guess) => {
  await tokens.issue(alice);
  expect(await codeOf(tokens.redeem(guess))).toBe('refresh-token-invalid');
});
