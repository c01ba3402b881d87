import { describe, expect, test } from 'bun:test';
import { SIGN } from '../../../../src/cli/commands/trust/sign.ts';
import { SIGNER_REMOVE } from '../../../../src/cli/commands/trust/signers.ts';
import { SignetError } from '../../../../src/core/errors/index.ts';
import { RELEASES } from '../../../../src/core/names/role.ts';
import { failure } from '../../../support/failure.ts';
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

const sign = calling(SIGN);
const removeSigners = calling(SIGNER_REMOVE);

const publishes = ({ simulator }: FakeSession) => simulator.requests.filter((request) => request.startsWith('publish'));
const digestOfTag = async ({ simulator }: FakeSession, role: string, tag: string) => {
  const { set } = await simulator.trusted();
  const file = [...set.targets].find(([name]) => name === role)?.[1];
  return file?.payload.targets.get(tag)?.hashes.get('sha256')?.toString('hex');
};
const hex = (text: string) => fakeImage(text).digest.slice('sha256:'.length);
const signed = (tag: string) => `Successfully signed ${NAME}:${tag}\n`;
const NO_ENGINE = new SignetError('engine-unreachable', 'Cannot connect to the Docker daemon');

describe('where the trust server is not that of the registry', () => {
  const pulled = { ...fakeImage('one'), repoDigests: [`${NAME}@${fakeImage('one').digest}`] };

  test('an image that was pulled from the registry is vouched for, and not pushed', async () => {
    const session = await empty();
    session.inEngine.set(`${NAME}:v1`, pulled);
    session.inRegistry.set(`${NAME}:v1`, fakeImage('one'));
    await sign(session, [`${NAME}:v1`]);
    expect(session.pushed).toEqual([]);
    expect(session.errors).toBe(`Signing what the registry holds as ${NAME}:v1: ${fakeImage('one').digest}\n`);
    expect(await digestOfTag(session, 'targets', 'v1')).toBe(hex('one'));
  });

  test.each([
    ['that the registry has replaced since', [`${NAME}:v1`], [] as string[]],
    ['with --local', [`${NAME}:v1`], ['--local']],
  ])('an image %s is pushed', async (_, pushed, flags) => {
    const session = await empty();
    session.inEngine.set(`${NAME}:v1`, pulled);
    session.inRegistry.set(`${NAME}:v1`, fakeImage(flags.length === 0 ? 'another' : 'one'));
    await sign(session, [...flags, `${NAME}:v1`]);
    expect(session.pushed).toEqual(pushed);
  });
});

describe('uninitialised', () => {
  test('an image of the engine founds the repository in the name of who is logged in', async () => {
    const session = await uninitialised();
    session.storeLogin('alice', 'x');
    session.inEngine.set(`${NAME}:v1`, fakeImage('one'));
    expect(await sign(session, [`${NAME}:v1`])).toBe(0);
    expect(session.output).toEqual({
      stdout: `Created signer: alice\nFinished initializing signed repository for ${NAME}:v1\nSigning and pushing trust metadata\n${signed('v1')}`,
      stderr: `Signing and pushing trust data for local image ${NAME}:v1, may overwrite remote trust data\n`,
    });
    expect(session.pushed).toEqual([`${NAME}:v1`]);
    expect(await digestOfTag(session, 'targets/releases', 'v1')).toBe(hex('one'));
    expect((await session.keys.list()).map(({ role }) => role).sort()).toEqual(['alice', 'root', 'targets']);
  });

  test('an image that no one has founds nothing and makes no key', async () => {
    const session = await uninitialised();
    session.storeLogin('alice', 'x');
    const error = await failure(sign(session, [`${NAME}:v1`]), 'image-missing');
    expect(error.message).toBe(`No such image: ${NAME}:v1: neither the engine nor the registry has it`);
    expect([publishes(session), await session.keys.list(), session.printed]).toEqual([[], [], '']);
  });

  test('one image of two that is missing keeps the other from being signed', async () => {
    const session = await uninitialised();
    session.storeLogin('alice', 'x');
    session.inEngine.set(`${NAME}:v1`, fakeImage('one'));
    await failure(sign(session, [`${NAME}:v1`, `${NAME}:v2`]), 'image-missing');
    expect([publishes(session), session.pushed]).toEqual([[], []]);
  });

  test('no one logged in: the repository key signs', async () => {
    const session = await uninitialised();
    session.inRegistry.set(`${NAME}:v1`, fakeImage('one'));
    await sign(session, ['--remote', `${NAME}:v1`]);
    expect(await digestOfTag(session, 'targets', 'v1')).toBe(hex('one'));
    expect(publishes(session)).toHaveLength(1);
  });

  test('a user whose name no signer can have is told what to do', async () => {
    const session = await uninitialised();
    session.storeLogin('Alice.B', 'x');
    session.inEngine.set(`${NAME}:v1`, fakeImage('one'));
    const error = await failure(sign(session, [`${NAME}:v1`]), 'role-invalid');
    expect(error.next).toContain('signer add');
    expect([publishes(session), session.pushed]).toEqual([[], []]);
  });
});

