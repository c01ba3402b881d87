import { describe, expect, test } from 'bun:test';
import { PUBLISH } from '../../../../src/cli/commands/trust/publish.ts';
import { WITNESS } from '../../../../src/cli/commands/trust/witness.ts';
import { parseDelegation, RELEASES } from '../../../../src/core/names/role.ts';
import { calling } from '../../calling.ts';
import { type FakeSession, loaded, NAME, offline, visitorOf } from '../../fake-session.ts';
import { fails, says, told } from './transcript.ts';

const publish = calling(PUBLISH);
const witness = calling(WITNESS);

const ALICE = parseDelegation('targets/alice');
const PUBLISHED = says(`Published to ${NAME}.\n`);
const versions = async ({ simulator }: FakeSession) =>
  Object.fromEntries(
    [...(await simulator.trusted()).set.targets].map(([role, { payload }]) => [role, payload.version]),
  );

describe('witness', () => {
  test('signs roles again as they are', async () => {
    const session = await loaded();
    expect(await told(session, witness, [NAME, ALICE, 'targets'])).toEqual(PUBLISHED);
    expect(await versions(session)).toEqual({ targets: 3, [ALICE]: 2, [RELEASES]: 1 });
    const { set } = await session.simulator.trusted();
    expect([...(set.targets.get(ALICE)?.payload.targets.keys() ?? [])]).toEqual(['v1']);
  });

  test('brings back a role whose signatures were lost', async () => {
    const session = await loaded();
    const other = visitorOf(session);
    const { publicKey } = await other.keys.create('bob');
    const [alice] = (await session.keys.list()).filter(({ role }) => role === 'alice');
    await (await session.repository()).publish((editor) => {
      editor.addDelegation(ALICE, [publicKey], []);
      editor.removeDelegationKeys(ALICE, alice === undefined ? [] : [alice.id]);
    });
    expect(await versions(session)).not.toHaveProperty([ALICE]);
    expect(await told(other, witness, [NAME, ALICE])).toEqual({
      ...PUBLISHED,
      stderr: expect.stringContaining(`Error getting ${ALICE}: `),
    });
    expect(await versions(session)).toHaveProperty([ALICE], 2);
  });

  test('--stage, without a network', async () => {
    const session = await offline();
    expect(await told(session, witness, ['--stage', NAME, ALICE, RELEASES])).toEqual(
      says(`Staged for the next publish of ${NAME}.\n`),
    );
    session.simulator.isOffline = false;
    expect(await told(session, publish, [NAME])).toEqual(PUBLISHED);
    expect(await versions(session)).toMatchObject({ [ALICE]: 2, [RELEASES]: 2 });
  });

  test.each([
    [
      'root',
      'tuf: invalid role root. only targets and delegations are witnessed',
      'Sign it anew with: signet trust renew REPOSITORY root',
    ],
    [
      'snapshot',
      'tuf: invalid role snapshot. only targets and delegations are witnessed',
      'Sign it anew with: signet trust renew REPOSITORY snapshot',
    ],
    ['Bad Role', 'tuf: invalid role Bad Role.', undefined],
    [
      'targets/carol',
      'tuf: invalid role targets/carol. delegation does not exist',
      'See which roles there are: signet trust delegation list REPOSITORY',
    ],
  ])('of %s', async (role, message, next) => {
    const session = await loaded();
    const before = session.simulator.state;
    expect(await told(session, witness, [NAME, role])).toEqual(fails(message, next));
    expect(session.simulator.state).toBe(before);
  });
});
