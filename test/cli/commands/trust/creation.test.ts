import { describe, expect, test } from 'bun:test';
import { SIGN } from '../../../../src/cli/commands/trust/sign.ts';
import { SIGNER_ADD } from '../../../../src/cli/commands/trust/signers.ts';
import { pushAndSign, type TaggedReference } from '../../../../src/cli/commands/trust/signing.ts';
import type { PublicKey } from '../../../../src/core/keys/public-key.ts';
import { formatPublicKeyFile } from '../../../../src/core/keys/public-key-file.ts';
import { failure } from '../../../support/failure.ts';
import { calling } from '../../calling.ts';
import { type FakeSession, fakeImage, loaded, NAME, uninitialised, visitorOf } from '../../fake-session.ts';
import { told } from './transcript.ts';

const sign = calling(SIGN);
const addSigners = calling(SIGNER_ADD);

const publicKeyFile = ({ publicKey }: { readonly publicKey: PublicKey }) => formatPublicKeyFile(publicKey, 'x');
const IMAGE = `${NAME}:v1`;

async function atWork(): Promise<FakeSession> {
  const session = await uninitialised();
  session.storeLogin('alice', 'x');
  session.inEngine.set(IMAGE, fakeImage('one'));
  return session;
}

const push = (session: FakeSession) => pushAndSign(session, session.resolve(IMAGE) as TaggedReference, { about: NAME });

const addAlice = async (session: FakeSession, ...flags: readonly string[]) => {
  const { publicKey } = await session.keys.create('carol');
  const file = session.file('carol.pub', publicKeyFile({ publicKey }));
  return told(session, addSigners, [...flags, '--key', file, 'carol', NAME]);
};

const signersOf = async ({ simulator }: FakeSession) =>
  (await simulator.trusted()).set.delegationsOf('targets').map(({ name }) => name);

describe.each([
  ['without a terminal', { isInteractive: false, env: {} }, 'without a terminal'],
  ['with CI set', { isInteractive: true, env: { CI: 'true' } }, 'in CI'],
])('%s, a repository that may be a mistyped name', (_, surroundings, why) => {
  const REFUSAL = `${NAME} has no trust data yet, and is not created unasked ${why}`;

  test('is not founded by sign, and no key is made', async () => {
    const session = Object.assign(await atWork(), surroundings);
    const error = await failure(sign(session, [IMAGE]), 'founding-unasked');
    expect([error.message, session.pushed, await session.keys.list()]).toEqual([REFUSAL, [], []]);
    expect(error.next).toBe(
      `If the name is right, found it once, where its keys stay: signet trust init ${NAME}\nOr let this command do it: --init`,
    );
    expect(session.simulator.state.size).toBe(0);
  });

  test('is not founded by push, and nothing is pushed', async () => {
    const session = Object.assign(await atWork(), surroundings);
    const error = await failure(push(session), 'founding-unasked');
    expect([error.message, session.pushed, await session.keys.list()]).toEqual([REFUSAL, [], []]);
    expect(error.next).toBe(`If the name is right, found it once, where its keys stay: signet trust init ${NAME}`);
  });

  test('is not founded by signer add', async () => {
    const session = Object.assign(await atWork(), surroundings);
    expect(await addAlice(session)).toMatchObject({ exit: 1, stderr: expect.stringContaining(`${REFUSAL}\n`) });
    expect([session.simulator.state.size, (await session.keys.list()).length]).toEqual([0, 1]);
  });

  test('is founded by sign --init and by signer add --init', async () => {
    const session = Object.assign(await atWork(), surroundings);
    expect(await sign(session, ['--init', IMAGE])).toBe(0);
    expect(await signersOf(session)).toEqual(['targets/alice', 'targets/releases'] as never);
    const other = Object.assign(await atWork(), surroundings);
    expect((await addAlice(other, '--init')).exit).toBe(0);
    expect(await signersOf(other)).toEqual(['targets/carol', 'targets/releases'] as never);
  });

  test('gets the key that was imported for its first signer, not another one', async () => {
    const session = Object.assign(await atWork(), surroundings);
    const { id } = await session.keys.create('robot');
    await sign(session, ['--init', IMAGE]);
    expect(await signersOf(session)).toEqual(['targets/robot', 'targets/releases'] as never);
    expect((await session.keys.list()).map(({ role }) => role).sort()).toEqual(['robot', 'root', 'targets']);
    const signers = (await session.simulator.trusted()).set.signersOf('targets/releases' as never);
    expect(signers.keyIds).toEqual([id]);
  });

  test('gets a key that no one has named under the name of the user', async () => {
    const session = Object.assign(await atWork(), surroundings);
    await session.keys.create('signer');
    await sign(session, ['--init', IMAGE]);
    expect(await signersOf(session)).toEqual(['targets/alice', 'targets/releases'] as never);
    expect((await session.keys.list()).map(({ role }) => role).sort()).toEqual(['root', 'signer', 'targets']);
  });

  test('is not founded with a guess which of several keys is meant', async () => {
    const session = Object.assign(await atWork(), surroundings);
    for (const name of ['carol', 'robot']) await session.keys.create(name);
    await failure(sign(session, ['--init', IMAGE]), 'key-ambiguous');
    expect(session.simulator.state.size).toBe(0);
  });
});

