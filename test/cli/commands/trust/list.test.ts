import { describe, expect, test } from 'bun:test';
import { LIST } from '../../../../src/cli/commands/trust/list.ts';
import { LOOKUP } from '../../../../src/cli/commands/trust/lookup.ts';
import { parseDelegation, RELEASES } from '../../../../src/core/names/role.ts';
import { digestOfTarget, target } from '../../../support/simulator.ts';
import { calling } from '../../calling.ts';
import { empty, type FakeSession, loaded, NAME, offline, visitorOf } from '../../fake-session.ts';
import { fails, says, told } from './transcript.ts';

const list = calling(LIST);
const lookup = calling(LOOKUP);

const BOB = parseDelegation('targets/bob');

/** Two roles that disagree on `v2`, in one of which there is more. */
async function several(): Promise<FakeSession> {
  const session = await empty();
  const { publicKey } = await session.keys.create('bob');
  await (await session.repository()).publish((editor) => {
    editor.addDelegation(RELEASES, [publicKey], ['']);
    editor.addDelegation(BOB, [publicKey], ['v']);
    editor.addTarget('targets', 'v10', target(1, 10));
    editor.addTarget('targets', 'v2', target(2, 2));
    editor.addTarget(BOB, 'v2', target(3, 3));
    editor.addTarget(BOB, 'v3', { length: 4, hashes: new Map([['sha512', Buffer.alloc(64, 5)]]) });
    editor.addTarget(RELEASES, 'a "b"\u202ec', target(4, 5));
  });
  return session;
}

describe('list', () => {
  test('several roles: natural order, the first role that has a name, nothing that moves the cursor', async () => {
    const rows = [
      ['NAME'.padEnd(19), 'DIGEST'.padEnd(138), 'SIZE'.padEnd(10), 'ROLE'],
      ['"a \\"b\\"\\u202ec"'.padEnd(19), digestOfTarget(4).padEnd(138), '5'.padEnd(10), 'targets/releases'],
      ['v2'.padEnd(19), digestOfTarget(2).padEnd(138), '2'.padEnd(10), 'targets'],
      ['v3'.padEnd(19), `sha512:${'05'.repeat(64)}`.padEnd(138), '4'.padEnd(10), 'targets/bob'],
      ['v10'.padEnd(19), digestOfTarget(1).padEnd(138), '10'.padEnd(10), 'targets'],
    ];
    expect(await told(await several(), list, [NAME])).toEqual(says(rows.map((row) => `${row.join('')}\n`).join('')));
  });

  test('--role: only what these say, the first one first', async () => {
    const session = await several();
    const cells = async (...words: string[]) =>
      (await told(session, list, [...words, NAME])).stdout
        .trimEnd()
        .split('\n')
        .slice(1)
        .map((line) => line.split(/ {3,}/).filter((_, column) => column !== 1));
    expect(await cells('--role', 'targets/bob')).toEqual([
      ['v2', '3', 'targets/bob'],
      ['v3', '4', 'targets/bob'],
    ]);
    const both = [
      ['v2', '3', 'targets/bob'],
      ['v3', '4', 'targets/bob'],
      ['v10', '10', 'targets'],
    ];
    expect((await cells('-r', 'targets/bob', '-r', 'targets')).slice(1)).toEqual(both);
    expect((await cells('-r', 'targets/bob,targets')).slice(1)).toEqual(both);
  });

  test('--role of no one', async () => {
    const session = await several();
    expect(await told(session, list, ['--role', 'targets/carol', NAME])).toEqual(says(`No targets in ${NAME}.\n`));
    expect(await told(session, list, ['--role', 'snapshot', NAME])).toEqual(fails('tuf: invalid role snapshot.'));
  });

  test('empty', async () => {
    expect(await told(await empty(), list, [NAME])).toEqual(says(`No targets in ${NAME}.\n`));
  });

  test('offline: what is cached serves, and that is said', async () => {
    const session = await loaded();
    await told(session, list, [NAME]);
    session.simulator.isOffline = true;
    const { exit, stdout, stderr } = await told(session, list, [NAME]);
    expect([exit, stdout.split('\n').length]).toEqual([0, 3]);
    expect(stderr).toBe(
      'Error while downloading remote metadata, using cached timestamp - this might not be the latest version available remotely\nthe trust server cannot be reached\n',
    );
  });
});

describe('lookup', () => {
  test('several roles: the first that has it', async () => {
    const session = await several();
    expect(await told(session, lookup, [NAME, 'v2'])).toEqual(says(`v2 ${digestOfTarget(2)} 2\n`));
    expect(await told(session, lookup, [NAME, 'v3'])).toEqual(says(`v3 sha512:${'05'.repeat(64)} 4\n`));
  });

  test('what no one has signed', async () => {
    expect(await told(await several(), lookup, [NAME, 'v4'])).toEqual(fails('No valid trust data for v4'));
    expect(await told(await several(), lookup, [NAME, ''])).toEqual(fails('No valid trust data for ""'));
  });

  test('offline, by a visitor', async () => {
    expect((await told(visitorOf(await offline()), lookup, [NAME, 'v1'])).stderr).toBe(
      'the trust server cannot be reached\n',
    );
  });
});
