import { expect, test } from 'bun:test';
import { basic, PASSWORDS, Target } from './target.ts';
import { type Answer, exchange, HOST, request } from './wire.ts';

// Passwords are guessed: at one account, at many, all at once, and from addresses that are made up.

const target = await Target.start();
const proxied = await Target.start({ args: ['--behind-proxy=on'] });

/** One attempt to log in from where mallory is. */
function guess(on: Target, name: string, password: string, ...headers: readonly string[]): Promise<Answer> {
  const { Authorization } = basic(name, password);
  return exchange(on, request('GET /auth/token?service=signet', HOST, `Authorization: ${Authorization}`, ...headers));
}

/** How many of so many guesses, one after the other, were looked at; the rest was told to wait. */
async function lookedAt(on: Target, count: number, headers: (at: number) => readonly string[]): Promise<number> {
  const statuses: number[] = [];
  for (let at = 0; at < count; at++) {
    const answer = await guess(on, 'alice', crypto.randomUUID(), ...headers(at));
    statuses.push(...answer.statuses);
  }
  expect(statuses.filter((status) => status !== 401 && status !== 429)).toEqual([]);
  return statuses.filter((status) => status === 401).length;
}

/** Guesses that cost no waiting; each one more costs twice the time of the last, so there is no time for many. */
const FREE = 5;
const FEW = 4;

test('after five guesses the next one waits, while alice logs in from where she always does', async () => {
  await target.withstands(async () => {
    const first = await lookedAt(target, 20, () => []);
    expect(first).toBeGreaterThanOrEqual(FREE);
    expect(first).toBeLessThanOrEqual(FREE + FEW);
    let answer = await guess(target, 'alice', crypto.randomUUID());
    while (!/\r\nRetry-After: [2-9]\r\n/i.test(answer.text)) answer = await guess(target, 'alice', crypto.randomUUID());
    const right = await guess(target, 'alice', PASSWORDS.alice);
    expect(right.statuses).toEqual([429]);
  });
}, 60_000);

test('a password that was right a moment ago is no oracle: while guesses wait, all are answered alike', async () => {
  const from = 'X-Forwarded-For: 203.0.113.50';
  const send = async (password: string) => guess(proxied, 'alice', password, from);
  expect((await send(PASSWORDS.alice)).statuses).toEqual([200]);
  expect(await lookedAt(proxied, 20, () => [from])).toBeGreaterThanOrEqual(FREE);
  let wrong = await send(crypto.randomUUID());
  while (!/\r\nRetry-After: [2-9]\r\n/i.test(wrong.text)) wrong = await send(crypto.randomUUID());
  expect((await send(PASSWORDS.alice)).statuses).toEqual([429]);
  const header = `Authorization: ${basic('alice', PASSWORDS.alice).Authorization}`;
  expect((await exchange(proxied, request('GET /v2/', HOST, header, from))).statuses).toEqual([429]);
}, 60_000);

test('an address that a header makes up is not believed', async () => {
  const spoofed = (at: number) => [
    `X-Forwarded-For: 10.1.2.${at}`,
    `X-Real-IP: 10.1.2.${at}`,
    `Forwarded: for=10.1.2.${at}`,
  ];
  expect(await lookedAt(target, 20, spoofed)).toBeLessThanOrEqual(FEW);
}, 60_000);

test('behind a proxy the address that the proxy saw counts, whatever the client said before it', async () => {
  const spoofed = (at: number) => [`X-Forwarded-For: 10.1.2.${at}, 192.0.2.7`];
  const count = await lookedAt(proxied, 20, spoofed);
  expect(count).toBeGreaterThanOrEqual(FREE);
  expect(count).toBeLessThanOrEqual(FREE + FEW);
}, 60_000);

test('hundreds of logins at once, from many networks, leave other requests served', async () => {
  await proxied.withstands(
    async () => {
      const attempts = Array.from({ length: 400 }, (_, at) => {
        const address = `2001:db8:${at.toString(16)}::1`;
        return guess(proxied, `user${at}`, `password ${at}`, `X-Forwarded-For: ${address}`);
      });
      const answers = await Promise.all(attempts);
      const counted = (status: number) => answers.filter(({ statuses }) => statuses[0] === status).length;
      expect(counted(401) + counted(503)).toBe(400);
      expect(counted(401)).toBeGreaterThan(0);
      expect(counted(503)).toBeGreaterThan(0);
    },
    200 * 2 ** 20,
  );
}, 120_000);

test('hundreds of networks that guess at alice do not keep her out of a new one, nor a restart of one she knows', async () => {
  const from = (address: string) => `X-Forwarded-For: ${address}`;
  const known = '203.0.113.1';
  expect((await guess(proxied, 'alice', PASSWORDS.alice, from(known))).statuses).toEqual([200]);
  await proxied.server.stop();
  await proxied.server.start();
  const attack = Array.from({ length: 60 }, (_, at) => guess(proxied, 'alice', `guess ${at}`, from(`198.18.${at}.1`)));
  await Promise.all(attack);
  const login = async (address: string) => (await guess(proxied, 'alice', PASSWORDS.alice, from(address))).statuses;
  expect(await login('203.0.113.99')).toEqual([200]);
  expect(await login(known)).toEqual([200]);
}, 120_000);

test('one network cannot have all of IPv6 to guess from', async () => {
  const neighbour = (at: number) => [`X-Forwarded-For: 2001:db8:ffff:1::${at + 1}`];
  expect(await lookedAt(proxied, 20, neighbour)).toBeLessThanOrEqual(FREE + FEW);
}, 60_000);

test('passwords and names that are none are refused at once', async () => {
  await target.withstands(async () => {
    const names = ['', ' ', 'alice\0', 'alice\r\nX: y', '../alice', 'a'.repeat(1000), 'álice', '*', "alice' OR 1=1 --"];
    for (const name of names) {
      const answer = await guess(target, name, 'x');
      expect([name, answer.statuses.every((status) => [400, 401, 429].includes(status))]).toEqual([name, true]);
    }
    for (const header of [
      'Basic',
      'Basic ',
      'Basic !',
      `Basic ${'A'.repeat(8000)}`,
      'Basic YWxpY2U=',
      'Digest x',
      'Negotiate x',
    ]) {
      const answer = await exchange(
        target,
        request('GET /auth/token?service=signet', HOST, `Authorization: ${header}`),
      );
      expect([header, answer.statuses[0]]).toEqual([header, 400]);
    }
  });
}, 60_000);
