import { beforeEach, describe, expect, test } from 'bun:test';
import { DELEGATION_REMOVE } from '../../../../../src/cli/commands/trust/delegation/remove.ts';
import { PUBLISH } from '../../../../../src/cli/commands/trust/publish.ts';
import type { Signer } from '../../../../../src/core/keys/signer.ts';
import { RELEASES } from '../../../../../src/core/names/role.ts';
import { target } from '../../../../support/simulator.ts';
import { calling } from '../../../calling.ts';
import { type FakeSession, loaded, NAME, visitorOf } from '../../../fake-session.ts';
import { fails, says, told } from '../transcript.ts';
import { ALICE, BOB, idOf, listing, PUBLISHED, rows, STAGED, usable } from './world.ts';

const removeDelegation = calling(DELEGATION_REMOVE);
const publish = calling(PUBLISH);

let session: FakeSession;

const ROLES = 'See which roles there are: signet trust delegation list REPOSITORY';

describe('delegation remove', () => {
  beforeEach(async () => {
    session = await loaded();
  });

  test('a whole role, after asking', async () => {
    session.answers.push('n', 'y');
    expect(await told(session, removeDelegation, [NAME, ALICE])).toEqual(says('Nothing was done.\n'));
    expect(await usable(session)).toContain(ALICE);
    expect(await told(session, removeDelegation, [NAME, ALICE])).toEqual(PUBLISHED);
    expect(await usable(session)).toEqual(['targets', RELEASES]);
    const question = `Remove ${ALICE} from ${NAME}, with all that it has signed?`;
    expect(session.asked).toEqual([question, question]);
  });

  test('--yes does not ask, and --stage asks before anything is staged', async () => {
    session.answers.push('n');
    expect(await told(session, removeDelegation, ['--stage', NAME, ALICE])).toEqual(says('Nothing was done.\n'));
    expect(await told(session, removeDelegation, ['--stage', '--yes', NAME, ALICE])).toEqual(STAGED);
    expect(await told(session, publish, [NAME])).toEqual(PUBLISHED);
    expect(await told(session, removeDelegation, ['-y', NAME, RELEASES])).toEqual(PUBLISHED);
    expect(await usable(session)).toEqual(['targets']);
    expect(session.asked).toHaveLength(1);
  });

  test('a key that others stand in for: what is kept is signed again in the same publish', async () => {
    const { publicKey } = await session.keys.create('bob');
    await (await session.repository()).publish((editor) => editor.addDelegation(ALICE, [publicKey], []));
    session.answers.push('v1');
    expect(await told(session, removeDelegation, [NAME, ALICE, await idOf(session, 'alice')])).toEqual(
      says(
        `${ALICE} loses its signatures, and is signed again with what you keep of its one target.\n${listing(ALICE)}Published to ${NAME}.\n`,
      ),
    );
    expect(await usable(session)).toContain(ALICE);
    expect(session.asked).toEqual([
      `Which of ${ALICE} are to be signed again? Their names with blanks in between, all, or none: `,
    ]);
  });

  test('a key whose stand-ins are elsewhere: the person is told who they are, and asked', async () => {
    const others = [visitorOf(session), visitorOf(session)];
    const keys = [await others[0]?.keys.create('bob'), await others[1]?.keys.create('carol')] as Signer[];
    await (await session.repository()).publish((editor) => {
      const [bob] = keys;
      if (bob !== undefined) editor.addDelegation(BOB, [bob.publicKey], ['']);
      editor.addDelegation(
        ALICE,
        keys.map(({ publicKey }) => publicKey),
        [],
      );
    });
    const [bob = '', carol = ''] = keys.map(({ id }) => id.slice(0, 7));
    const warning = `${ALICE} becomes unusable until signed by 1 of alice (${bob}), alice (${carol}): signet trust renew ${NAME} ${ALICE}\n`;
    session.answers.push('n', 'y');
    const words = [NAME, ALICE, await idOf(session, 'alice')];
    const before = session.simulator.state;
    expect(await told(session, removeDelegation, words)).toEqual(says(`${warning}Nothing was done.\n`));
    expect(session.simulator.state).toBe(before);
    expect(await told(session, removeDelegation, words)).toEqual(says(`${warning}Published to ${NAME}.\n`));
    expect(await usable(session)).not.toContain(ALICE);
    expect(session.asked).toEqual([`Change ${ALICE} all the same?`, `Change ${ALICE} all the same?`]);
  });

  test('the last key', async () => {
    expect(await told(session, removeDelegation, ['--yes', NAME, ALICE, await idOf(session, 'alice')])).toEqual(
      says(
        `${ALICE} becomes unusable: it lacks a key. Add: signet trust delegation add ${NAME} ${ALICE} FILE\nPublished to ${NAME}.\n`,
      ),
    );
    expect((await rows(session))[0]?.slice(0, 2)).toEqual([ALICE, '"" <all paths>']);
  });

  test('paths: what the role may no longer speak for is listed', async () => {
    await (await session.repository()).publish((editor) => {
      editor.addDelegation(ALICE, [], ['w']);
      for (const name of ['w1', ...Array.from({ length: 11 }, (_, index) => `x${index}`)]) {
        editor.addTarget(ALICE, name, target(1));
      }
    });
    session.answers.push('y');
    expect(await told(session, removeDelegation, ['--paths', '', NAME, ALICE])).toEqual(
      says(
        `${ALICE} may no longer speak for: v1, x0, x1, x2, x3, x4, x5, x6, x7, x8 and 2 more\nPublished to ${NAME}.\n`,
      ),
    );
    expect((await rows(session))[0]?.slice(0, 2)).toEqual([ALICE, 'w']);
    expect(await told(session, removeDelegation, ['--all-paths', '-y', NAME, ALICE])).toEqual(
      says(`${ALICE} may no longer speak for: w1\nPublished to ${NAME}.\n`),
    );
    expect(await told(session, removeDelegation, ['--all-paths', NAME, ALICE])).toEqual(
      says(`Nothing to change in ${NAME}.\n`),
    );
  });

  test.each([
    [[NAME, BOB], 'tuf: invalid role targets/bob. delegation does not exist', ROLES],
    [['--all-paths', NAME, BOB], 'tuf: invalid role targets/bob. delegation does not exist', ROLES],
    [[NAME, ALICE, 'ab'.repeat(32)], `${ALICE} has no key ${'ab'.repeat(32)}`, undefined],
    [[NAME, ALICE, 'ab'], 'invalid key ID "ab"', undefined],
    [[NAME, 'targets'], 'tuf: invalid role targets.', undefined],
  ])('%j', async (words, message, next) => {
    expect(await told(session, removeDelegation, words)).toEqual(fails(message, next));
  });

  test('what someone else publishes at the same time makes nothing unusable of which no one was told', async () => {
    const { publicKey, id } = await session.keys.create('bob');
    const carol = await visitorOf(session).keys.create('carol');
    const repository = await session.repository();
    await repository.publish((editor) => editor.addDelegation(ALICE, [publicKey], []));
    session.simulator.beforePublish = async () => {
      session.simulator.beforePublish = async () => undefined;
      await repository.publish((editor) => {
        editor.addDelegation(ALICE, [carol.publicKey], []);
        editor.removeDelegationKeys(ALICE, [id]);
      });
    };
    expect(await told(session, removeDelegation, ['--keep-all', NAME, ALICE, await idOf(session, 'alice')])).toEqual({
      ...fails(
        `this would now make ${ALICE} unusable as well`,
        'Somebody else has published in between: run the command again, and look at what it says.',
      ),
      stdout: `${ALICE} loses its signatures, and is signed again with what you keep of its one target.\n${listing(ALICE)}`,
    });
    expect(await usable(session)).toContain(ALICE);
  });
});
