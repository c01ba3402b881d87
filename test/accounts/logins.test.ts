import { afterEach, beforeEach, expect, spyOn, test } from 'bun:test';
import { Logins } from '../../src/accounts/logins.ts';
import { hashPassword } from '../../src/accounts/password.ts';
import { parseUserName } from '../../src/accounts/user-name.ts';
import { addUser, codeOf, failure, NOON, PASSWORD, type World, world } from './world.ts';

const HERE = '192.0.2.1';
const alice = parseUserName('alice');

let verify = spyOn(Bun.password, 'verify');
let made: World;
let logins: Logins;
beforeEach(async () => {
  made = world();
  logins = new Logins(made.store, () => made.now);
  await addUser(made.store, 'alice');
  verify = spyOn(Bun.password, 'verify');
});
afterEach(() => verify.mockRestore());

const login = (name: string, password: string = PASSWORD, address = HERE) =>
  logins.login({ name, password: Buffer.from(password) }, address);

test('gives the user for the right password', async () => {
  expect((await login('alice')).name).toBe(alice);
});

test.each([
  ['alice', 'wrong horse'],
  ['alice', ''],
  ['nobody', PASSWORD],
  ['Alice', PASSWORD],
  ['', ''],
  ['../alice', PASSWORD],
])('%p with %p is refused after one argon2 check, in the same words', async (name, password) => {
  const error = await failure(login(name, password));
  expect([error.code, error.message, error.httpStatus]).toEqual([
    'login-refused',
    'incorrect username or password',
    401,
  ]);
  expect(verify).toHaveBeenCalledTimes(1);
  expect(verify.mock.calls[0]?.[1]).toStartWith('$argon2id$v=19$m=19456,t=2,p=1$');
});

test('a disabled user is refused like a wrong password', async () => {
  await made.store.updateUser(alice, { disabled: true }, NOON);
  expect((await failure(login('alice'))).message).toBe('incorrect username or password');
  expect(verify).toHaveBeenCalledTimes(1);
});

test('wipes the password, right or wrong', async () => {
  for (const text of [PASSWORD, 'wrong horse']) {
    const password = Buffer.from(text);
    await logins.login({ name: 'alice', password }, HERE).catch(() => undefined);
    expect(password.equals(Buffer.alloc(text.length))).toBe(true);
  }
});

test('checks the same right password once a minute', async () => {
  await login('alice');
  made.now += 59_999;
  await login('alice');
  expect(verify).toHaveBeenCalledTimes(1);
  made.now += 1;
  await login('alice');
  expect(verify).toHaveBeenCalledTimes(2);
});

test('a remembered password does not help another password, name or address', async () => {
  await login('alice');
  await addUser(made.store, 'bob');
  expect(await codeOf(login('alice', `${PASSWORD}x`))).toBe('login-refused');
  expect((await login('bob')).name).toBe(parseUserName('bob'));
  await login('alice', PASSWORD, '192.0.2.2');
  expect(verify).toHaveBeenCalledTimes(4);
});

test('a remembered password ends with a new one, with disabling and with removal', async () => {
  await login('alice');
  await made.store.updateUser(alice, { passwordHash: await hashPassword(Buffer.from('another one')) }, NOON);
  expect(await codeOf(login('alice'))).toBe('login-refused');
  await login('alice', 'another one');
  await made.store.updateUser(alice, { disabled: true }, NOON);
  expect(await codeOf(login('alice', 'another one'))).toBe('login-refused');
  await made.store.updateUser(alice, { disabled: false }, NOON);
  await login('alice', 'another one');
  await made.store.removeUser(alice);
  expect(await codeOf(login('alice', 'another one'))).toBe('login-refused');
});

test('the same wrong password is one mistake for a minute, not for longer', async () => {
  for (const name of ['alice', 'nobody']) {
    for (let again = 0; again < 20; again++) expect(await codeOf(login(name, 'wrong horse'))).toBe('login-refused');
  }
  expect(verify).toHaveBeenCalledTimes(2);
  made.now += 60_000;
  expect(await codeOf(login('alice', 'wrong horse'))).toBe('login-refused');
  expect(verify).toHaveBeenCalledTimes(3);
});

test('a wrong password that becomes the right one is taken at once', async () => {
  expect(await codeOf(login('alice', 'another one'))).toBe('login-refused');
  await made.store.updateUser(alice, { passwordHash: await hashPassword(Buffer.from('another one')) }, NOON);
  expect((await login('alice', 'another one')).name).toBe(alice);
  expect(await codeOf(login('carol'))).toBe('login-refused');
  await addUser(made.store, 'carol');
  expect((await login('carol')).name).toBe(parseUserName('carol'));
});

test('equal credentials that come together are one check and one attempt', async () => {
  const users = await Promise.all(Array.from({ length: 20 }, () => login('alice')));
  expect(users.map((user) => user.name)).toEqual(Array(20).fill(alice));
  expect(verify).toHaveBeenCalledTimes(1);
});

test('different guesses that come together are counted one by one', async () => {
  const guesses = Array.from({ length: 12 }, (_, index) => codeOf(login('alice', `guess number ${index}`)));
  const codes = await Promise.all(guesses);
  expect(codes.filter((code) => code === 'login-refused')).toHaveLength(5);
  expect(codes.filter((code) => code === 'login-throttled')).toHaveLength(7);
  expect(verify).toHaveBeenCalledTimes(5);
});

test('the right password must wait too, and passes afterwards', async () => {
  for (let guess = 0; guess < 5; guess++) await codeOf(login('alice', `guess number ${guess}`));
  const error = await failure(login('alice'));
  expect([error.code, error.httpStatus, error.detail.retryAfter]).toEqual(['login-throttled', 429, 1]);
  made.now += 1000;
  expect((await login('alice')).name).toBe(alice);
});

test('unknown users are slowed down like known ones', async () => {
  for (let guess = 0; guess < 5; guess++) await codeOf(login('nobody', `guess number ${guess}`, `192.0.2.${guess}`));
  expect(await codeOf(login('nobody', 'guess number 6', '192.0.2.99'))).toBe('login-throttled');
  for (let guess = 0; guess < 5; guess++) await codeOf(login(`No${guess}`, PASSWORD, `198.51.100.${guess}`));
  expect(await codeOf(login('No6', PASSWORD, '198.51.100.99'))).toBe('login-throttled');
});

test('an endless password is refused without a check', async () => {
  expect(await codeOf(login('alice', 'a'.repeat(5000)))).toBe('login-refused');
  expect(verify).not.toHaveBeenCalled();
});

test('a flood is refused before it piles up', async () => {
  verify.mockImplementation(async () => false);
  const flood = Array.from({ length: 100 }, (_, index) =>
    codeOf(login(`user${index}`, PASSWORD, `2001:db8:${index}::1`)),
  );
  const codes = await Promise.all(flood);
  expect(codes.filter((code) => code === 'login-busy').length).toBeGreaterThanOrEqual(100 - 64 - 4);
  expect(codes.filter((code) => code === 'login-refused').length).toBeGreaterThanOrEqual(64);
});
