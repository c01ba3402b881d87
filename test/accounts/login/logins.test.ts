import { afterEach, beforeEach, describe, expect, spyOn, test } from 'bun:test';
import { hashPassword } from '../../../src/accounts/identity/password.ts';
import { parseUserName } from '../../../src/accounts/identity/user-name.ts';
import type { Logins } from '../../../src/accounts/login/logins.ts';
import { networkOf } from '../../../src/accounts/login/network.ts';
import { DAY } from '../../../src/core/time.ts';
import { addUser, codeOf, failure, loginsOf, NOON, PASSWORD, type World, world } from '../world.ts';

const HERE = '192.0.2.1';
const alice = parseUserName('alice');

let verify = spyOn(Bun.password, 'verify');
let made: World;
let logins: Logins;
beforeEach(async () => {
  made = world();
  logins = loginsOf(made);
  await addUser(made.store, 'alice');
  verify = spyOn(Bun.password, 'verify');
});
afterEach(() => verify.mockRestore());

/** Argon2 takes its time, and these tests do not need it. */
const checkQuickly = () =>
  verify.mockImplementation(async (password) => Buffer.from(password as Uint8Array).toString() === PASSWORD);

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
  made.elapsed += 59_999;
  await login('alice');
  expect(verify).toHaveBeenCalledTimes(1);
  made.elapsed += 1;
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
  await made.store.removeUser(alice, NOON);
  expect(await codeOf(login('alice', 'another one'))).toBe('login-refused');
});

