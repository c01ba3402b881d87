import { describe } from 'bun:test';
import type { PublicKey } from '../../src/core/keys/public-key.ts';
import { LIMITS } from '../../src/core/limits.ts';
import { targetJson } from '../../src/core/metadata/targets.ts';
import { parseGun } from '../../src/core/names/gun.ts';
import { parseDelegation, RELEASES } from '../../src/core/names/role.ts';
import { change, put, type Signer, tree } from '../support/forgery.ts';
import { type Simulator, versioned } from '../support/simulator.ts';
import { TestKeys } from '../support/test-keys.ts';
import { EVIL, targetOf } from './malicious/images.ts';
import { type Attack, play } from './malicious/play.ts';
import { ALICE, type World } from './malicious/world.ts';

// Attacks with keys: stolen ones, a stranger's own, and what those who hold some of them can make of roots and delegations.

const sellEvil = put(['targets', 'latest'], targetJson(targetOf(EVIL)));
const thief = new TestKeys();
const BOB = parseDelegation('targets/bob');
/** Nothing new is released, and what is known stays. */
const UNMOVED = { warm: 'goes on', cold: 'goes on' } as const;

describe('keys stolen below the threshold', () => {
  /** The role has three keys, two of which must sign; the victim has seen that. */
  const guarded = (role: 'root' | 'targets' | 'snapshot' | 'timestamp') => async (world: World) => {
    const keys = role === 'snapshot' || role === 'timestamp' ? world.simulator.online : world.simulator.owner;
    const make = () => (role === 'root' ? keys.makeRoot(world.server.gun, Date.now()) : keys.make());
    await world.simulator.edit((editor) => editor.replaceKeys(role, [make(), make(), make()], 2));
  };
  const stolen = (simulator: Simulator, role: Parameters<Simulator['signersOf']>[0]) =>
    simulator.signersOf(role)[0] as Signer;

  play([
    ...[1, 3].map(
      (times): Attack => ({
        name: `of targets, used ${times} times`,
        before: guarded('targets'),
        lie: ({ simulator }) => {
          simulator.forge('targets', [sellEvil, versioned(9)], Array(times).fill(stolen(simulator, 'targets')));
          simulator.relist();
        },
        warm: 'threshold-not-met',
        cold: 'threshold-not-met',
      }),
    ),
    {
      name: 'of the snapshot',
      before: guarded('snapshot'),
      lie: ({ simulator }) => {
        simulator.forge('snapshot', versioned(9), [stolen(simulator, 'snapshot')]);
        simulator.restamp();
      },
      warm: 'threshold-not-met',
      cold: 'threshold-not-met',
    },
    {
      name: 'of the timestamp',
      before: guarded('timestamp'),
      lie: ({ simulator }) => simulator.forge('timestamp', versioned(9), [stolen(simulator, 'timestamp')]),
      warm: 'threshold-not-met',
      cold: 'threshold-not-met',
    },
    {
      name: 'of the root',
      before: guarded('root'),
      lie: ({ simulator }) => {
        simulator.forge('root', versioned(3), [stolen(simulator, 'root')]);
        simulator.relist();
      },
      warm: 'root-rotation-invalid',
      cold: 'root-untrusted',
    },
    {
      name: 'of targets/releases',
      before: async ({ simulator }) =>
        simulator.edit((editor) => {
          editor.addDelegation(RELEASES, [simulator.owner.make()], []);
          editor.setDelegationThreshold(RELEASES, 2);
        }),
      lie: ({ simulator }) => {
        simulator.forge(RELEASES, [sellEvil, versioned(9)], [stolen(simulator, RELEASES)]);
        simulator.relist();
      },
      warm: { all: 'role-unusable', inspect: 'goes on', sign: 'signatures-pending' },
      cold: { all: 'role-unusable', inspect: 'goes on', sign: 'signatures-pending' },
      isNoted: true,
    },
  ]);
});