test('a key that is here under another name is left alone at a terminal, as docker has it', async () => {
  const session = await atWork();
  await session.keys.create('robot');
  await sign(session, [IMAGE]);
  expect(await signersOf(session)).toEqual(['targets/alice', 'targets/releases'] as never);
});

test('whoever is not the first to found keeps no key that was made for it, and pushes nothing that they cannot sign', async () => {
  const session = await atWork();
  const other = visitorOf(session);
  session.simulator.beforePublish = async () => {
    session.simulator.beforePublish = async () => undefined;
    await addAlice(other);
  };
  const error = await failure(sign(session, [IMAGE]), 'signing-failed');
  expect(error.message).toEndWith('no valid signing keys for delegation roles');
  expect([session.pushed, await session.keys.list()]).toEqual([[], []]);
  expect(await signersOf(other)).toEqual(['targets/carol', 'targets/releases'] as never);
});

describe('push opens the keys before it uploads', () => {
  test('a key that is missing', async () => {
    const session = visitorOf(await loaded());
    session.inEngine.set(IMAGE, fakeImage('two'));
    const error = await failure(push(session), 'signing-failed');
    expect(error.message).toBe(`failed to sign ${IMAGE}: no valid signing keys for delegation roles`);
    expect([session.pushed, session.printed]).toEqual([[], '']);
  });

  test('the repository’s key is missing', async () => {
    const owner = await atWork();
    await (await owner.repository()).initialize(() => undefined);
    const session = visitorOf(owner);
    session.inEngine.set(IMAGE, fakeImage('two'));
    const error = await failure(push(session), 'signing-failed');
    expect([error.message.includes('need 1 keys from 1 possible keys'), session.pushed]).toEqual([true, []]);
  });

  test.each([['alice'], ['root']])('a wrong passphrase for the %s key', async (role) => {
    const session = role === 'root' ? await atWork() : await loaded();
    session.inEngine.set(IMAGE, fakeImage('two'));
    if (role === 'root') await session.keys.create('root');
    const key = (await session.keys.list()).find((each) => each.role === role);
    if (key === undefined) throw new Error(`no ${role} key`);
    await session.keyFiles.reseal(key.id, Buffer.from('what it is not'));
    session.keys.close();
    const error = await failure(push(session), 'signing-failed');
    expect(error.message).toEndWith('maximum number of passphrase attempts exceeded');
    expect([session.pushed, session.printed]).toEqual([[], '']);
  });

  test('and pushes once they are open', async () => {
    const session = await loaded();
    session.inEngine.set(IMAGE, fakeImage('two'));
    await push(session);
    expect(session.pushed).toEqual([IMAGE]);
    expect(session.printed).toBe(`Signing and pushing trust metadata\nSuccessfully signed ${IMAGE}\n`);
  });
});
