import { beforeEach, describe, expect, test } from 'bun:test';
import { APPROVE } from '../../../../src/cli/commands/trust/approve.ts';
import { RENEW } from '../../../../src/cli/commands/trust/renew.ts';
import { parseDelegation, RELEASES } from '../../../../src/core/names/role.ts';
import { DAY, YEAR } from '../../../../src/core/time.ts';
import { put } from '../../../support/forgery.ts';
import { calling } from '../../calling.ts';
import { type FakeSession, fakeImage, loaded, NAME, offline, uninitialised, visitorOf } from '../../fake-session.ts';
import { severalSigners, signTag } from './several-signers.ts';
import { fails, says, told } from './transcript.ts';

const approve = calling(APPROVE);
const renewRoles = calling(RENEW);

const ALICE = parseDelegation('targets/alice');
const PUBLISHED = `Published to ${NAME}.\n`;
const plan = (key: string) =>
  `${'ROLE'.padEnd(19)}${'EXPIRES'.padEnd(13)}${'WHY'.padEnd(10)}KEY
${['targets', ALICE, RELEASES].map((role) => `${role.padEnd(19)}2029-11-22   expired   ${key}\n`).join('')}
`;

let session: FakeSession;
const versions = async () =>
  Object.fromEntries(
    [...(await session.simulator.trusted()).set.targets].map(([role, { payload }]) => [role, payload.version]),
  );
const expire = async ({ simulator }: FakeSession) => {
  simulator.now += 3 * YEAR + DAY;
  await simulator.refresh();
};
beforeEach(async () => {
  session = await loaded();
});

describe('renew', () => {
  test('where nothing presses', async () => {
    expect(await told(session, renewRoles, [NAME])).toEqual(says(`Nothing in ${NAME} expires within half a year.\n`));
  });

  test('shows what has expired, asks and signs it', async () => {
    await expire(session);
    const before = session.simulator.state;
    session.answers.push('n', 'y');
    expect(await told(session, renewRoles, [NAME])).toEqual(says(`${plan('here')}Nothing was done.\n`));
    expect(session.simulator.state).toBe(before);
    expect(await told(session, renewRoles, [NAME])).toEqual(says(`${plan('here')}${PUBLISHED}`));
    expect(session.asked).toEqual(Array(2).fill('Sign these roles anew, with all that is in them now?'));
    expect(await versions()).toEqual({ targets: 3, [ALICE]: 2, [RELEASES]: 2 });
    expect((await told(session, renewRoles, [NAME])).stdout).toStartWith('Nothing in ');
  });

  test('--yes asks nothing; only the named roles where some are named', async () => {
    await expire(session);
    const { exit, stdout } = await told(session, renewRoles, ['-y', NAME, 'targets']);
    expect([exit, stdout.split('\n').slice(1)]).toEqual([
      0,
      ['targets   2029-11-22   expired   here', '', `Published to ${NAME}.`, ''],
    ]);
    expect(session.asked).toEqual([]);
  });

  test('named roles, even if nothing presses', async () => {
    session.answers.push('y');
    const { stdout } = await told(session, renewRoles, [NAME, ALICE]);
    expect(stdout).toBe(
      `ROLE            EXPIRES      WHY         KEY
${ALICE}   2029-11-22   asked for   here

${PUBLISHED}`,
    );
    expect(session.asked).toEqual(['Sign this role anew, with all that is in them now?'.replace('them', 'it')]);
    expect(await versions()).toEqual({ targets: 2, [ALICE]: 2, [RELEASES]: 1 });
  });

  test('no one who has no key', async () => {
    await expire(session);
    expect(await told(visitorOf(session), renewRoles, ['-y', NAME])).toEqual({
      ...fails(
        `no key here can renew targets, ${ALICE}, ${RELEASES}`,
        'Load the key of an authorised signer: signet trust key load FILE',
      ),
      stdout: plan('not here'),
    });
  });

  test('waits for others where one is not enough', async () => {
    const { admin, alice, bob } = await severalSigners();
    await signTag(alice, 'v1', 1);
    await signTag(bob, 'v1', 1);
    admin.simulator.now += 3 * YEAR - DAY;
    await admin.simulator.refresh();
    const { exit, stdout } = await told(alice.session, renewRoles, ['-y', NAME, RELEASES]);
    expect([exit, stdout]).toEqual([1, expect.stringContaining('\nSigned, and not in force yet.')]);
    expect((await told(bob.session, approve, ['-y', NAME])).stdout).toContain(
      `  ${RELEASES}\n    signed again as it is\n`,
    );
  });

  test.each([
    ['timestamp', 'timestamp is renewed by the trust server, which has its key'],
    ['snapshot', 'snapshot is renewed by the trust server, which has its key'],
    ['targets/nobody', 'role does not exist: targets/nobody'],
    ['Bad Role', 'tuf: invalid role Bad Role.'],
  ])('%s is refused', async (role, message) => {
    const before = session.simulator.state;
    expect(await told(session, renewRoles, ['-y', NAME, role])).toMatchObject(fails(message));
    expect(session.simulator.state).toBe(before);
  });

  test('uninitialised, and offline', async () => {
    expect((await told(await uninitialised(), renewRoles, [NAME])).exit).toBe(1);
    const away = await offline();
    await expire(away).catch(() => undefined);
    expect((await told(away, renewRoles, ['-y', NAME])).exit).toBe(1);
  });
});

describe('what lost its signatures', () => {
  const VOUCH = `Nobody vouches for what ${RELEASES} says. To see and sign it: signet trust renew ${NAME} ${RELEASES}\n`;
  // The server puts a tag of its own into a file, which nobody signed then.
  beforeEach(() => {
    session.simulator.forge(RELEASES, put(['targets', 'v1', 'length'], 7), []);
    session.simulator.relist();
  });

  test('is not signed by who does not name it', async () => {
    const before = session.simulator.state;
    const { exit, stdout } = await told(session, renewRoles, ['-y', NAME]);
    expect([exit, stdout]).toEqual([1, expect.stringContaining(VOUCH)]);
    expect(session.simulator.state).toBe(before);
  });

  test('is shown and signed where it is named', async () => {
    session.answers.push('y');
    const { exit, stdout } = await told(session, renewRoles, [NAME, RELEASES]);
    expect([exit, stdout]).toEqual([
      0,
      `ROLE               EXPIRES      WHY        KEY
${RELEASES}   2029-11-22   unsigned   here

Nobody else vouches for what ${RELEASES} says:
    + version 1
    + expires 2029-11-22T12:00:00Z
    + v1 ${fakeImage('v1').digest} 7 bytes

${PUBLISHED}`,
    ]);
  });
});
