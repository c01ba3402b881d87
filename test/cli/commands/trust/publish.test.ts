import { describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ADD } from '../../../../src/cli/commands/trust/add.ts';
import { DELEGATION_REMOVE } from '../../../../src/cli/commands/trust/delegation/remove.ts';
import { PUBLISH } from '../../../../src/cli/commands/trust/publish.ts';
import { REMOVE } from '../../../../src/cli/commands/trust/remove.ts';
import { STATUS } from '../../../../src/cli/commands/trust/status.ts';
import { parseDelegation } from '../../../../src/core/names/role.ts';
import { calling } from '../../calling.ts';
import { empty, type FakeSession, loaded, NAME, visitorOf } from '../../fake-session.ts';
import { listing } from './delegation/world.ts';
import { says, told, waits } from './transcript.ts';

const add = calling(ADD);
const removeDelegation = calling(DELEGATION_REMOVE);
const publish = calling(PUBLISH);
const remove = calling(REMOVE);
const status = calling(STATUS);

const PUBLISHED = says(`Published to ${NAME}.\n`);
const ALICE = parseDelegation('targets/alice');
const digest = ['--size', '1', '--sha256', 'ab'.repeat(32)];
const stagedLines = async (session: FakeSession) =>
  (await told(session, status, [NAME])).stdout.split('\n\n').slice(-1)[0];
const versions = async ({ simulator }: FakeSession) =>
  [...(await simulator.trusted()).set.targets].map(([role, { payload }]) => `${role} ${payload.version}`);

describe('publish', () => {
  test('nothing staged', async () => {
    expect(await told(await loaded(), publish, [NAME])).toEqual(says(`Nothing to change in ${NAME}.\n`));
  });

  test('all staged changes together, in their order', async () => {
    const session = await empty();
    for (const name of ['a', 'b']) await told(session, add, ['--stage', ...digest, NAME, name]);
    await told(session, remove, ['--stage', NAME, 'a']);
    expect(await told(session, publish, [NAME])).toEqual(PUBLISHED);
    const { set } = await session.simulator.trusted();
    expect([...(set.targets.get('targets')?.payload.targets.keys() ?? [])]).toEqual(['b']);
    expect(await stagedLines(session)).toBe(`No unpublished changes for ${NAME}\n`);
  });

  test('where one cannot be made, none is, and all stay staged', async () => {
    const session = await empty();
    await told(session, add, ['--stage', ...digest, NAME, 'a']);
    await told(session, add, ['--stage', ...digest, '-r', 'targets/carol', NAME, 'b']);
    const before = session.simulator.state;
    expect((await told(session, publish, [NAME])).stderr).toBe(
      'tuf: invalid role targets/carol. delegation does not exist\n',
    );
    expect(session.simulator.state).toBe(before);
    expect(await stagedLines(session)).toContain('1         create    targets/carol   target    b\n');
  });

  test('what cannot be read stops everything, and is named', async () => {
    const session = await empty();
    await told(session, add, ['--stage', ...digest, NAME, 'a']);
    const name = '99999999999999999999_x.change';
    writeFileSync(join(session.folder, 'trust/tuf', NAME, 'changelist', name), '{}');
    const { exit, stderr, next } = await told(session, publish, [NAME]);
    expect([exit, stderr.startsWith(`change ${name} is malformed: `)]).toEqual([1, true]);
    expect(next).toBe('Remove the file that the message names; the change in it is then not published.');
  });

  test('keys that are taken away: what is kept is signed again by those that stay, and that is said', async () => {
    const session = await loaded();
    const { publicKey } = await session.keys.create('bob');
    const [id] = (await session.keys.list()).filter(({ role }) => role === 'alice').map((key) => key.id);
    await (await session.repository()).publish((editor) => editor.addDelegation(ALICE, [publicKey], []));
    await told(session, removeDelegation, ['--stage', NAME, ALICE, id ?? '']);
    expect(await told(session, publish, ['--keep-all', NAME])).toEqual({
      ...PUBLISHED,
      stdout: `${listing(ALICE)}${PUBLISHED.stdout}`,
      stderr: `${ALICE} loses its signatures, and is signed again with what you keep of its one target.\n`,
    });
    expect(await versions(session)).toEqual(['targets 4', 'targets/alice 2', 'targets/releases 1']);
  });

  test('keys that are taken away where no other is here: whose signature is missing is said', async () => {
    const session = await loaded();
    const bob = visitorOf(session);
    const { publicKey, id } = await bob.keys.create('bob');
    const [own] = (await session.keys.list()).filter(({ role }) => role === 'alice').map((key) => key.id);
    await (await session.repository()).publish((editor) => editor.addDelegation(ALICE, [publicKey], []));
    await told(session, removeDelegation, ['--stage', NAME, ALICE, own ?? '']);
    expect(await told(session, publish, [NAME])).toEqual({
      ...PUBLISHED,
      stderr: `${ALICE} becomes unusable until signed by alice (${id.slice(0, 7)}): signet trust renew ${NAME} ${ALICE}\n`,
    });
  });

  test('of a role that needs two: what was signed waits for the other, and is staged no more', async () => {
    const session = await loaded();
    const { publicKey, id } = await session.keys.create('bob');
    await (await session.repository()).publish((editor) => {
      editor.addDelegation(ALICE, [publicKey], []);
      editor.setDelegationThreshold(ALICE, 2);
    });
    await session.keys.remove(id);
    await told(session, add, ['--stage', ...digest, '-r', ALICE, NAME, 'v2']);
    const before = session.simulator.state;
    const [alice] = (await session.keys.list()).filter(({ role }) => role === 'alice').map((key) => key.id.slice(0, 7));
    expect(await told(session, publish, [NAME])).toEqual(
      waits(
        [
          'Signed, and not in force yet. More signatures are needed:\n',
          `  ${ALICE}: 1 of 2, signed by alice (${alice}); needs 1 more of alice (${id.slice(0, 7)})\n`,
          `Others sign it with: signet trust approve ${NAME}\n`,
        ].join(''),
      ),
    );
    expect(session.simulator.state).toBe(before);
    expect(await stagedLines(session)).toBe(`No unpublished changes for ${NAME}\n`);
  });
});

