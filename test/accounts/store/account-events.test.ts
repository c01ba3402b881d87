import type { Database } from 'bun:sqlite';
import { beforeEach, expect, test } from 'bun:test';
import { parsePattern } from '../../../src/accounts/identity/grants.ts';
import { parseUserName } from '../../../src/accounts/identity/user-name.ts';
import { latestEvents, MAX_EVENTS, recordEvent, takeNewEvents } from '../../../src/accounts/store/account-events.ts';
import { SqliteAccountStore } from '../../../src/accounts/store/sqlite-store.ts';
import { codeOf, emptyDatabase, NOON } from '../world.ts';

const root = { name: 'root (uid 0)', address: '192.0.2.9' };
const alice = parseUserName('alice');
const team = parsePattern('team/*');

let database: Database;
let store: SqliteAccountStore;
beforeEach(async () => {
  database = emptyDatabase();
  store = new SqliteAccountStore(database, root);
  await store.addUser({ name: alice, passwordHash: 'secret hash', admin: false }, NOON);
});

test('every change is recorded, with who made it, where, when and what', async () => {
  await store.updateUser(alice, { passwordHash: 'other secret hash' }, NOON + 1);
  await store.updateUser(alice, { admin: true, disabled: true }, NOON + 2);
  await store.updateUser(alice, { admin: false, disabled: false }, NOON + 3);
  await store.grant(alice, { pattern: team, level: 'push' }, NOON + 4);
  await store.revoke(alice, team, NOON + 5);
  await store.removeUser(alice, NOON + 6);
  await store.addUser({ name: alice, passwordHash: 'hash', admin: true }, NOON + 7);
  const events = latestEvents(database, 100);
  expect(events.map(({ at, action, user, detail }) => [at - NOON, action, user, detail])).toEqual([
    [0, 'user added', 'alice', 'role user'],
    [1, 'user changed', 'alice', 'password'],
    [2, 'user changed', 'alice', 'role admin, state disabled'],
    [3, 'user changed', 'alice', 'role user, state enabled'],
    [4, 'grant given', 'alice', 'push on team/*'],
    [5, 'grant taken', 'alice', 'on team/*'],
    [6, 'user removed', 'alice', ''],
    [7, 'user added', 'alice', 'role admin'],
  ]);
  expect(new Set(events.map(({ actor }) => JSON.stringify(actor)))).toEqual(new Set([JSON.stringify(root)]));
  expect(JSON.stringify(events)).not.toContain('hash');
});

test('what failed is not recorded', async () => {
  expect(await codeOf(store.addUser({ name: alice, passwordHash: 'x', admin: true }, NOON))).toBe('user-exists');
  expect(await codeOf(store.revoke(alice, team, NOON))).toBe('grant-unknown');
  expect(await codeOf(store.removeUser(parseUserName('nobody'), NOON))).toBe('user-unknown');
  expect(latestEvents(database, 100)).toHaveLength(1);
});

test('events are taken once each, those of other processes too', async () => {
  expect(takeNewEvents(database).map(({ action }) => action)).toEqual(['user added']);
  expect(takeNewEvents(database)).toEqual([]);
  await store.updateUser(alice, { admin: true }, NOON);
  await store.removeUser(alice, NOON);
  expect(takeNewEvents(database).map(({ action }) => action)).toEqual(['user changed', 'user removed']);
  expect(takeNewEvents(database)).toEqual([]);
  expect(latestEvents(database, 2).map(({ action }) => action)).toEqual(['user changed', 'user removed']);
});

test('the record is bounded, the oldest give way', () => {
  const event = { actor: root, action: 'grant given', user: 'alice', detail: '' } as const;
  for (let at = 0; at < MAX_EVENTS + 5; at++) recordEvent(database, { ...event, at });
  const kept = latestEvents(database, MAX_EVENTS * 2);
  expect([kept.length, kept[0]?.at]).toEqual([MAX_EVENTS, 5]);
});
