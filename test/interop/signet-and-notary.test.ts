import { expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { succeeds } from '../support/notary-client.ts';
import { everywhere, LIMIT } from './both-clients.ts';

const HASH = ['--sha256', 'ab'.repeat(32)];

everywhere((open) => {
  test(
    'init by notary, changes by both, publish by signet',
    async () => {
      const { gun, notary, signet, onServer } = await open('by-notary');
      await succeeds(notary('init', gun));
      await succeeds(notary('addhash', gun, 'one', '1', ...HASH));
      await succeeds(signet('add', '--stage', '--size', '2', ...HASH, gun, 'two'));
      expect(await succeeds(signet('publish', gun))).toBe(`Published to ${gun}.\n`);
      const after = await onServer();
      expect(after?.sizes()).toEqual({ one: 1, two: 2 });
      expect(after?.versions).toMatchObject({ root: 1, targets: 2, snapshot: 2 });
      expect(await succeeds(notary('list', gun))).toMatch(
        /^one +(ab){32} +1 +targets\s+two +(ab){32} +2 +targets\s+$/m,
      );
      expect(await succeeds(notary('status', gun))).toBe(`No unpublished changes for ${gun}\n`);
    },
    LIMIT,
  );

  test.each(['server', 'client'])(
    'init by signet with the snapshot of the %s, changes by both, publish by notary',
    async (snapshot) => {
      const { gun, notary, signet, onServer, file } = await open(`by-signet-${snapshot}`);
      await succeeds(signet('init', '--stage', '--snapshot', snapshot, gun));
      await succeeds(signet('add', '--stage', gun, 'one', file('one', 'hello')));
      await succeeds(notary('add', gun, 'two', file('two', 'hallo')));
      expect(await succeeds(notary('publish', gun))).toContain(
        `Successfully published changes for repository ${gun}\n`,
      );
      const hash = (name: string) => [name, createHash(name).update('hello').digest('base64')];
      const after = await onServer();
      expect(after?.sizes()).toEqual({ one: 5, two: 5 });
      expect(after?.payload('targets').targets.one?.hashes).toEqual(Object.fromEntries(['sha256', 'sha512'].map(hash)));
      await succeeds(signet('add', '--size', '3', ...HASH, gun, 'three'));
      await succeeds(notary('addhash', gun, 'four', '4', ...HASH, '-p'));
      expect((await onServer())?.sizes()).toEqual({ one: 5, two: 5, three: 3, four: 4 });
      expect((await onServer())?.versions.targets).toBe(4);
    },
    LIMIT,
  );

  test(
    'both show the same changes, and each takes back what the other has staged',
    async () => {
      const { gun, notary, signet, staged, certificate } = await open('status');
      await certificate('bob');
      await succeeds(signet('init', gun));
      await succeeds(signet('delegation add', '--stage', '--paths', 'v,w', gun, 'targets/bob', 'bob.crt'));
      await succeeds(notary('delegation', 'remove', gun, 'targets/bob', '--paths', 'v'));
      await succeeds(signet('delegation remove', '--stage', '--all-paths', gun, 'targets/bob'));
      await succeeds(signet('delegation purge', '--stage', '--key', 'ab'.repeat(32), gun));
      await succeeds(signet('witness', '--stage', gun, 'targets'));
      await succeeds(notary('remove', gun, 'one'));
      await succeeds(signet('remove', '--stage', '-r', 'targets/bob', gun, 'two'));
      await succeeds(signet('delegation remove', '--stage', '--yes', gun, 'targets/bob'));
      expect(await staged()).toEqual([
        ['create', 'targets/bob', 'delegation'],
        ['update', 'targets/bob', 'delegation'],
        ['update', 'targets/bob', 'delegation'],
        ['update', 'targets/*', 'delegation'],
        ['update', 'targets', 'witness'],
        ['delete', 'targets', 'target', 'one'],
        ['delete', 'targets/bob', 'target', 'two'],
        ['delete', 'targets/bob', 'delegation'],
      ]);
      await succeeds(notary('reset', gun, '-n', '0,1,2,7'));
      await succeeds(signet('reset', '-n', '0,2', gun));
      expect(await staged()).toEqual([
        ['update', 'targets', 'witness'],
        ['delete', 'targets/bob', 'target', 'two'],
      ]);
      await succeeds(signet('reset', '--all', gun));
      expect(await staged()).toEqual([]);
    },
    LIMIT,
  );

  test(
    'delegations and roles: what one stages the other publishes, with keys of both',
    async () => {
      const { gun, notary, signet, onServer, certificate } = await open('delegations');
      for (const name of ['bob', 'carol']) await certificate(name);
      await succeeds(notary('init', gun, '-p'));
      await succeeds(notary('key', 'import', 'bob.pem', '-r', 'bob'));
      await succeeds(signet('delegation add', '--stage', '--all-paths', gun, 'targets/bob', 'bob.crt'));
      await succeeds(notary('publish', gun));
      await succeeds(notary('delegation', 'add', gun, 'targets/carol', 'carol.crt', '--paths', 'c'));
      await succeeds(signet('publish', gun));
      const listed = await succeeds(signet('delegation list', gun));
      const rows = listed.split('\n').map((row) => row.split(/ {3,}/));
      expect(rows.slice(1, 3).map(([role, paths, , threshold]) => [role, paths, threshold])).toEqual([
        ['targets/bob', '"" <all paths>', '1'],
        ['targets/carol', 'c', '1'],
      ]);
      const [bob = '', carol = ''] = rows.slice(1, 3).map((row) => row[2]);
      const byNotary = await succeeds(notary('delegation', 'list', gun));
      for (const id of [bob, carol]) expect(byNotary).toContain(id);

      await succeeds(signet('add', '--stage', '-r', 'targets/bob', '--size', '1', ...HASH, gun, 'one'));
      await succeeds(notary('publish', gun));
      await succeeds(notary('addhash', gun, 'two', '2', ...HASH, '-r', 'targets/bob'));
      await succeeds(signet('publish', gun));
      expect((await onServer())?.sizes('targets/bob')).toEqual({ one: 1, two: 2 });
      expect(await succeeds(notary('lookup', gun, 'two'))).toBe(await succeeds(signet('lookup', gun, 'two')));

      await succeeds(signet('witness', '--stage', gun, 'targets/bob'));
      await succeeds(notary('publish', gun));
      await succeeds(notary('witness', gun, 'targets/bob'));
      await succeeds(signet('publish', gun));
      expect((await onServer())?.versions['targets/bob']).toBe(4);

      await succeeds(signet('delegation remove', '--stage', '--paths', 'c', gun, 'targets/carol'));
      await succeeds(notary('publish', gun));
      await succeeds(notary('delegation', 'purge', gun, '--key', carol));
      await succeeds(signet('publish', gun));
      expect((await onServer())?.delegationsOf()['targets/carol']).toMatchObject({ keyids: [], threshold: 1 });
      await succeeds(signet('delegation remove', '--stage', '--yes', gun, 'targets/carol'));
      await succeeds(notary('publish', gun));
      expect(Object.keys((await onServer())?.delegationsOf() ?? {})).toEqual(['targets/bob']);
    },
    LIMIT,
  );
});
