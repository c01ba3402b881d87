import { beforeEach, describe, expect, test } from 'bun:test';
import { DELEGATION_PURGE } from '../../../../../src/cli/commands/trust/delegation/purge.ts';
import { PUBLISH } from '../../../../../src/cli/commands/trust/publish.ts';
import { RELEASES } from '../../../../../src/core/names/role.ts';
import { calling } from '../../../calling.ts';
import { type FakeSession, loaded, NAME } from '../../../fake-session.ts';
import { fails, says, told } from '../transcript.ts';
import { ALICE, idOf, listing, PUBLISHED, rows, STAGED, usable } from './world.ts';

const purgeKeys = calling(DELEGATION_PURGE);
const publish = calling(PUBLISH);

let session: FakeSession;

describe('delegation purge', () => {
  beforeEach(async () => {
    session = await loaded();
  });

  test('takes a key from all roles', async () => {
    const { publicKey } = await session.keys.create('bob');
    await (await session.repository()).publish((editor) => {
      for (const role of [ALICE, RELEASES]) editor.addDelegation(role, [publicKey], []);
    });
    const lines = [ALICE, RELEASES].map(
      (role) => `${role} loses its signatures, and is signed again with what you keep of its one target.\n`,
    );
    const alice = await idOf(session, 'alice');
    expect(await told(session, purgeKeys, ['--keep-all', '--key', `${alice},${'ab'.repeat(32)}`, NAME])).toEqual(
      says(`${lines.join('')}${[ALICE, RELEASES].map((role) => listing(role, '')).join('')}Published to ${NAME}.\n`),
    );
    expect((await rows(session)).map((row) => row[2])).toEqual([publicKey.id, publicKey.id]);
    expect(await usable(session)).toEqual(['targets', ALICE, RELEASES]);
    expect(await told(session, purgeKeys, ['--key', alice, NAME])).toEqual(says(`Nothing to change in ${NAME}.\n`));
  });

  test('asks where roles become unusable', async () => {
    session.answers.push('n');
    const words = ['--key', await idOf(session, 'alice'), NAME];
    const lines = [ALICE, RELEASES].map(
      (role) => `${role} becomes unusable: it lacks a key. Add: signet trust delegation add ${NAME} ${role} FILE\n`,
    );
    expect(await told(session, purgeKeys, words)).toEqual(says(`${lines.join('')}Nothing was done.\n`));
    expect(session.asked).toEqual(['Remove the keys all the same?']);
    expect(await told(session, purgeKeys, ['--stage', ...words])).toEqual(STAGED);
    expect(await told(session, publish, [NAME])).toEqual({ ...PUBLISHED, stderr: lines.join('') });
  });

  test.each([
    [[NAME], 'say which keys are to go: --key ID', 'See signet trust delegation purge --help'],
    [['--key', 'ab', NAME], 'invalid key ID "ab"', undefined],
  ])('%j', async (words, message, next) => {
    expect(await told(session, purgeKeys, words)).toEqual(fails(message, next));
  });
});
