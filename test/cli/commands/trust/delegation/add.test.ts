import { beforeEach, describe, expect, test } from 'bun:test';
import { DELEGATION_ADD } from '../../../../../src/cli/commands/trust/delegation/add.ts';
import { PUBLISH } from '../../../../../src/cli/commands/trust/publish.ts';
import { generatePrivateKey } from '../../../../../src/core/keys/private-key.ts';
import { certified } from '../../../../support/private-keys.ts';
import { GUN, NOW } from '../../../../support/simulator.ts';
import { calling } from '../../../calling.ts';
import { empty, type FakeSession, NAME } from '../../../fake-session.ts';
import { fails, says, told } from '../transcript.ts';
import { BOB, PUBLISHED, publicKeyFile, rows, STAGED } from './world.ts';

const addDelegation = calling(DELEGATION_ADD);
const publish = calling(PUBLISH);

let session: FakeSession;

describe('delegation add', () => {
  beforeEach(async () => {
    session = await empty();
  });

  test('makes a role from public keys and certificates, and adds to it', async () => {
    const [one, two] = [generatePrivateKey('ecdsa'), generatePrivateKey('ecdsa')];
    const certificate = session.file('two.crt', certified(two, GUN, NOW).bytes);
    const words = ['--paths', 'v,w', '--paths', 'x', '--threshold', '2', NAME, BOB];
    expect(await told(session, addDelegation, [...words, publicKeyFile(session, one), certificate])).toEqual(PUBLISHED);
    expect(await rows(session)).toEqual([
      ['targets/bob', 'v', one.id, '2'],
      ['', 'w', two.id, ''],
      ['', 'x'],
    ]);
    expect(await told(session, addDelegation, ['--all-paths', NAME, BOB])).toEqual(PUBLISHED);
    expect((await rows(session)).map((row) => row[1])).toEqual(['v', 'w', 'x', '"" <all paths>']);
    expect(await told(session, addDelegation, ['--paths', 'x', NAME, BOB])).toEqual(
      says(`Nothing to change in ${NAME}.\n`),
    );
  });

  test('below a delegation, by whoever has its key', async () => {
    const bob = await session.keys.create('bob');
    await told(session, addDelegation, ['--paths', 'v', NAME, BOB, publicKeyFile(session, bob)]);
    const carol = publicKeyFile(session, generatePrivateKey('ecdsa'));
    expect(await told(session, addDelegation, ['--paths', 'w', NAME, `${BOB}/carol`, carol])).toEqual(
      fails(`tuf: invalid role ${BOB}/carol. invalid paths to add to role`),
    );
    expect(await told(session, addDelegation, ['--paths', 'v1', NAME, `${BOB}/carol`, carol])).toEqual(PUBLISHED);
    expect((await rows(session)).map((row) => row.slice(0, 2))).toEqual([
      ['targets/bob', 'v'],
      ['targets/bob/carol', 'v1'],
    ]);
  });

  test('--stage, from files alone', async () => {
    session.simulator.isOffline = true;
    const words = ['--stage', '--all-paths', NAME, BOB, publicKeyFile(session, generatePrivateKey('ecdsa'))];
    expect(await told(session, addDelegation, words)).toEqual(STAGED);
    session.simulator.isOffline = false;
    expect(await told(session, publish, [NAME])).toEqual(PUBLISHED);
    expect(await rows(session)).toHaveLength(1);
  });

  test.each([
    [
      [NAME, BOB],
      'nothing to add: give files of public keys, --paths or --all-paths',
      'See signet trust delegation add --help',
    ],
    [
      ['--all-paths', NAME, BOB],
      `tuf: invalid role ${BOB}. it has 0 keys for a threshold of 1`,
      'Name more keys in the same command, or a lower threshold: --threshold NUMBER',
    ],
    [['--all-paths', NAME, 'targets'], 'tuf: invalid role targets.', undefined],
    [['--all-paths', NAME, 'bob'], 'tuf: invalid role bob.', undefined],
    [['--all-paths', '--threshold', '0', NAME, BOB], 'a threshold is a number of keys, not "0"', undefined],
    [
      [NAME, BOB, '/nowhere'],
      'unable to read public key from file: open /nowhere: no such file or directory',
      undefined,
    ],
  ])('%j', async (words, message, next) => {
    expect(await told(session, addDelegation, words)).toEqual(fails(message, next));
  });

  test('a threshold that the keys cannot meet', async () => {
    const words = ['--threshold', '2', NAME, BOB, publicKeyFile(session, generatePrivateKey('ecdsa'))];
    expect(await told(session, addDelegation, words)).toEqual(
      fails(
        `tuf: invalid role ${BOB}. it has 1 keys for a threshold of 2`,
        'Name more keys in the same command, or a lower threshold: --threshold NUMBER',
      ),
    );
  });

  test('a threshold for a role that has another already', async () => {
    const [one, two] = [
      publicKeyFile(session, generatePrivateKey('ecdsa')),
      publicKeyFile(session, generatePrivateKey('ecdsa')),
    ];
    await told(session, addDelegation, ['--all-paths', NAME, BOB, one]);
    const refused = fails(
      `${BOB} has a threshold of 1 already`,
      `Change it with: signet trust role --threshold 2 REPOSITORY ${BOB}`,
    );
    expect(await told(session, addDelegation, ['--threshold', '2', NAME, BOB, two])).toEqual(refused);
    await told(session, addDelegation, ['--stage', '--threshold', '2', NAME, BOB, two]);
    expect(await told(session, publish, [NAME])).toEqual(refused);
  });
});
