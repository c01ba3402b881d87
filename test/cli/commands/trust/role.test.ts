import { describe, expect, test } from 'bun:test';
import { APPROVE } from '../../../../src/cli/commands/trust/approve.ts';
import { ROLE } from '../../../../src/cli/commands/trust/role.ts';
import { issueRootCertificate } from '../../../../src/core/keys/certificate.ts';
import { formatPublicKeyFile } from '../../../../src/core/keys/public-key-file.ts';
import type { Signer } from '../../../../src/core/keys/signer.ts';
import { readRoot } from '../../../../src/core/metadata/root.ts';
import { parseDelegation, RELEASES } from '../../../../src/core/names/role.ts';
import { payloadOf } from '../../../support/forgery.ts';
import { GUN } from '../../../support/simulator.ts';
import { calling } from '../../calling.ts';
import { empty, type FakeSession, loaded, NAME, offline, uninitialised, visitorOf } from '../../fake-session.ts';
import { fails, says, told, waits } from './transcript.ts';

const approve = calling(APPROVE);
const setRole = calling(ROLE);

const ALICE = parseDelegation('targets/alice');
const PUBLISHED = says(`Published to ${NAME}.\n`);
const UNCHANGED = says(`Nothing to change in ${NAME}.\n`);

const publicKeyFile = ({ publicKey }: Pick<Signer, 'publicKey'>) => formatPublicKeyFile(publicKey, 'somebody');
const rootNow = ({ simulator }: FakeSession) => readRoot(payloadOf(simulator.file('root')));
const delegation = async ({ simulator }: FakeSession, role: string) =>
  (await simulator.trusted()).set.delegationsOf('targets').find(({ name }) => name === role);
const idOf = async (session: FakeSession, role: string) =>
  (await session.keys.list()).find((key) => key.role === role)?.id ?? '';

const moreKeys = (role: string) =>
  `Add keys in the same command, or name a lower threshold: signet trust role --add-key FILE --threshold NUMBER ${NAME} ${role}`;

describe('of a delegation', () => {
  test('adds and removes keys, and sets the threshold', async () => {
    const session = await loaded();
    const bob = await session.keys.create('bob');
    const file = session.file('bob.pub', publicKeyFile(bob));
    expect(await told(session, setRole, ['--add-key', file, '--threshold', '2', NAME, RELEASES])).toEqual(PUBLISHED);
    expect(await delegation(session, RELEASES)).toMatchObject({ threshold: 2, keyIds: [expect.anything(), bob.id] });
    const before = session.simulator.state;
    expect(await told(session, setRole, ['--add-key', file, '--threshold', '2', NAME, RELEASES])).toEqual(UNCHANGED);
    expect(await told(session, setRole, ['--remove-key', bob.id, NAME, RELEASES])).toEqual(
      fails(`tuf: invalid role ${RELEASES}. it has 1 keys for a threshold of 2`, moreKeys(RELEASES)),
    );
    expect(session.simulator.state).toBe(before);
    const back = ['--remove-key', bob.id, '--threshold', '1', NAME, RELEASES];
    expect(await told(session, setRole, back)).toEqual(PUBLISHED);
    expect(await delegation(session, RELEASES)).toMatchObject({ threshold: 1, keyIds: [await idOf(session, 'alice')] });
    expect([...(await session.simulator.trusted()).set.targets.keys()]).toEqual(['targets', ALICE, RELEASES]);
  });

  test('that does not exist makes none', async () => {
    const session = await loaded();
    const file = session.file('bob.pub', publicKeyFile(await session.keys.create('bob')));
    const before = session.simulator.state;
    for (const change of [
      ['--add-key', file],
      ['--threshold', '1'],
      ['--remove-key', 'ab'.repeat(32)],
    ]) {
      expect(await told(session, setRole, [...change, NAME, 'targets/bob'])).toEqual(
        fails(
          'tuf: invalid role targets/bob. delegation does not exist',
          'See which roles there are: signet trust delegation list REPOSITORY',
        ),
      );
    }
    expect(session.simulator.state).toBe(before);
  });

  test('by whom has not its delegator’s key', async () => {
    const session = visitorOf(await loaded());
    const file = session.file('bob.pub', publicKeyFile(await session.keys.create('bob')));
    const outcome = await told(session, setRole, ['--add-key', file, NAME, RELEASES]);
    expect(outcome.exit).toBe(1);
    expect(outcome.stderr).toStartWith('signing keys not available: need 1 keys from 1 possible keys (');
  });
});