test('the same wrong password is one mistake, checked once and logged once a minute', async () => {
  for (const name of ['alice', 'nobody']) {
    for (let again = 0; again < 20; again++) expect(await codeOf(login(name, 'wrong horse'))).toBe('login-refused');
  }
  expect(verify).toHaveBeenCalledTimes(2);
  expect(made.logged).toHaveLength(2);
  for (let minute = 0; minute < 100; minute++) {
    made.elapsed += 60_000;
    expect(await codeOf(login('alice', 'wrong horse'))).toBe('login-refused');
  }
  expect(verify).toHaveBeenCalledTimes(2);
  expect(made.logged).toHaveLength(102);
  expect((await login('alice')).name).toBe(alice);
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

test('the right password waits a moment where so many wrong ones came from, and passes then', async () => {
  for (let guess = 0; guess < 5; guess++) await codeOf(login('alice', `guess number ${guess}`));
  const error = await failure(login('alice'));
  expect([error.code, error.httpStatus, error.detail.retryAfter]).toEqual(['login-throttled', 429, 1]);
  made.elapsed += 1000;
  expect((await login('alice')).name).toBe(alice);
});

test('while a network waits, the password that was right a moment ago is answered like every guess', async () => {
  checkQuickly();
  await login('alice');
  for (let guess = 0; guess < 5; guess++) expect(await codeOf(login('alice', `guess ${guess}`))).toBe('login-refused');
  const answers = await Promise.all(
    ['guess 5', 'guess 0', PASSWORD].map(async (password) => {
      const { code, message, detail } = await failure(login('alice', password));
      return { code, message, detail };
    }),
  );
  expect(answers).toEqual(
    Array(3).fill({
      code: 'login-throttled',
      message: 'too many failed logins, try again in 1 s',
      detail: { retryAfter: 1 },
    }),
  );
  made.elapsed += 1000;
  expect((await login('alice')).name).toBe(alice);
});

test('a guess that joins a check of the right password waits like every other', async () => {
  const right = Promise.withResolvers<boolean>();
  verify.mockImplementation((password) =>
    Buffer.from(password as Uint8Array).toString() === PASSWORD ? right.promise : Promise.resolve(false),
  );
  await made.store.useNetwork(alice, networkOf(HERE), NOON);
  logins = loginsOf(made);
  const first = login('alice');
  for (let guess = 0; guess < 4; guess++) await codeOf(login('alice', `guess ${guess}`));
  made.elapsed += 1000;
  expect(await codeOf(login('alice', 'guess 4'))).toBe('login-refused');
  const joined = codeOf(login('alice'));
  right.resolve(true);
  expect((await first).name).toBe(alice);
  expect(await joined).toBe('login-throttled');
});

test('after a few mistakes, a client that sends the right password each time never waits', async () => {
  checkQuickly();
  for (let guess = 0; guess < 9; guess++) {
    await codeOf(login('alice', `guess ${guess}`));
    made.elapsed += 30_000;
  }
  for (let request = 0; request < 200; request++) {
    const together = await Promise.all([login('alice'), login('alice'), login('alice')]);
    expect(together.map(({ name }) => name)).toEqual([alice, alice, alice]);
    made.elapsed += 1500;
  }
});

test('unknown users are slowed down like known ones, known networks or not', async () => {
  checkQuickly();
  const reactions = async (name: string, block: string) => {
    made.held.length = 0;
    const codes: string[] = [];
    for (let guess = 0; guess < 9; guess++) {
      codes.push(await codeOf(login(name, `guess number ${guess}`, `${block}.${guess}`)));
    }
    for (let guess = 0; guess < 7; guess++) codes.push(await codeOf(login(name, `guess ${guess}`, `${block}.99`)));
    return [codes, [...made.held]];
  };
  const known = await reactions('alice', '198.51.100');
  expect(known[1]).toEqual([1000, 2000, 4000, 4000, 4000, 4000, 4000, 4000, 4000]);
  expect(known[0]?.slice(-2)).toEqual(['login-throttled', 'login-throttled']);
  expect(await reactions('nobody', '198.51.101')).toEqual(known);
  expect(await reactions('No one', '198.51.102')).toEqual(known);
});

describe('while strangers guess from many networks', () => {
  const guess = async (count: number, word = 'guess') => {
    for (let at = 0; at < count; at++) await codeOf(login('alice', `${word} ${at}`, `198.51.${at >> 8}.${at & 255}`));
  };
  beforeEach(checkQuickly);

  test('the right password from a new network is held for one short delay, and taken', async () => {
    await guess(1000);
    made.held.length = 0;
    expect((await login('alice')).name).toBe(alice);
    expect(made.held).toEqual([4000]);
  });

  test('from a familiar network it is taken at once, also after a restart and from another clock', async () => {
    await login('alice');
    logins = loginsOf(made);
    made.now += 89 * DAY;
    await guess(100);
    made.held.length = 0;
    expect((await login('alice')).name).toBe(alice);
    expect(made.held).toEqual([]);
  });

  test('a network is familiar for ninety days after the last login from it', async () => {
    await login('alice');
    for (let month = 0; month < 4; month++) {
      made.now += 80 * DAY;
      made.elapsed += 80 * DAY;
      await login('alice');
    }
    logins = loginsOf(made);
    await guess(10);
    made.held.length = 0;
    made.now += 90 * DAY - 1;
    await login('alice');
    expect(made.held).toEqual([]);
    made.now += 90 * DAY;
    made.elapsed += 60_000;
    await guess(10, 'another guess');
    made.held.length = 0;
    await login('alice');
    expect(made.held).toEqual([4000]);
  });

  test('the network of someone else, or of the password before this one, is not familiar', async () => {
    await addUser(made.store, 'bob');
    await login('bob');
    await guess(10);
    await login('alice', PASSWORD);
    expect(made.held.at(-1)).toBe(4000);
    await made.store.updateUser(alice, { passwordHash: await hashPassword(Buffer.from(PASSWORD)) }, NOON);
    made.held.length = 0;
    await login('alice', PASSWORD);
    expect(made.held).toEqual([4000]);
  });

  test('no more attempts are held than there is room for', async () => {
    await guess(20);
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { store, settings } = made;
    logins = loginsOf({ ...made, settings: { ...settings, sleep: () => gate } });
    for (let at = 0; at < 5; at++) await codeOf(login('alice', `again ${at}`, `203.0.113.${at}`));
    const waiting = Array.from({ length: 300 }, (_, at) => codeOf(login('alice', `held ${at}`, `192.0.${at}.7`)));
    const busy = await Promise.all(waiting.slice(256));
    expect(busy).toEqual(Array(44).fill('login-busy'));
    release();
    expect(new Set(await Promise.all(waiting.slice(0, 256)))).toEqual(new Set(['login-refused', 'login-busy']));
    expect(await store.user(alice)).toBeDefined();
  });
});

test('a clock that is set forward and back locks no one out, and forgets no failures', async () => {
  checkQuickly();
  made.now += DAY;
  for (let guess = 0; guess < 5; guess++) await codeOf(login('alice', `guess number ${guess}`));
  made.now -= DAY;
  expect((await failure(login('alice'))).detail.retryAfter).toBe(1);
  made.elapsed += 1000;
  expect((await login('alice')).name).toBe(alice);
  await codeOf(login('alice', 'wrong horse'));
  made.now += DAY;
  made.elapsed += 60_000;
  const checks = verify.mock.calls.length;
  expect((await login('alice')).name).toBe(alice);
  expect(verify).toHaveBeenCalledTimes(checks + 1);
});

describe('logs', () => {
  test('each failure with account, address and reason, and never the password', async () => {
    await addUser(made.store, 'bob');
    await made.store.updateUser(parseUserName('bob'), { disabled: true }, NOON);
    await codeOf(login('alice', 'wrong horse'));
    await codeOf(login('bob', PASSWORD));
    await codeOf(login('nobody', PASSWORD, '2001:db8::1'));
    await codeOf(login('No\nbody', PASSWORD));
    expect(made.logged).toEqual([
      'warning login failed {"user":"alice","address":"192.0.2.1","reason":"wrong password"}',
      'warning login failed {"user":"bob","address":"192.0.2.1","reason":"the user is disabled"}',
      'warning login failed {"user":"nobody","address":"2001:db8::1","reason":"no such user"}',
      'warning login failed {"address":"192.0.2.1","reason":"no such user"}',
    ]);
  });

  test('who must wait once a minute', async () => {
    for (let guess = 0; guess < 50; guess++) await codeOf(login('alice', `guess number ${guess}`));
    expect(made.logged.slice(5)).toEqual([
      'warning login failed {"user":"alice","address":"192.0.2.1","reason":"too many failures before"}',
    ]);
  });

  test('a login from a new network, once', async () => {
    for (let again = 0; again < 3; again++) {
      made.elapsed += 60_000;
      await login('alice');
    }
    expect(made.logged).toEqual(['info login from a new network {"user":"alice","address":"192.0.2.1"}']);
  });
});

test('a network that cannot be stored does not stop a login', async () => {
  made.store.useNetwork = () => Promise.reject(new Error('database or disk is full'));
  expect((await login('alice')).name).toBe(alice);
  expect(made.logged.at(-1)).toBe(
    'warning a network could not be stored as familiar {"user":"alice","address":"192.0.2.1","error":"Error: database or disk is full"}',
  );
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
