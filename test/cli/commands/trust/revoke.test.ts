import { describe, expect, test } from 'bun:test';
import { REVOKE } from '../../../../src/cli/commands/trust/revoke.ts';
import { addSigner } from '../../../../src/trust/changes/sign.ts';
import { failure } from '../../../support/failure.ts';
import { target } from '../../../support/simulator.ts';
import { calling } from '../../calling.ts';
import {
  empty,
  type FakeSession,
  fakeImage,
  loaded,
  NAME,
  offline,
  uninitialised,
  visitorOf,
} from '../../fake-session.ts';

const revoke = calling(REVOKE);

const QUESTION = `Confirm you would like to delete all signature data for ${NAME}?`;

async function releasedTags({ simulator }: FakeSession): Promise<string[]> {
  const { set } = await simulator.trusted();
  const roles = [...set.targets].filter(([role]) => role === 'targets' || role === 'targets/releases');
  return roles.flatMap(([role, { payload }]) => [...payload.targets.keys()].map((tag) => `${role} ${tag}`));
}

/** `loaded`, and the repository key has signed `v1` too. */
async function signedTwice(): Promise<FakeSession> {
  const session = await loaded();
  await (await session.repository()).publish((editor) => editor.addTarget('targets', 'v1', target(7)));
  return session;
}

test('loaded: a tag goes from every role that this person signs for', async () => {
  const session = await loaded();
  expect(await revoke(session, [`${NAME}:v1`])).toBe(0);
  expect(session.output).toEqual({ stdout: `Successfully deleted signature for ${NAME}:v1\n`, stderr: '' });
  expect(await releasedTags(session)).toEqual([]);
});

test('loaded: a tag that the repository key signed beside signers goes too, where that key is here', async () => {
  const session = await signedTwice();
  await revoke(session, [`${NAME}:v1`]);
  expect(await releasedTags(session)).toEqual([]);
});

test('loaded: where the repository key is not here, the command says that the tag is still signed', async () => {
  const owner = await signedTwice();
  const session = visitorOf(owner);
  const { publicKey } = await session.keys.create('alice');
  await (await owner.repository()).publish((editor) => addSigner(editor, 'alice', [publicKey]));
  const error = await failure(revoke(session, [`${NAME}:v1`]), 'trust-incomplete');
  expect(error.message).toBe(
    `could not remove signature for ${NAME}:v1: v1 is still signed with keys that are not here`,
  );
  expect(session.printed).toBe('');
  expect(await releasedTags(session)).toEqual(['targets v1']);
});

test.each([
  ['y', []],
  ['n', ['targets/releases v1']],
  ['yes', ['targets/releases v1']],
])('loaded, the whole repository, answered with %p', async (answer, left) => {
  const session = await loaded();
  session.answers.push(answer);
  expect(await revoke(session, [NAME])).toBe(0);
  expect([session.asked, await releasedTags(session)]).toEqual([[QUESTION], left]);
});

test('loaded: --yes asks nothing, and nor does a tag', async () => {
  const session = await loaded();
  await revoke(session, ['-y', NAME]);
  expect([session.asked, await releasedTags(session)]).toEqual([[], []]);
});

describe('an error is said with the name as typed', () => {
  const prefix = (name: string) => `could not remove signature for ${name}: `;

  test('uninitialised', async () => {
    const error = await failure(revoke(await uninitialised(), [`${NAME}:v1`]), 'trust-data-missing');
    expect(error.message).toBe(`${prefix(`${NAME}:v1`)}trust.example.com does not have trust data for ${NAME}`);
  });

  test('empty', async () => {
    const error = await failure(revoke(await empty(), ['--yes', NAME]), 'target-not-found');
    expect(error.message).toBe(`${prefix(NAME)}no signed tags to remove`);
  });

  test('loaded, another tag', async () => {
    const error = await failure(revoke(await loaded(), [`${NAME}:v2`]), 'target-not-found');
    expect(error.message).toBe(`${prefix(`${NAME}:v2`)}No valid trust data for v2`);
  });

  test('loaded, without a key', async () => {
    const error = await failure(revoke(visitorOf(await loaded()), [`${NAME}:v1`]), 'signing-key-missing');
    expect(error.message).toBe(`${prefix(`${NAME}:v1`)}no valid signing keys for delegation roles`);
  });

  test('offline', async () => {
    await failure(revoke(await offline(), [`${NAME}:v1`]), 'network-unreachable');
  });

  test('a digest', async () => {
    const name = `${NAME}@${fakeImage('v1').digest}`;
    const error = await failure(revoke(await loaded(), [name]), 'image-reference-unsupported');
    expect(error.message).toBe('cannot use a digest reference for IMAGE:TAG');
  });
});