describe('publish of what the server has lost', () => {
  /** A person who has visited the repository, which is then gone from the server. */
  async function lost(): Promise<FakeSession> {
    const session = await loaded();
    await (await session.repository()).read();
    await session.simulator.remove();
    return session;
  }
  const SAID = `trust.example.com has no data for ${NAME} any more. What is kept here is published there again.\n`;

  test('puts back what is kept here, with what is staged', async () => {
    const session = await lost();
    const key = session.keys;
    await told(session, add, ['--stage', ...digest, NAME, 'v9']);
    expect(await told(session, publish, [NAME])).toEqual({ ...PUBLISHED, stderr: SAID });
    const { set } = await session.simulator.trusted();
    expect([...set.targets.keys()]).toEqual(['targets', 'targets/alice', 'targets/releases'] as never);
    expect([...(set.targets.get('targets')?.payload.targets.keys() ?? [])]).toEqual(['v9']);
    expect([...(set.targets.get('targets/releases' as never)?.payload.targets.keys() ?? [])]).toEqual(['v1']);
    expect(set.root.root.version).toBe(1);
    expect((await key.list()).length).toBe(3);
    await (await session.repository()).read();
    expect((await told(session, add, [...digest, NAME, 'v10'])).exit).toBe(0);
  });

  test('takes no key but those of what is staged, if any', async () => {
    const session = await lost();
    for (const { id } of await session.keys.list()) await session.keys.remove(id);
    expect(await told(session, publish, [NAME])).toEqual({ ...PUBLISHED, stderr: SAID });
  });

  test('where the server has other keys by now, the root that names them is signed with the root key', async () => {
    const session = await lost();
    session.simulator.publicKey = async () => session.simulator.online.make();
    for (const { id, role } of await session.keys.list()) if (role === 'root') await session.keys.remove(id);
    expect((await told(session, publish, [NAME])).stderr).toContain('signing keys not available: need 1 keys from 1');
    expect(session.simulator.state.size).toBe(0);
  });
});
