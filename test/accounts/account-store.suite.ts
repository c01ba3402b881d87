import { beforeEach, describe, expect, test } from 'bun:test';
import { parsePattern } from '../../src/accounts/identity/grants.ts';
import { parseUserName } from '../../src/accounts/identity/user-name.ts';
import { type AccountStore, MAX_NETWORKS, MAX_REFRESH_TOKENS } from '../../src/accounts/store/store.ts';
import { codeOf, NOON, userIn } from './world.ts';

const alice = parseUserName('alice');
const bob = parseUserName('bob');
const nobody = parseUserName('nobody');
const LATER = NOON + 1000;
const team = { pattern: parsePattern('team/*'), level: 'push' } as const;

/** What every AccountStore must do. `open` gives an empty one. */
export function accountStoreSuite(name: string, open: () => Promise<AccountStore>): void {
  describe(name, () => {
    let store: AccountStore;
    beforeEach(async () => {
      store = await open();
      await store.addUser({ name: bob, passwordHash: 'hash of bob', admin: false }, NOON);
      await store.addUser({ name: alice, passwordHash: 'hash of alice', admin: true }, NOON);
    });

    const token = (fill: number, user = alice, expires = NOON + 5000) => ({
      hash: Buffer.alloc(32, fill),
      user,
      expires,
    });
    const remember = async (fill: number, user = alice, expires = NOON + 5000) =>
      store.addRefreshToken(token(fill, user, expires), (await userIn(store, user)).stamp, NOON);

    test('keeps what it was given', async () => {
      const user = await userIn(store, 'alice');
      expect(user).toEqual({
        name: alice,
        passwordHash: 'hash of alice',
        admin: true,
        disabled: false,
        stamp: user.stamp,
        created: NOON,
        updated: NOON,
      });
      expect(user.stamp.length).toBeGreaterThanOrEqual(20);
      expect(await store.user(nobody)).toBeUndefined();
    });

    test('lists users by name', async () => {
      expect((await store.users()).map((user) => user.name)).toEqual([alice, bob]);
    });

    test('refuses a second user of the same name, and keeps the first', async () => {
      const again = store.addUser({ name: alice, passwordHash: 'other', admin: false }, LATER);
      expect(await codeOf(again)).toBe('user-exists');
      expect((await userIn(store, 'alice')).passwordHash).toBe('hash of alice');
    });

    test('changes only what it is told to', async () => {
      const before = await userIn(store, 'alice');
      await store.updateUser(alice, { admin: false }, LATER);
      const after = await userIn(store, 'alice');
      expect(after).toEqual({ ...before, admin: false, stamp: after.stamp, updated: LATER });
      await store.updateUser(alice, { passwordHash: 'new' }, LATER);
      expect(await userIn(store, 'alice')).toMatchObject({ admin: false, disabled: false, passwordHash: 'new' });
      await store.updateUser(alice, { disabled: true }, LATER);
      expect(await userIn(store, 'alice')).toMatchObject({ admin: false, disabled: true, passwordHash: 'new' });
      await store.updateUser(alice, { disabled: false }, LATER);
      expect(await userIn(store, 'alice')).toMatchObject({ disabled: false });
      expect((await userIn(store, 'bob')).updated).toBe(NOON);
    });

    test('every change of a user or of the grants makes a new stamp', async () => {
      const changes = [
        () => store.updateUser(alice, { passwordHash: 'new' }, LATER),
        () => store.updateUser(alice, { admin: false }, LATER),
        () => store.updateUser(alice, { disabled: true }, LATER),
        () => store.grant(alice, team, LATER),
        () => store.revoke(alice, team.pattern, LATER),
        async () => {
          await store.removeUser(alice, NOON);
          await store.addUser({ name: alice, passwordHash: 'hash of alice', admin: true }, LATER);
        },
      ];
      const others = (await userIn(store, 'bob')).stamp;
      const stamps = new Set([(await userIn(store, 'alice')).stamp]);
      for (const change of changes) {
        await change();
        stamps.add((await userIn(store, 'alice')).stamp);
      }
      expect(stamps.size).toBe(changes.length + 1);
      expect((await userIn(store, 'bob')).stamp).toBe(others);
    });

    test('changes to unknown users fail', async () => {
      expect(await codeOf(store.updateUser(nobody, { admin: true }, NOON))).toBe('user-unknown');
      expect(await codeOf(store.removeUser(nobody, NOON))).toBe('user-unknown');
      expect(await codeOf(store.grant(nobody, team, NOON))).toBe('user-unknown');
      expect(await codeOf(store.revoke(nobody, team.pattern, NOON))).toBe('user-unknown');
      expect(await store.grants(nobody)).toEqual([]);
    });

    test('keeps one grant per user and pattern, the latest', async () => {
      await store.grant(alice, team, NOON);
      await store.grant(alice, { pattern: parsePattern('app'), level: 'pull' }, NOON);
      await store.grant(alice, { ...team, level: 'pull' }, NOON);
      await store.grant(bob, { ...team, level: 'admin' }, NOON);
      expect(await store.grants(alice)).toEqual([
        { pattern: parsePattern('app'), level: 'pull' },
        { pattern: team.pattern, level: 'pull' },
      ]);
      expect(await store.grants(bob)).toEqual([{ ...team, level: 'admin' }]);
    });

    test('revokes exactly one grant', async () => {
      await store.grant(alice, team, NOON);
      await store.grant(alice, { pattern: parsePattern('team/app'), level: 'admin' }, NOON);
      await store.revoke(alice, team.pattern, NOON);
      expect(await store.grants(alice)).toEqual([{ pattern: parsePattern('team/app'), level: 'admin' }]);
    });

    test('revoking what was not granted fails and changes nothing', async () => {
      const before = await userIn(store, 'alice');
      expect(await codeOf(store.revoke(alice, team.pattern, LATER))).toBe('grant-unknown');
      expect(await userIn(store, 'alice')).toEqual(before);
    });

    test('a removed user leaves no grants and no refresh tokens to the next of that name', async () => {
      await store.grant(alice, team, NOON);
      await remember(1);
      await store.removeUser(alice, NOON);
      expect(await store.user(alice)).toBeUndefined();
      await store.addUser({ name: alice, passwordHash: 'other', admin: false }, NOON);
      expect(await store.grants(alice)).toEqual([]);
      expect(await store.refreshToken(token(1).hash)).toBeUndefined();
    });

    test('keeps and extends refresh tokens', async () => {
      expect(await remember(1)).toBe(true);
      expect(await store.refreshToken(token(1).hash)).toEqual(token(1));
      await store.extendRefreshToken(token(1).hash, NOON + 9000);
      expect(await store.refreshToken(token(1).hash)).toEqual(token(1, alice, NOON + 9000));
      expect(await store.refreshToken(token(2).hash)).toBeUndefined();
    });

    test('keeps no refresh token for a user who was changed, disabled or removed meanwhile', async () => {
      const { stamp } = await userIn(store, 'alice');
      await store.updateUser(alice, { passwordHash: 'new' }, NOON);
      expect(await store.addRefreshToken(token(1), stamp, NOON)).toBe(false);
      await store.updateUser(alice, { disabled: true }, NOON);
      expect(await remember(1)).toBe(false);
      await store.removeUser(alice, NOON);
      expect(await store.addRefreshToken(token(1), stamp, NOON)).toBe(false);
      expect(await store.refreshToken(token(1).hash)).toBeUndefined();
    });

    test('a new password and disabling end the refresh tokens of that user only', async () => {
      for (const change of [{ passwordHash: 'new' }, { disabled: true }]) {
        await store.updateUser(alice, { disabled: false }, NOON);
        await remember(1);
        await remember(2, bob);
        await store.updateUser(alice, change, NOON);
        expect(await store.refreshToken(token(1).hash)).toBeUndefined();
        expect(await store.refreshToken(token(2).hash)).toEqual(token(2, bob));
        await store.updateUser(bob, { passwordHash: 'new' }, NOON);
      }
    });

    test('a new role or grant ends no refresh token', async () => {
      await remember(1);
      await store.updateUser(alice, { admin: false }, NOON);
      await store.grant(alice, team, NOON);
      expect(await store.refreshToken(token(1).hash)).toEqual(token(1));
    });

    test('drops expired refresh tokens when one is added', async () => {
      await remember(1, alice, NOON);
      await remember(2, alice, NOON + 1);
      await remember(3, bob);
      expect(await store.refreshToken(token(1).hash)).toBeUndefined();
      expect(await store.refreshToken(token(2).hash)).toEqual(token(2, alice, NOON + 1));
    });

    test('keeps the newest refresh tokens of a user, and all of the others', async () => {
      await remember(255, bob);
      for (let fill = 0; fill <= MAX_REFRESH_TOKENS; fill++) await remember(fill);
      expect(await store.refreshToken(token(0).hash)).toBeUndefined();
      expect(await store.refreshToken(token(1).hash)).toEqual(token(1));
      expect(await store.refreshToken(token(MAX_REFRESH_TOKENS).hash)).toEqual(token(MAX_REFRESH_TOKENS));
      expect(await store.refreshToken(token(255).hash)).toEqual(token(255, bob));
    });

    test('remembers when a user last came from a network', async () => {
      expect(await store.networkUsed(alice, '192.0.2.1')).toBeUndefined();
      await store.useNetwork(alice, '192.0.2.1', NOON);
      await store.useNetwork(alice, '192.0.2.1', LATER);
      await store.useNetwork(alice, '2001:db8::/64', NOON);
      expect(await store.networkUsed(alice, '192.0.2.1')).toBe(LATER);
      expect(await store.networkUsed(alice, '2001:db8::/64')).toBe(NOON);
      expect(await store.networkUsed(alice, '192.0.2.2')).toBeUndefined();
      expect(await store.networkUsed(bob, '192.0.2.1')).toBeUndefined();
      await store.useNetwork(nobody, '192.0.2.1', NOON);
      expect(await store.networkUsed(nobody, '192.0.2.1')).toBeUndefined();
    });

    test('remembers the networks that a user came from last, and all of the others', async () => {
      await store.useNetwork(bob, '192.0.2.0', NOON);
      for (let at = 0; at <= MAX_NETWORKS; at++) await store.useNetwork(alice, `192.0.2.${at}`, NOON + at);
      expect(await store.networkUsed(alice, '192.0.2.0')).toBeUndefined();
      expect(await store.networkUsed(alice, '192.0.2.1')).toBe(NOON + 1);
      expect(await store.networkUsed(alice, `192.0.2.${MAX_NETWORKS}`)).toBe(NOON + MAX_NETWORKS);
      expect(await store.networkUsed(bob, '192.0.2.0')).toBe(NOON);
    });

    test('a new password and a removal make every network strange; other changes do not', async () => {
      const isKnown = async () => (await store.networkUsed(alice, '192.0.2.1')) !== undefined;
      await store.useNetwork(alice, '192.0.2.1', NOON);
      await store.useNetwork(bob, '192.0.2.1', NOON);
      await store.updateUser(alice, { disabled: true, admin: false }, LATER);
      await store.updateUser(alice, { disabled: false }, LATER);
      expect(await isKnown()).toBe(true);
      await store.updateUser(alice, { passwordHash: 'new' }, LATER);
      expect(await isKnown()).toBe(false);
      await store.useNetwork(alice, '192.0.2.1', NOON);
      await store.removeUser(alice, LATER);
      await store.addUser({ name: alice, passwordHash: 'other', admin: false }, LATER);
      expect(await isKnown()).toBe(false);
      expect(await store.networkUsed(bob, '192.0.2.1')).toBe(NOON);
    });
  });
}
