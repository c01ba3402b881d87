import { describe, expect, test } from 'bun:test';
import { LIMITS } from '../../src/core/limits.ts';
import { isBaseRole, RELEASES, type RoleName } from '../../src/core/names/role.ts';
import { DAY, YEAR } from '../../src/core/time.ts';
import { put } from '../support/forgery.ts';
import { expiring, type Simulator, versioned } from '../support/simulator.ts';
import { play } from './malicious/play.ts';
import { ALICE, makeWorld, type World } from './malicious/world.ts';

// Attacks with what was rightly signed once, or with versions, each on every command, of somebody who was here before
// (warm) and of somebody who was not (cold). `relist` and `restamp` are what a thief of the online keys can do.

/** What a delegation that has expired spoke for has no answer; whoever may, signs it again. */
const unusable = { all: 'role-unusable', inspect: 'goes on', sign: 'goes on' } as const;

describe('rollback', () => {
  play([
    {
      name: 'of everything, by replaying what was signed before',
      lie: ({ simulator, old }) => simulator.serve(old),
      warm: 'version-rollback',
    },
    {
      name: 'of the snapshot, by a thief of the timestamp key',
      lie: ({ simulator, old, honest }) => {
        simulator.serve(new Map([...honest, ...[...old].filter(([role]) => role !== 'timestamp')]));
        simulator.restamp();
      },
      warm: 'version-rollback',
    },
    ...(['targets', RELEASES, ALICE] as const).map((role) => ({
      name: `of ${role}, by a thief of the online keys`,
      lie: (world: World) => {
        restore(world, role);
        world.simulator.relist();
      },
      warm: 'version-rollback' as const,
    })),
    {
      name: 'of the root, with everything that belongs to it',
      before: async ({ simulator }) => void (await simulator.rotateRoot()),
      lie: ({ simulator, old }) => simulator.serve(old),
      warm: 'version-rollback',
    },
    {
      name: 'of the root alone, by a thief of the online keys',
      before: async ({ simulator }) => void (await simulator.rotateRoot()),
      lie: (world) => {
        restore(world, 'root');
        world.simulator.relist();
      },
      warm: 'version-rollback',
    },
  ]);
});

describe('fast-forward', () => {
  play([
    ...(['timestamp', 'snapshot', 'targets', RELEASES] as const).map((role) => ({
      name: `of ${role} beyond all versions`,
      lie: ({ simulator }: World) => {
        simulator.forge(role, versioned(2 ** 31));
        if (role === 'snapshot') simulator.restamp();
        else if (role !== 'timestamp') simulator.relist();
      },
      warm: 'metadata-malformed' as const,
      cold: 'metadata-malformed' as const,
    })),
    ...[3, LIMITS.rootChain + 2].map((version) => ({
      name: `of the root to version ${version}, by a thief of its key`,
      lie: ({ simulator }: World) => {
        simulator.forge('root', versioned(version));
        simulator.relist();
      },
      warm: version > LIMITS.rootChain ? ('version-jump' as const) : ('trust-data-missing' as const),
    })),
  ]);
});

describe('recovery from a fast-forward', () => {
  for (const role of ['timestamp', 'snapshot', 'targets', RELEASES] as const) {
    test(`of ${role} comes with another key, and no sooner`, async () => {
      const { simulator, honest, warm, cold, started } = await makeWorld({});
      simulator.forge(role, versioned(2 ** 31 - 1));
      if (role === 'snapshot') simulator.restamp();
      else if (role !== 'timestamp') simulator.relist();
      expect(await warm.type('inspect')).toMatchObject({ exitCode: 0 });
      simulator.serve(honest);
      expect(await warm.type('run')).toMatchObject({ exitCode: 125, code: 'version-rollback' });
      expect(started()).toEqual([]);

      await simulator.edit((editor) => {
        const fresh = (role === 'targets' || role === RELEASES ? simulator.owner : simulator.online).make();
        if (isBaseRole(role)) return editor.replaceKeys(role, [fresh]);
        const ids = editor.delegationsOf('targets').find(({ name }) => name === RELEASES)?.keyIds ?? [];
        editor.addDelegation(RELEASES, [fresh], []);
        editor.removeDelegationKeys(RELEASES, ids);
        editor.witness(RELEASES);
      });
      for (const victim of [warm, cold]) expect(await victim.type('run')).toMatchObject({ exitCode: 0 });
      expect(started()).toHaveLength(2);
    });
  }
});

