import { beforeEach, describe, expect, test } from 'bun:test';
import { parsePattern } from '../../src/accounts/identity/grants.ts';
import { parseUserName } from '../../src/accounts/identity/user-name.ts';
import { type AccountEvents, type Actor, MAX_EVENTS } from '../../src/accounts/store/account-events.ts';
import type { AccountStore } from '../../src/accounts/store/store.ts';
import { codeOf, NOON } from './world.ts';

const root = { name: 'root (uid 0)', address: '192.0.2.9' };
const alice = parseUserName('alice');
const team = parsePattern('team/*');

/** An empty record, and the accounts whose changes it records. */
export interface EventsUnderTest {
  readonly events: AccountEvents;
  accounts(actor: Actor): AccountStore;
  /** Puts events into the record without changing accounts, at the times 0, 1, 2, … */
  fill(count: number): Promise<void>;
}

/** What every record of changes must do. */
export function accountEventsSuite(name: string, open: () => Promise<EventsUnderTest>): void {
  describe(name, () => {
    let opened: EventsUnderTest;
    let events: AccountEvents;
    let store: AccountStore;
    beforeEach(async () => {
      opened = await open();
      events = opened.events;
      store = opened.accounts(root);
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
      const latest = await events.latest(100);
      expect(latest.map(({ at, action, user, detail }) => [at - NOON, action, user, detail])).toEqual([
        [0, 'user added', 'alice', 'role user'],
        [1, 'user changed', 'alice', 'password'],
        [2, 'user changed', 'alice', 'role admin, state disabled'],
        [3, 'user changed', 'alice', 'role user, state enabled'],
        [4, 'grant given', 'alice', 'push on team/*'],
        [5, 'grant taken', 'alice', 'on team/*'],
        [6, 'user removed', 'alice', ''],
        [7, 'user added', 'alice', 'role admin'],
      ]);
      expect(new Set(latest.map(({ actor }) => JSON.stringify(actor)))).toEqual(new Set([JSON.stringify(root)]));
      expect(JSON.stringify(latest)).not.toContain('hash');
    });

    test('what failed is not recorded', async () => {
      expect(await codeOf(store.addUser({ name: alice, passwordHash: 'x', admin: true }, NOON))).toBe('user-exists');
      expect(await codeOf(store.revoke(alice, team, NOON))).toBe('grant-unknown');
      expect(await codeOf(store.removeUser(parseUserName('nobody'), NOON))).toBe('user-unknown');
      expect(await events.latest(100)).toHaveLength(1);
    });

    test('events are taken once each, those of other processes too', async () => {
      expect((await events.takeNew()).map(({ action }) => action)).toEqual(['user added']);
      expect(await events.takeNew()).toEqual([]);
      await store.updateUser(alice, { admin: true }, NOON);
      await store.removeUser(alice, NOON);
      expect((await events.takeNew()).map(({ action }) => action)).toEqual(['user changed', 'user removed']);
      expect(await events.takeNew()).toEqual([]);
      expect((await events.latest(2)).map(({ action }) => action)).toEqual(['user changed', 'user removed']);
    });

    test('events are taken once, however many take them at once', async () => {
      for (let change = 0; change < 20; change++) await store.grant(alice, { pattern: team, level: 'push' }, NOON);
      const taken = await Promise.all(Array.from({ length: 5 }, () => events.takeNew()));
      expect(taken.flat().length).toBe(21);
    });

    test('the record is bounded, the oldest give way', async () => {
      await opened.fill(MAX_EVENTS + 4);
      await store.grant(alice, { pattern: team, level: 'push' }, NOON);
      const kept = await events.latest(MAX_EVENTS * 2);
      expect([kept.length, kept[0]?.at, kept.at(-1)?.at]).toEqual([MAX_EVENTS, 5, NOON]);
    });
  });
}