describe('a root', () => {
  /** The root's next version with a key of the thief's for a repository, signed by those that `pick` picks. */
  const takeOver =
    (pick: (old: readonly Signer[], own: Signer) => readonly Signer[], { version = 2, repository = '' } = {}) =>
    ({ simulator, server }: World) => {
      const certificate = thief.makeRoot(parseGun(`${server.gun}${repository}`), Date.now());
      const own = { key: certificate, private: thief.private(certificate) };
      const changes = [
        versioned(version),
        put(['keys', certificate.id], keyTree(certificate)),
        put(['roles', 'root', 'keyids'], [certificate.id]),
      ];
      simulator.forge('root', changes, pick(simulator.signersOf('root'), own));
      simulator.relist();
    };

  play([
    { name: 'that a stranger took over', lie: takeOver((_, own) => [own]), warm: 'root-rotation-invalid' },
    {
      name: 'that nobody signed',
      lie: takeOver(() => []),
      warm: 'root-rotation-invalid',
      cold: 'root-untrusted',
    },
    {
      name: 'that the new key did not sign',
      lie: takeOver((old) => old),
      warm: 'root-untrusted',
      cold: 'root-untrusted',
    },
    {
      name: 'that the new key of another repository signed',
      lie: takeOver((old, own) => [...old, own], { repository: '-2' }),
      warm: 'root-untrusted',
      cold: 'root-untrusted',
    },
    {
      name: 'two versions ahead, with itself in the place of the one between',
      lie: (world) => {
        takeOver((old, own) => [...old, own], { version: 3 })(world);
        world.server.lies.set('2.root', world.simulator.file('root'));
      },
      warm: 'version-jump',
    },
    {
      name: 'two versions ahead, with a stranger between',
      lie: (world) => {
        const { simulator, server } = world;
        const before = simulator.file('root');
        takeOver((_, own) => [own])(world);
        server.lies.set('2.root', simulator.file('root'));
        simulator.replace('root', before);
        takeOver((old, own) => [...old, own], { version: 3 })(world);
      },
      warm: 'root-rotation-invalid',
    },
    {
      name: 'other than the pinned one',
      pinned: (gun) => ({ certs: { [gun]: ['0'.repeat(64)] } }),
      lie: () => {},
      warm: 'root-pin-mismatch',
      cold: 'root-pin-mismatch',
    },
    {
      name: 'that nobody has pinned, where that is asked for',
      pinned: () => ({ disableTofu: true }),
      lie: () => {},
      cold: 'root-unpinned',
    },
  ]);
});

describe('extraneous dependencies', () => {
  const listing =
    (name: string) =>
    ({ simulator }: World) => {
      simulator.forge('snapshot', put(['meta', name], infoOfNothing()));
      simulator.restamp();
    };
  const delegating =
    (name: string) =>
    ({ simulator }: World) => {
      simulator.forge(
        'targets',
        change(['delegations', 'roles', '0', 'name'], () => name),
      );
      simulator.relist();
    };

  play([
    {
      name: 'more delegations than anybody has',
      lie: async ({ simulator }) => {
        const key = simulator.owner.make();
        await simulator.edit((editor) => {
          for (let at = 0; at < LIMITS.delegations; at++) {
            editor.addDelegation(parseDelegation(`targets/d${at}`), [key], []);
          }
        });
      },
      warm: 'too-large',
      cold: 'too-large',
    },
    ...['targets/ghost', '../../../config', 'targets/../../root', 'targets/'].map(
      (name): Attack => ({
        name: `a file in the snapshot called ${name}, which nobody delegated to`,
        lie: listing(name),
        ...UNMOVED,
        isNoted: true,
      }),
    ),
    ...['targets/../../../../config', 'targets/alice/below', 'root', 'targets/metadata/x', 'Targets/releases'].map(
      (name): Attack => ({
        name: `a delegation of targets called ${name}`,
        lie: delegating(name),
        warm: 'metadata-malformed',
        cold: 'metadata-malformed',
      }),
    ),
    {
      name: 'a delegation below another delegator than its own',
      lie: ({ simulator }) => {
        const { key } = simulator.signersOf(ALICE)[0] as Signer;
        const role = tree({ keyids: [key.id], name: 'targets/releases/x', paths: [''], threshold: 1 });
        simulator.forge(ALICE, [
          put(['delegations', 'keys', key.id], keyTree(key)),
          put(['delegations', 'roles'], [role]),
        ]);
        simulator.relist();
      },
      warm: 'metadata-malformed',
      cold: 'metadata-malformed',
    },
    {
      name: 'a tag by a signer whom no path lets sign it',
      lie: async ({ simulator }) => {
        const key = simulator.owner.make();
        await simulator.edit((editor) => {
          editor.addDelegation(BOB, [key], ['bob-']);
          editor.addTarget(BOB, 'bob-1', targetOf(EVIL));
        });
        simulator.forge(BOB, sellEvil);
        simulator.relist();
      },
      ...UNMOVED,
      isNoted: true,
    },
  ]);
});

function keyTree(key: PublicKey) {
  return tree({ keytype: key.type, keyval: { private: null, public: key.bytes.toString('base64') } });
}

function infoOfNothing() {
  return tree({ hashes: { sha256: Buffer.alloc(32).toString('base64') }, length: 1 });
}