describe('loaded', () => {
  test('a released tag is signed as it is released, whatever engine and registry have, and its expiry is renewed', async () => {
    const session = await loaded();
    session.inEngine.set(`${NAME}:v1`, fakeImage('other'));
    await sign(session, [`${NAME}:v1`]);
    expect(session.printed).toBe(
      `Signing and pushing trust metadata for ${NAME}:v1\nExisting signatures for tag v1 digest ${hex('v1')} from:\nalice\n${signed('v1')}`,
    );
    expect(publishes(session)).toEqual(['publish targets/alice targets/releases']);
    expect(await digestOfTag(session, 'targets/releases', 'v1')).toBe(hex('v1'));
  });

  test('a tag whose release cannot be verified is not signed as targets had it before', async () => {
    const session = await loaded();
    const { digest, size } = fakeImage('old');
    const old = { length: size, hashes: new Map([['sha256', Buffer.from(digest.slice('sha256:'.length), 'hex')]]) };
    await (await session.repository()).publish((editor) => editor.addTarget('targets', 'v1', old));
    session.simulator.forge(RELEASES, [], []);
    session.simulator.relist();
    await failure(sign(session, [`${NAME}:v1`]), 'image-missing');
    session.inEngine.set(`${NAME}:v1`, fakeImage('new'));
    await sign(session, [`${NAME}:v1`]);
    expect(await digestOfTag(session, RELEASES, 'v1')).toBe(hex('new'));
  });

  test('--local takes the engine’s image, and only that', async () => {
    const session = await loaded();
    session.inRegistry.set(`${NAME}:v1`, fakeImage('remote'));
    const error = await failure(sign(session, ['--local', `${NAME}:v1`]), 'image-missing');
    expect(error.message).toBe(`Error response from daemon: No such image: ${NAME}:v1`);
    session.inEngine.set(`${NAME}:v1`, fakeImage('local'));
    await sign(session, ['--local', `${NAME}:v1`]);
    expect(await digestOfTag(session, 'targets/releases', 'v1')).toBe(hex('local'));
  });

  test('--local without an engine is the engine’s error', async () => {
    const session = await loaded();
    session.engineFails = NO_ENGINE;
    await failure(sign(session, ['--local', `${NAME}:v1`]), 'engine-unreachable');
  });

  test('--remote takes what the registry has, and says which', async () => {
    const session = await loaded();
    session.inEngine.set(`${NAME}:v1`, fakeImage('local'));
    session.inRegistry.set(`${NAME}:v1`, fakeImage('remote'));
    await sign(session, ['--remote', `${NAME}:v1`]);
    expect(session.errors).toBe(`Signing what the registry holds as ${NAME}:v1: ${fakeImage('remote').digest}\n`);
    expect([await digestOfTag(session, 'targets/releases', 'v1'), session.pushed]).toEqual([hex('remote'), []]);
  });

  test('a new tag that only the registry has needs no engine', async () => {
    const session = await loaded();
    session.engineFails = NO_ENGINE;
    session.inRegistry.set(`${NAME}:v2`, fakeImage('two'));
    await sign(session, [`${NAME}:v2`]);
    expect(await digestOfTag(session, 'targets/releases', 'v2')).toBe(hex('two'));
  });

  test('a new tag that is nowhere says why the engine could not be asked', async () => {
    const session = await loaded();
    session.engineFails = NO_ENGINE;
    const error = await failure(sign(session, [`${NAME}:v2`]), 'image-missing');
    expect(error.message).toBe(
      `No such image: ${NAME}:v2: not in the registry, and no engine: Cannot connect to the Docker daemon`,
    );
  });

  test('a tag beside a digest is signed with that digest if the registry has it', async () => {
    const session = await loaded();
    session.inRegistry.set(`${NAME}:v2`, fakeImage('two'));
    await failure(sign(session, [`${NAME}:v2@${fakeImage('other').digest}`]), 'not-found');
    await sign(session, [`${NAME}:v2@${fakeImage('two').digest}`]);
    expect(await digestOfTag(session, 'targets/releases', 'v2')).toBe(hex('two'));
  });

  test('several tags are one publish', async () => {
    const session = await loaded();
    for (const tag of ['v2', 'v3']) session.inRegistry.set(`${NAME}:${tag}`, fakeImage(tag));
    await sign(session, [`${NAME}:v2`, `${NAME}:v3`]);
    expect(publishes(session)).toHaveLength(1);
    expect(session.printed).toBe(`${signed('v2')}${signed('v3')}`);
  });

  test('no one who has no key is told of signatures, or signs', async () => {
    const session = visitorOf(await loaded());
    const error = await failure(sign(session, [`${NAME}:v1`]), 'signing-failed');
    expect(error.message).toBe(`failed to sign ${NAME}:v1: no valid signing keys for delegation roles`);
    expect(session.printed).toBe(`Signing and pushing trust metadata for ${NAME}:v1\n`);
    expect(error.next).toBe('Load the key of an authorised signer: signet trust key load FILE');
  });
});