describe('of the root', () => {
  test('takes a certificate, and then needs both', async () => {
    const admin = await empty();
    const second = visitorOf(admin);
    const key = await second.keys.create('root');
    const { bytes, id: listed } = await issueRootCertificate(key, GUN, admin.now());
    const file = admin.file('root.crt', bytes);
    const own = await idOf(admin, 'root');
    expect(await told(admin, setRole, ['--add-key', file, '--threshold', '2', NAME, 'root'])).toEqual(
      waits(`Signed, and not in force yet. More signatures are needed:
  root, as the new root: 1 of 2, signed by root key (${own.slice(0, 7)}); needs 1 more of ${key.id.slice(0, 12)}
Others sign it with: signet trust approve ${NAME}
`),
    );
    expect(rootNow(admin).version).toBe(1);
    expect(await told(second, approve, ['-y', NAME])).toEqual(
      says(`To be signed in ${NAME}:
  root
    + key of root ${key.id} by the certificate ${listed}
    ~ threshold of root 1 -> 2
    ~ version 1 -> 2
    = expires 2036-11-20T12:00:00Z
Signatures:
  root, as the new root: 1 of 2, signed by root key (${own.slice(0, 7)}); needs 1 more of ${key.id.slice(0, 12)}
Published to ${NAME}.
`),
    );
    expect(rootNow(admin).roles.get('root')?.threshold).toBe(2);
    expect(await told(second, setRole, ['--threshold', '2', NAME, 'root'])).toEqual(UNCHANGED);
    expect((await told(second, setRole, ['--remove-key', own, '--threshold', '1', NAME, 'root'])).stdout).toStartWith(
      'Signed, and not in force yet.',
    );
    expect(rootNow(admin).version).toBe(2);
  });

  test('takes no bare key', async () => {
    const session = await empty();
    const file = session.file('root.pub', publicKeyFile(await session.keys.create('root')));
    expect(await told(session, setRole, ['--add-key', file, NAME, 'root'])).toEqual(
      fails(
        `a root key is added as a certificate for ${NAME}`,
        `Whoever has the key makes it: signet trust key certificate ${NAME}`,
      ),
    );
  });
});

test('of targets: keys come and go', async () => {
  const session = await empty();
  const other = await session.keys.create('targets', GUN);
  const own = rootNow(session).roles.get('targets')?.keyIds[0] ?? '';
  const file = session.file('targets.pub', publicKeyFile(other));
  expect(await told(session, setRole, ['--add-key', file, '--remove-key', own, NAME, 'targets'])).toEqual(PUBLISHED);
  expect(rootNow(session).roles.get('targets')).toMatchObject({ keyIds: [other.id], threshold: 1 });
  expect(await told(session, setRole, ['--remove-key', other.id, NAME, 'targets'])).toEqual(
    fails('targets would have 0 keys for a threshold of 1', moreKeys('targets')),
  );
});

test.each([
  [['targets'], 'nothing to change: give --add-key, --remove-key or --threshold', 'See signet trust role --help'],
  [['--threshold', '0', 'targets'], 'a threshold is a number of keys, not "0"', undefined],
  [['--threshold', '1\u202e', 'targets'], 'a threshold is a number of keys, not "1\\u202e"', undefined],
  [['--threshold', '1000', 'targets'], 'a threshold is a number of keys, not "1000"', undefined],
  [['--threshold', '2', 'targets'], 'targets would have 1 keys for a threshold of 2', moreKeys('targets')],
  [
    ['--threshold', '1', 'snapshot'],
    'the keys of snapshot are changed by rotating them',
    `signet trust key rotate ${NAME} snapshot`,
  ],
  [['--remove-key', 'abc', 'targets'], 'invalid key ID "abc"', undefined],
  [['--threshold', '1', 'Bad'], 'tuf: invalid role Bad.', undefined],
])('%j is refused', async (words, message, next) => {
  const session = await loaded();
  const before = session.simulator.state;
  const [role = '', ...options] = words.toReversed();
  expect(await told(session, setRole, [...options.toReversed(), NAME, role])).toEqual(fails(message, next));
  expect(session.simulator.state).toBe(before);
});

test('uninitialised, and offline', async () => {
  expect(await told(await uninitialised(), setRole, ['--threshold', '1', NAME, 'targets'])).toEqual(
    fails(`${NAME} has no trust data yet`, `Found it: signet trust init ${NAME}`),
  );
  expect((await told(await offline(), setRole, ['--threshold', '1', NAME, 'targets'])).exit).toBe(1);
});