describe('indefinite freeze', () => {
  play([
    {
      name: 'of everything, until the timestamp expires',
      age: 15 * DAY,
      lie: () => {},
      warm: 'metadata-expired',
      cold: 'metadata-expired',
    },
    {
      name: 'of everything, by silence',
      age: 15 * DAY,
      lie: ({ server }) => void server.lies.set('timestamp', () => new Response(null, { status: 500 })),
      warm: { all: 'metadata-expired', sign: 'server-error' },
      cold: 'server-error',
    },
    {
      name: 'until the snapshot expires, whatever timestamp a thief makes',
      age: 4 * YEAR,
      lie: ({ simulator }) => simulator.restamp(expiring(Date.now() + YEAR)),
      warm: 'metadata-expired',
      cold: 'metadata-expired',
    },
    {
      name: 'until targets expires, whatever the online keys sign',
      age: 4 * YEAR,
      lie: ({ simulator }) => stampAnew(simulator),
      warm: 'metadata-expired',
      cold: 'metadata-expired',
    },
    {
      name: 'until targets/releases expires, whatever the others sign',
      age: 4 * YEAR,
      lie: ({ simulator }) => {
        for (const role of ['targets', ALICE] as const) simulator.forge(role, expiring(Date.now() + YEAR));
        stampAnew(simulator);
      },
      warm: unusable,
      cold: unusable,
      isNoted: true,
    },
    {
      name: 'until the root expires, whatever the others sign',
      age: 11 * YEAR,
      lie: ({ simulator }) => {
        for (const role of ['targets', RELEASES, ALICE] as const) simulator.forge(role, expiring(Date.now() + YEAR));
        stampAnew(simulator);
      },
      warm: 'metadata-expired',
      cold: 'root-untrusted',
    },
  ]);
});

describe('a file that is hidden', () => {
  const leaving = (role: RoleName) => put(['meta', role], undefined);
  play([
    ...([RELEASES, ALICE] as const).map((role) => ({
      name: `${role}, from the snapshot, by a thief of the online keys`,
      lie: ({ simulator }: World) => simulator.relist(leaving(role)),
      warm: 'role-withheld' as const,
    })),
    {
      name: 'under its signatures',
      lie: ({ simulator }) => {
        simulator.forge(RELEASES, [], []);
        simulator.relist();
      },
      warm: unusable,
      cold: unusable,
      isNoted: true,
    },
  ]);
});

describe('mix and match', () => {
  play([
    ...(['snapshot', 'targets', RELEASES, ALICE] as const).map((role) => ({
      name: `of a new collection with old ${role}`,
      knows: 'old' as const,
      lie: ({ server, old }: World) => void server.lies.set(role, old.get(role) ?? Buffer.of()),
      warm: 'checksum-mismatch' as const,
      cold: 'checksum-mismatch' as const,
    })),
    {
      name: 'of a new root with an old snapshot',
      lie: async ({ simulator, honest }) => {
        await simulator.rotateRoot();
        simulator.serve(new Map([...honest, ['root', simulator.file('root')]]));
      },
      cold: 'root-outdated',
    },
    {
      name: 'of an old root with a new snapshot',
      lie: async ({ server, simulator, honest }) => {
        await simulator.rotateRoot();
        server.lies.set('root', honest.get('root') ?? Buffer.of());
      },
      warm: 'root-outdated',
      cold: 'root-outdated',
    },
  ]);
});

function restore({ simulator, old, honest }: World, role: RoleName): void {
  simulator.serve(new Map([...honest, [role, old.get(role) ?? Buffer.of()]]));
}

function stampAnew(simulator: Simulator): void {
  simulator.relist(expiring(Date.now() + YEAR));
  simulator.restamp(expiring(Date.now() + YEAR));
}