test('a repository whose last signer was removed is told to add one, not to load a key of one', async () => {
  const session = await loaded();
  session.answers.push('y');
  await removeSigners(session, ['alice', NAME]);
  session.inRegistry.set(`${NAME}:v2`, fakeImage('v2'));
  const error = await failure(sign(session, ['--remote', `${NAME}:v2`]), 'signing-failed');
  expect([error.message, error.next]).toEqual([
    `failed to sign ${NAME}:v2: no valid signing keys for delegation roles`,
    'The repository has no signer any more. Whoever has its key adds one: signet trust signer add --key NAME.pub NAME REPOSITORY',
  ]);
});

test('empty: the repository key signs while there are no signers', async () => {
  const session = await empty();
  session.inEngine.set(`${NAME}:v1`, fakeImage('one'));
  await sign(session, [`${NAME}:v1`]);
  expect(await digestOfTag(session, 'targets', 'v1')).toBe(hex('one'));
});

test('offline: nothing is pushed and nothing is signed, cached or not', async () => {
  const session = await offline();
  session.inEngine.set(`${NAME}:v1`, fakeImage('one'));
  const error = await failure(sign(session, [`${NAME}:v1`]), 'network-unreachable');
  expect(error.message).toStartWith('Error: error contacting notary server: ');
  expect(session.pushed).toEqual([]);
});

test.each([
  [NAME, `no tag specified for ${NAME}`],
  [`${NAME}@${fakeImage('one').digest}`, 'cannot use a digest reference for IMAGE:TAG'],
])('%s is not signed', async (name, message) => {
  const session = await loaded();
  expect((await failure(sign(session, [name]), 'image-reference-unsupported')).message).toBe(message);
});
