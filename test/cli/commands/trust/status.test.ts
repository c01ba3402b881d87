import { describe, expect, test } from 'bun:test';
import { STATUS } from '../../../../src/cli/commands/trust/status.ts';
import { dockerTable } from '../../../../src/cli/terminal/table.ts';
import { SignetError } from '../../../../src/core/errors/index.ts';
import { DAY, YEAR } from '../../../../src/core/time.ts';
import { Changelist } from '../../../../src/store/changelist.ts';
import { digestOfTarget, GUN, target } from '../../../support/simulator.ts';
import { calling } from '../../calling.ts';
import { type FakeSession, loaded, NAME, offline, uninitialised, visitorOf } from '../../fake-session.ts';
import { severalSigners, signTag } from './several-signers.ts';
import { says, told } from './transcript.ts';

const status = calling(STATUS);

const NOTHING_WAITS = `\nNothing waits for signatures in ${NAME}.\n`;
const NOTHING_STAGED = `\nNo unpublished changes for ${NAME}\n`;
const changelist = async (session: FakeSession) =>
  new Changelist((await session.place({})).folder, GUN, () => session.now());
const table = (rows: readonly (readonly [string, number, string, string, string, string])[]) =>
  dockerTable(
    ['ROLE', 'VERSION', 'SIGNATURES', 'SIGNED BY', 'KEYS HERE', 'EXPIRES'],
    rows.map((row) => row.map(String)),
  );
/** The lines of the table, with one space between the cells and without the IDs of keys. */
const rows = (stdout: string) =>
  (stdout.split('\n\n')[1] ?? '').split('\n').map((line) =>
    line
      .split(/ {2,}/)
      .join(' ')
      .replace(/\([0-9a-f]{7}\)/, '(…)'),
  );

describe('status', () => {
  test('shows every role, that nothing waits and nothing is staged', async () => {
    const session = await loaded();
    const by = async (role: string, name = role) =>
      `${name} (${(await session.keys.list()).find((key) => key.role === role)?.id.slice(0, 7)})`;
    const [root, targets] = [await by('root', 'root key'), await by('targets', 'targets key')];
    expect(await told(session, status, [NAME])).toEqual(
      says(
        `Trust data of ${NAME}\n\n${table([
          ['root', 1, '1, needs 1', root, '1 of 1', '2036-11-20'],
          ['targets', 2, '1, needs 1', targets, '1 of 1', '2029-11-22'],
          ['targets/alice', 1, '1, needs 1', await by('alice'), '1 of 1', '2029-11-22'],
          ['targets/releases', 1, '1, needs 1', await by('alice'), '1 of 1', '2029-11-22'],
          ['snapshot', 3, '1, needs 1', 'snapshot key', '0 of 1', '2029-11-22'],
          ['timestamp', 3, '1, needs 1', 'timestamp key', '0 of 1', '2026-12-07'],
        ])}${NOTHING_WAITS}${NOTHING_STAGED}`,
      ),
    );
  });

  test('shows what expires soon and what has expired, to whomever', async () => {
    const session = visitorOf(await loaded());
    session.env = { NO_COLOR: '1' };
    session.simulator.now += 3 * YEAR - 100 * DAY;
    await session.simulator.refresh();
    expect(rows((await told(session, status, [NAME])).stdout).slice(2, 4)).toEqual([
      'targets 2 1, needs 1 targets key (…) 0 of 1 2029-11-22 (soon)',
      'targets/alice 1 1, needs 1 alice (…) 0 of 1 2029-11-22 (soon)',
    ]);
    session.simulator.now += 101 * DAY;
    await session.simulator.refresh();
    const { exit, stdout } = await told(session, status, [NAME]);
    expect([exit, rows(stdout)[2]]).toEqual([0, 'targets 2 1, needs 1 targets key (…) 0 of 1 2029-11-22 (expired)']);
    expect(stdout).not.toContain('\u001b');
  });

  test('shows what waits, and who has signed it', async () => {
    const { alice, bob, carol } = await severalSigners();
    await signTag(alice, 'v1', 1);
    const short = ({ key }: typeof alice) => key.id.slice(0, 7);
    const { stdout } = await told(bob.session, status, [NAME]);
    expect(stdout).toEndWith(
      `
A change waits for signatures (signet trust approve ${NAME}):
  targets/alice
    + v1 ${digestOfTarget(1)} 528 bytes
    + version 1
    + expires 2029-11-22T12:00:00Z
  targets/releases
    + v1 ${digestOfTarget(1)} 528 bytes
    + version 1
    + expires 2029-11-22T12:00:00Z
Signatures:
  targets/alice: 1 of 1, signed by alice (${short(alice)})
  targets/releases: 1 of 2, signed by alice (${short(alice)}); needs 1 more of bob (${short(bob)}), carol (${short(carol)})
${NOTHING_STAGED}`,
    );
  });

  test('shows a proposal that is of no use as that', async () => {
    const session = await loaded();
    await session.simulator.proposals.replace(GUN, undefined, Buffer.from('rubbish \u202e'));
    const { exit, stdout } = await told(session, status, [NAME]);
    expect([exit, stdout.includes('\u202e')]).toEqual([0, false]);
    expect(stdout).toContain('\nA change that waits is of no use: the proposal is malformed: ');
  });

  test('who may only pull is shown no proposal, and is not told that there is none', async () => {
    const session = await loaded();
    session.simulator.proposals.read = async () => {
      throw new SignetError('unauthorized', 'you are not authorized to perform this operation');
    };
    expect((await told(session, status, [NAME])).stdout).toEndWith(
      `\n\nWhat waits for signatures is shown to those who may publish.\n${NOTHING_STAGED}`,
    );
  });

  test('shows what is staged, and names as they cannot do harm', async () => {
    const session = await loaded();
    const list = await changelist(session);
    await list.append({ kind: 'add-target', role: 'targets', name: 'v2\u202e\u009b', target: target(2) });
    await list.append({ kind: 'witness', role: 'targets' });
    expect((await told(session, status, [NAME])).stdout).toEndWith(
      `
Unpublished changes for ${NAME}:

#         ACTION    SCOPE     TYPE      PATH
0         create    targets   target    "v2\\u202e\\u009b"
1         update    targets   witness   
`,
    );
  });

  test('uninitialised and offline: what is staged all the same, and the error', async () => {
    const nobody = await uninitialised();
    expect(await told(nobody, status, [NAME])).toMatchObject({ exit: 1, stdout: NOTHING_STAGED.slice(1) });
    const session = visitorOf(await offline());
    await (await changelist(session)).append({ kind: 'witness', role: 'targets' });
    const { exit, stdout, stderr } = await told(session, status, [NAME]);
    expect([exit, stdout.split('\n')[0], stderr]).toEqual([
      1,
      `Unpublished changes for ${NAME}:`,
      'the trust server cannot be reached\n',
    ]);
  });
});
