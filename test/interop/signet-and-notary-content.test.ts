import { expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fatal, succeeds } from '../support/notary-client.ts';
import { everywhere, LIMIT } from './both-clients.ts';

const HASH = ['--sha256', 'ab'.repeat(32)];

everywhere((open) => {
  test(
    'custom data: of both, staged and at once, and carried along by the other',
    async () => {
      const { gun, notary, signet, onServer, file } = await open('custom');
      await succeeds(signet('init', gun));
      const spaced = file('spaced.json', '{ "z": ["ä", 1],\n  "a": null }');
      await succeeds(signet('add', '--custom', spaced, '--size', '1', ...HASH, gun, 'at-once'));
      await succeeds(signet('add', '--stage', '--custom', spaced, '--size', '1', ...HASH, gun, 'staged'));
      await succeeds(notary('publish', gun));
      const canonical = file('canonical.json', '{"a":null,"z":["ä",1]}');
      await succeeds(notary('addhash', gun, 'by-notary', '1', ...HASH, '--custom', canonical, '-p'));
      await succeeds(notary('addhash', gun, 'by-both', '1', ...HASH, '--custom', spaced));
      await succeeds(signet('publish', gun));
      const targets = (await onServer())?.payload('targets').targets;
      for (const name of ['at-once', 'staged', 'by-notary', 'by-both']) {
        expect(targets?.[name]?.custom).toEqual({ z: ['ä', 1], a: null });
      }
      expect(await succeeds(notary('list', gun))).toContain('by-both');
    },
    LIMIT,
  );

  test(
    'custom data that notary could not sign again is not published, whoever staged it',
    async () => {
      const { gun, notary, signet, onServer, file } = await open('unfit');
      await succeeds(signet('init', gun));
      await succeeds(notary('addhash', gun, 'one', '1', ...HASH, '--custom', file('unfit.json', '"<"')));
      expect(await fatal(notary('publish', gun))).toContain('valid signatures did not meet threshold for targets');
      expect(await signet('publish', gun)).toMatchObject({
        exitCode: 1,
        stdout: '',
        stderr: 'custom data with <, >, & or a line separator cannot be signed by all clients\n',
      });
      expect((await onServer())?.sizes()).toEqual({});
    },
    LIMIT,
  );

  test(
    'both verify the same content, and notary reads what signet has cached',
    async () => {
      const { gun, notary, signet, file } = await open('content');
      await succeeds(signet('init', gun));
      await succeeds(signet('add', gun, 'one', file('right', 'hello')));
      file('wrong', 'hallo');
      expect(await succeeds(signet('verify', '-i', 'right', gun, 'one'))).toBe('hello');
      expect(await succeeds(notary('verify', gun, 'one', '-i', 'right'))).toBe('hello');
      const why = /data not present in the trusted collection, sha(256|512) checksum for .* did not match: expected /;
      const refused = await signet('verify', '-i', 'wrong', gun, 'one');
      expect([refused.exitCode, refused.stdout]).toEqual([1, '']);
      expect(refused.stderr).toMatch(why);
      expect(await fatal(notary('verify', gun, 'one', '-i', 'wrong'))).toMatch(why);

      const found = `one sha256:${createHash('sha256').update('hello').digest('hex')} 5\n`;
      expect(await succeeds(signet('lookup', gun, 'one'))).toBe(found);
      expect((await notary('-s', 'https://localhost:1', 'lookup', gun, 'one')).stdout).toContain(found);
      expect(await succeeds(notary('lookup', gun, 'one'))).toBe(found);
    },
    LIMIT,
  );

  test(
    'signet reads what notary has cached, once the server is out of reach',
    async () => {
      const { gun, notary, signet, folder } = await open('cached');
      await succeeds(notary('init', gun, '-p'));
      await succeeds(notary('addhash', gun, 'one', '1', ...HASH, '-p'));
      await succeeds(notary('list', gun));
      const elsewhere = ['--trust-dir', folder, '--server', 'https://localhost:1'];
      expect(await signet('lookup', ...elsewhere, gun, 'one')).toMatchObject({
        exitCode: 0,
        stdout: `one sha256:${HASH[1]} 1\n`,
        stderr:
          'Error while downloading remote metadata, using cached timestamp - this might not be the latest version available remotely\ncannot reach https://localhost:1: connection refused\n',
      });
    },
    LIMIT,
  );

  test(
    'keys that notary rotates: both go on',
    async () => {
      const { gun, notary, signet, onServer } = await open('rotated');
      await succeeds(signet('init', '--snapshot', 'client', gun));
      await succeeds(notary('key', 'rotate', gun, 'snapshot', '-r'));
      await succeeds(signet('add', '--size', '1', ...HASH, gun, 'one'));
      await succeeds(notary('key', 'rotate', gun, 'targets'));
      await succeeds(signet('add', '--size', '2', ...HASH, gun, 'two'));
      await succeeds(notary('remove', gun, 'one', '-p'));
      expect((await onServer())?.sizes()).toEqual({ two: 2 });
      await succeeds(signet('remove', gun, 'two'));
      expect(await succeeds(notary('list', gun))).toBe('\nNo targets present in this repository.\n\n');
    },
    LIMIT,
  );

  test(
    'what one deletes is gone for the other, here and on the server',
    async () => {
      const { gun, notary, signet, onServer, service, staged, folder } = await open('deleted');
      const root = join(folder, 'tuf', gun, 'metadata/root.json');
      await succeeds(signet('init', gun));
      await succeeds(notary('addhash', gun, 'one', '1', ...HASH));
      expect(existsSync(root)).toBe(true);
      await succeeds(signet('delete', gun));
      expect(existsSync(root)).toBe(false);
      expect(await staged()).toEqual([]);
      await succeeds(signet('add', '--stage', '--size', '1', ...HASH, gun, 'one'));
      await succeeds(notary('delete', gun));
      expect(await staged()).toEqual([]);
      expect(await succeeds(signet('delete', '--remote', '--yes', gun))).toBe(
        `Deleted the trust data of ${gun} here and from ${service.host}.\n`,
      );
      expect([await onServer(), existsSync(root)]).toEqual([undefined, false]);
      await succeeds(notary('init', gun, '-p'));
      await succeeds(notary('delete', gun, '--remote'));
      await succeeds(signet('init', gun));
    },
    LIMIT,
  );
});
