import { describe } from 'bun:test';
import { targetJson } from '../../src/core/metadata/targets.ts';
import { parseGun } from '../../src/core/names/gun.ts';
import { RELEASES } from '../../src/core/names/role.ts';
import { put, tree } from '../support/forgery.ts';
import { Simulator } from '../support/simulator.ts';
import { TestKeys } from '../support/test-keys.ts';
import { EVIL, GOOD, targetOf } from './malicious/images.ts';
import { play } from './malicious/play.ts';
import { ALICE, type World } from './malicious/world.ts';

// Attacks that offer other software than what is signed, each on every command, of somebody who was here before (warm)
// and of somebody who was not (cold). `relist` and `restamp` are what a thief of the online keys can do.

const sellEvil = put(['targets', 'latest'], targetJson(targetOf(EVIL)));
const thief = new TestKeys();
const key = thief.make();
const stranger = { key, private: thief.private(key) };
/** What a delegation that nobody vouches for spoke for has no answer; whoever may, signs it again. */
const unusable = { all: 'role-unusable', inspect: 'goes on', sign: 'goes on' } as const;
const unknown = { ...unusable, all: 'target-not-found' } as const;

describe('arbitrary software', () => {
  play([
    {
      name: 'signed by a stranger as targets',
      lie: ({ simulator }) => {
        simulator.forge('targets', sellEvil, [stranger]);
        simulator.relist();
      },
      warm: 'threshold-not-met',
      cold: 'threshold-not-met',
    },
    {
      name: 'signed by a stranger as targets/releases',
      lie: ({ simulator }) => {
        simulator.forge(RELEASES, sellEvil, [stranger]);
        simulator.relist();
      },
      warm: unusable,
      cold: unusable,
      isNoted: true,
    },
    {
      name: 'listed by a snapshot that a stranger signed',
      lie: ({ simulator }) => {
        simulator.forge(RELEASES, sellEvil);
        simulator.relist();
        simulator.forge('snapshot', [], [stranger]);
        simulator.restamp();
      },
      warm: 'threshold-not-met',
      cold: 'threshold-not-met',
    },
    {
      name: 'under a timestamp that a stranger signed',
      lie: ({ simulator }) => {
        simulator.forge(RELEASES, sellEvil);
        simulator.relist();
        simulator.forge('timestamp', [], [stranger]);
      },
      warm: 'threshold-not-met',
      cold: 'threshold-not-met',
    },
    {
      name: 'under no signature at all',
      lie: ({ simulator }) => {
        simulator.forge(RELEASES, sellEvil);
        simulator.relist();
        simulator.forge('timestamp', [], []);
      },
      warm: 'signatures-missing',
      cold: 'signatures-missing',
    },
    ...(['targets', RELEASES, ALICE, 'snapshot'] as const).map((role) => ({
      name: `put into ${role} after it was signed`,
      knows: 'old' as const,
      lie: ({ server, simulator }: World) => void server.lies.set(role, edited(simulator.file(role))),
      warm: 'checksum-mismatch' as const,
      cold: 'checksum-mismatch' as const,
    })),
    {
      name: 'put into the timestamp after it was signed',
      lie: ({ server, simulator }) => void server.lies.set('timestamp', edited(simulator.file('timestamp'))),
      warm: 'threshold-not-met',
      cold: 'threshold-not-met',
    },
    {
      name: 'put into the root after it was signed',
      lie: ({ server, simulator }) => void server.lies.set('root', edited(simulator.file('root'))),
      cold: 'root-untrusted',
    },
  ]);
});

describe('wrong software', () => {
  play([
    {
      name: 'of another repository, with all its trust data',
      lie: async ({ simulator }) => simulator.serve((await otherRepository(simulator)).state),
      warm: 'root-rotation-invalid',
      cold: 'root-untrusted',
    },
    {
      name: 'of another repository, as targets of this one',
      lie: async ({ simulator }) => {
        simulator.replace('targets', (await otherRepository(simulator)).file('targets'));
        simulator.relist();
      },
      warm: 'threshold-not-met',
      cold: 'threshold-not-met',
    },
    {
      name: 'that is signed under other tags only',
      lie: ({ simulator }) => {
        simulator.forge(RELEASES, put(['targets', 'latest'], undefined));
        simulator.forge(ALICE, put(['targets', 'latest'], undefined));
        simulator.relist();
      },
      warm: unknown,
      cold: unknown,
      isNoted: true,
    },
    {
      name: 'that is named by no SHA-256',
      lie: ({ simulator }) => {
        const sha512 = { hashes: { sha512: Buffer.alloc(64, 1).toString('base64') }, length: GOOD.bytes.length };
        simulator.forge(RELEASES, put(['targets', 'latest'], tree(sha512)));
        simulator.relist();
      },
      warm: { all: 'target-hash-missing', inspect: 'goes on', sign: 'goes on' },
      cold: { all: 'target-hash-missing', inspect: 'goes on', sign: 'goes on' },
      isNoted: true,
    },
  ]);
});

/** The same length, another digit in it. */
function edited(file: Buffer): Buffer {
  return Buffer.from(file.toString().replace(/"version":(\d)/, (_, digit) => `"version":${(Number(digit) % 9) + 1}`));
}

/** A repository beside this one, with a longer name and other keys. */
function otherRepository({ gun, now }: Simulator): Promise<Simulator> {
  return Simulator.start({
    gun: parseGun(`${gun}-2`),
    now,
    edit: (editor) => editor.addTarget('targets', 'latest', targetOf(EVIL)),
  });
}
