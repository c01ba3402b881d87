import { describe, expect, test } from 'bun:test';
import { succeeds } from '../support/notary-client.ts';
import { everywhere, LIMIT } from './both-clients.ts';

describe('an owner publishes what the server has lost', () => {
  everywhere((open) => {
    test.each(['notary', 'signet'] as const)(
      'with %s',
      async (client) => {
        const owner = await open(`lost-${client}`);
        const { gun } = owner;
        await succeeds(owner.signet('init', gun));
        await succeeds(owner.signet('add', gun, 'one', owner.file('one.txt', 'one')));
        await succeeds(owner.signet('list', gun));
        const operator = await open(`lost-${client}`);
        await succeeds(operator.signet('delete', '--remote', '--yes', gun));
        expect(await owner.onServer()).toBeUndefined();
        const { exitCode, stdout, stderr } = await owner[client]('publish', gun);
        expect([exitCode, stdout, stderr]).toEqual([0, expect.any(String), expect.any(String)]);
        expect((await owner.onServer())?.versions.root).toBeGreaterThanOrEqual(1);
        // notary leaves the old timestamp in the cache, which is newer than the server's first one.
        if (client === 'signet') expect(await succeeds(owner.signet('list', gun))).toContain('one');
      },
      LIMIT,
    );
  });
});
