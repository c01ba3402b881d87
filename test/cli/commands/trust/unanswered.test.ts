import { expect, test } from 'bun:test';
import { APPROVE, DISCARD } from '../../../../src/cli/commands/trust/approve.ts';
import { DELEGATION_PURGE } from '../../../../src/cli/commands/trust/delegation/purge.ts';
import { DELEGATION_REMOVE } from '../../../../src/cli/commands/trust/delegation/remove.ts';
import { DELETE } from '../../../../src/cli/commands/trust/delete.ts';
import { KEY_REMOVE } from '../../../../src/cli/commands/trust/key/remove.ts';
import { KEY_ROTATE } from '../../../../src/cli/commands/trust/key/rotate.ts';
import { RENEW } from '../../../../src/cli/commands/trust/renew.ts';
import { RESET } from '../../../../src/cli/commands/trust/reset.ts';
import { REVOKE } from '../../../../src/cli/commands/trust/revoke.ts';
import { SIGNER_REMOVE } from '../../../../src/cli/commands/trust/signers.ts';
import { answerOf } from '../../../../src/cli/terminal/answer.ts';
import { SignetError } from '../../../../src/core/errors/index.ts';
import { failure } from '../../../support/failure.ts';
import { calling } from '../../calling.ts';
import { type FakeSession, loaded, NAME } from '../../fake-session.ts';
import { severalSigners, signTag } from './several-signers.ts';
import { type TrustCommand, told } from './transcript.ts';

const approve = calling(APPROVE);
const discard = calling(DISCARD);
const purgeKeys = calling(DELEGATION_PURGE);
const removeDelegation = calling(DELEGATION_REMOVE);
const deleteCollection = calling(DELETE);
const removeKey = calling(KEY_REMOVE);
const rotate = calling(KEY_ROTATE);
const renewRoles = calling(RENEW);
const reset = calling(RESET);
const revoke = calling(REVOKE);
const removeSigners = calling(SIGNER_REMOVE);

const UNANSWERED = 'no one answered the question, as there is no terminal to ask at\n';

const alices = async ({ keys }: FakeSession) =>
  (await keys.list()).find(({ role }) => role === 'alice')?.id ?? 'no key';

/** Every command that asks, with words for which it does. */
const ASKING: readonly [
  name: string,
  TrustCommand,
  (session: FakeSession) => Promise<readonly string[]> | readonly string[],
  flag: string,
][] = [
  ['discard', discard, () => [NAME], '--yes'],
  ['delete --remote', deleteCollection, () => ['--remote', NAME], '--yes'],
  ['delegation remove', removeDelegation, () => [NAME, 'targets/alice'], '--yes'],
  ['delegation remove --stage', removeDelegation, () => ['--stage', NAME, 'targets/alice'], '--yes'],
  ['delegation purge', purgeKeys, async (session) => ['--key', await alices(session), NAME], '--yes'],
  ['renew', renewRoles, () => [NAME, 'targets'], '--yes'],
  ['reset --lost-root', reset, () => ['--lost-root', '--reason', 'x', NAME], '--yes'],
  ['revoke of a whole repository', revoke, () => [NAME], '--yes'],
  ['signer remove', removeSigners, () => ['alice', NAME], '--force'],
  ['key rotate', rotate, () => [NAME, 'targets'], '--yes'],
  ['key remove', removeKey, () => ['alice'], '--yes'],
];

test.each(ASKING)('%s fails, and changes nothing, if no one answers', async (_, command, words, flag) => {
  for (const isInteractive of [true, false]) {
    const session = Object.assign(await loaded(), { isInteractive });
    const before = [session.simulator.state, await session.keys.list()];
    const { exit, stderr, next } = await told(session, command, await words(session));
    expect([exit, stderr.startsWith('no one '), next?.endsWith(flag)]).toEqual([1, true, true]);
    expect([session.simulator.state, await session.keys.list()]).toEqual(before);
  }
});

test('approve fails if no one answers', async () => {
  const { admin, alice, bob } = await severalSigners();
  await signTag(alice, 'v1', 1);
  const before = admin.simulator.state;
  const { exit, stderr, next } = await told(bob.session, approve, [NAME]);
  expect([exit, stderr, next]).toEqual([1, UNANSWERED, 'Answer it on the command line: --yes']);
  expect(admin.simulator.state).toBe(before);
});

test('at a terminal it is said that the input ended, not that there is none', async () => {
  const ended = (atTerminal: boolean) =>
    answerOf(async () => {
      throw new SignetError('input-ended', 'x', { detail: { atTerminal } });
    }, '--yes');
  expect((await failure(ended(true), 'confirmation-missing')).message).toBe(
    'no one answered the question: the input ended',
  );
  expect((await failure(ended(false), 'confirmation-missing')).message).toBe(UNANSWERED.trimEnd());
});
