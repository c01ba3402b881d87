import { beforeEach, expect, test } from 'bun:test';
import { Permissions } from '../../src/accounts/permissions.ts';
import type { AccountStore } from '../../src/accounts/store/store.ts';
import { parseScope } from '../../src/core/scope.ts';
import { addUser, codeOf, userIn, world } from './world.ts';

const SETTINGS = { ownHosts: ['localhost:5000'], publicPull: ['library/*', 'docker.io/library/*'] };

let store: AccountStore;
let permissions: Permissions;
beforeEach(async () => {
  store = world().store;
  permissions = new Permissions(store, SETTINGS);
  await addUser(store, 'root', { admin: true });
  await addUser(store, 'alice');
  await addUser(store, 'bob', {
    grants: {
      'team/*': 'push',
      'team/secret': 'pull',
      'alice/shared': 'pull',
      'docker.io/bob/*': 'admin',
      'localhost:5000/ops/*': 'push',
    },
  });
});

async function allowed(user: string | undefined, scope: string): Promise<string> {
  const subject = user === undefined ? undefined : await userIn(store, user);
  return (await permissions.allowedActions(subject, parseScope(scope))).join(',');
}

test.each([
  // One's own namespace, as a registry path and as a GUN on every name of this server.
  ['alice', 'repository:alice:pull,push,delete', 'pull,push,delete'],
  ['alice', 'repository:alice/app:push,pull', 'pull,push'],
  ['alice', 'repository:alice/a/b:*', '*'],
  ['alice', 'repository:localhost:5000/alice/app:push,pull', 'pull,push'],
  ['alice', 'repository:127.0.0.1:5000/alice/app:*', '*'],
  ['alice', 'repository:[::1]:5000/alice/app:pull', 'pull'],
  ['alice', 'repository(plugin):alice/app:pull', 'pull'],

  // Somebody else's, and what looks like one's own.
  ['alice', 'repository:bob/app:pull,push,*', ''],
  ['alice', 'repository:alice2/app:pull', ''],
  ['alice', 'repository:alice-2/app:pull', ''],
  ['alice', 'repository:alice2:pull', ''],
  ['alice', 'repository:alic/app:pull', ''],
  ['alice', 'repository:bob/alice/app:pull', ''],
  ['alice', 'repository:alice/../bob/app:pull,push', ''],
  ['alice', 'repository:localhost:5000/alice/../bob/app:push', ''],
  ['alice', 'repository:localhost:5000/bob/app:pull', ''],
  ['alice', 'repository:localhost:5000/Alice/app:pull,push,*', ''],

  // Names of other registries: pull for every user, the rest for who was granted the full name.
  ['alice', 'repository:docker.io/alice/app:pull,push,*', 'pull'],
  ['alice', 'repository:localhost:50000/alice/app:pull,push', 'pull'],
  ['alice', 'repository:localhost:5000.evil.com/alice/app:pull,push', 'pull'],
  ['alice', 'repository:Alice/app:pull,push,delete', 'pull'],
  ['bob', 'repository:docker.io/bob/app:*', '*'],
  ['bob', 'repository:docker.io/bobby/app:push', ''],
  ['bob', 'repository:index.docker.io/bob/app:push', ''],

  // Grants.
  ['bob', 'repository:team/app:pull,push,delete', 'pull,push'],
  ['bob', 'repository:localhost:5000/team/app:pull,push', 'pull,push'],
  ['bob', 'repository:team/app:*', 'pull,push'],
  ['bob', 'repository:team/secret:push', 'push'],
  ['bob', 'repository:team:pull', ''],
  ['bob', 'repository:alice/shared:pull,push', 'pull'],
  ['bob', 'repository:alice/shared/more:pull', ''],
  ['bob', 'repository:ops/app:push', 'push'],
  ['bob', 'repository:localhost:5000/ops/app:push', 'push'],
  ['bob', 'repository:docker.io/team/app:push', ''],

  // Everybody.
  [undefined, 'repository:library/busybox:pull,push', 'pull'],
  [undefined, 'repository:localhost:5000/library/busybox:pull', 'pull'],
  [undefined, 'repository:docker.io/library/busybox:pull,push', 'pull'],
  [undefined, 'repository:docker.io/other/app:pull', ''],
  [undefined, 'repository:library:pull', ''],
  [undefined, 'repository:alice/app:pull', ''],
  [undefined, 'registry:catalog:*', ''],
  ['alice', 'repository:library/busybox:pull,push', 'pull'],

  // Administrators.
  ['root', 'repository:bob/app:pull,push,delete', 'pull,push,delete'],
  ['root', 'repository:docker.io/library/busybox:*', '*'],
  ['root', 'registry:catalog:*', '*'],
  ['root', 'registry:other:*', ''],
  ['root', 'repository:bob/../app:pull', ''],
  ['alice', 'registry:catalog:*', ''],

  // What is not an action, or not a resource.
  ['alice', 'repository:alice/app:', ''],
  ['alice', 'repository:alice/app:fly,pull', 'pull'],
  ['root', 'repository:alice/app:fly', ''],
  ['root', 'plugin:alice/app:pull', ''],
  ['alice', 'registry:alice/app:pull', ''],
])('%p asking for %p gets %p', async (user, scope, actions) => {
  expect(await allowed(user, scope)).toBe(actions);
});

test('no one can have the name of a host', async () => {
  for (const name of ['docker.io', 'localhost', 'localhost:5000']) {
    expect(await codeOf(addUser(store, name))).toBe('user-name-invalid');
  }
});

test('* makes everything public, names of other registries too, and nothing writable', async () => {
  permissions = new Permissions(store, { ...SETTINGS, publicPull: ['*'] });
  expect(await allowed(undefined, 'repository:alice/app:pull,push,*')).toBe('pull');
  expect(await allowed(undefined, 'repository:quay.io/a/b:pull,push')).toBe('pull');
  expect(await allowed(undefined, 'repository:alice/../b:pull')).toBe('');
  expect(await allowed(undefined, 'registry:catalog:*')).toBe('');
});

test('nothing is public where the list is empty', async () => {
  permissions = new Permissions(store, { ...SETTINGS, publicPull: [] });
  expect(await allowed(undefined, 'repository:library/busybox:pull')).toBe('');
});

test('a malformed public pattern is refused at once', async () => {
  expect(await codeOf(() => new Permissions(store, { ...SETTINGS, publicPull: ['library/**'] }))).toBe('grant-invalid');
});
