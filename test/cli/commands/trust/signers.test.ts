import { describe, expect, test } from 'bun:test';
import { SIGNER_ADD, SIGNER_REMOVE } from '../../../../src/cli/commands/trust/signers.ts';
import { dockerTable } from '../../../../src/cli/terminal/table.ts';
import { generatePrivateKey } from '../../../../src/core/keys/private-key.ts';
import { formatPublicKeyFile } from '../../../../src/core/keys/public-key-file.ts';
import { RELEASES, signerRole } from '../../../../src/core/names/role.ts';
import { addSigner, signImages } from '../../../../src/trust/changes/sign.ts';
import { signersOf } from '../../../../src/trust/keys/signer-roles.ts';
import { failure } from '../../../support/failure.ts';
import { passOn } from '../../../support/private-keys.ts';
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

const addSigners = calling(SIGNER_ADD);
const removeSigners = calling(SIGNER_REMOVE);

const keyFile = (session: FakeSession, name = 'alice') =>
  session.file(`${name}.pub`, formatPublicKeyFile(generatePrivateKey('ecdsa').publicKey, name));

async function signers({ simulator }: FakeSession): Promise<Record<string, number>> {
  const { set } = await simulator.trusted();
  return Object.fromEntries(signersOf(set).map(({ name, keyIds }) => [name, keyIds.length]));
}

describe('signer add', () => {
  test('uninitialised: the repository is founded with the signer in it', async () => {
    const session = await uninitialised();
    expect(await addSigners(session, ['--key', keyFile(session), 'alice', NAME])).toBe(0);
    expect(session.printed).toBe(
      `Adding signer "alice" to ${NAME}...\nInitializing signed repository for ${NAME}...\nSuccessfully initialized "${NAME}"\nSuccessfully added signer: alice to ${NAME}\n\n`,
    );
    expect(await signers(session)).toEqual({ 'targets/alice': 1 });
    expect((await session.keys.list()).map(({ role }) => role).sort()).toEqual(['root', 'targets']);
  });

  test('empty: several keys of one signer', async () => {
    const session = await empty();
    await addSigners(session, ['--key', keyFile(session), '--key', keyFile(session, 'laptop'), 'alice', NAME]);
    expect(session.printed).toBe(
      `Adding signer "alice" to ${NAME}...\nSuccessfully added signer: alice to ${NAME}\n\n`,
    );
    expect(await signers(session)).toEqual({ 'targets/alice': 2 });
  });

  test('empty: a comma is part of a file’s name', async () => {
    const session = await empty();
    const paths = `${keyFile(session)},${keyFile(session)}`;
    const error = await failure(addSigners(session, ['--key', paths, 'alice', NAME]), 'file-missing');
    expect(error.message).toBe(`unable to read public key from file: open ${paths}: no such file or directory`);
  });

  test('without the repository key: says which would do, goes on, and fails at the end', async () => {
    const session = visitorOf(await empty());
    const words = ['--key', keyFile(session), 'alice', `${NAME}/UPPER`, NAME];
    const error = await failure(addSigners(session, words), 'trust-incomplete');
    expect(error.message).toBe(`failed to add signer to: ${NAME}/UPPER, ${NAME}`);
    const [invalid, missing] = session.errors.split('\n\n');
    expect(invalid).toContain('must be lowercase');
    expect(missing).toMatch(
      /^could not find necessary signing keys, at least one of these keys must be available: [0-9a-f]{64}$/,
    );
  });

  test('offline', async () => {
    const session = await offline();
    await failure(addSigners(session, ['--key', keyFile(session), 'bob', NAME]), 'trust-incomplete');
    expect(session.errors).toStartWith('Error: error contacting notary server: ');
  });

  test.each([
    [['alice', NAME], 'usage', 'path to a public key must be provided using the `--key` flag'],
    [['--key', 'x', 'releases', NAME], 'name-invalid', 'releases is a reserved keyword, use a different signer name'],
    [['--key', 'x', 'root', NAME], 'name-invalid', 'root is a reserved keyword, use a different signer name'],
    [
      ['--key', 'x', 'Alice', NAME],
      'name-invalid',
      'signer name "Alice" must start with lowercase alphanumeric characters and can include "-" or "_" after the first character',
    ],
  ] as const)('%j', async (words, code, message) => {
    expect((await failure(addSigners(await empty(), words), code)).message).toBe(message);
  });
});

describe('signer remove', () => {
  const question = `The signer "alice" signed the last released version of ${NAME}. Removing this signer will make ${NAME} unpullable. Are you sure you want to continue?`;

  test.each([
    ['y', {}],
    ['n', { 'targets/alice': 1 }],
  ])('loaded: the last signer goes only if the answer is y: %p', async (answer, left) => {
    const session = await loaded();
    session.answers.push(answer);
    expect(await removeSigners(session, ['alice', NAME])).toBe(0);
    expect([session.asked, await signers(session)]).toEqual([[question], left]);
    expect(session.printed.endsWith(`Successfully removed alice from ${NAME}\n\n`)).toBe(answer === 'y');
  });

  test('loaded: --force asks nothing', async () => {
    const session = await loaded();
    await removeSigners(session, ['-f', 'alice', NAME]);
    expect([session.asked, await signers(session)]).toEqual([[], {}]);
  });

  test('loaded: one who did not sign the release goes without a question, unlike with docker 26 and later', async () => {
    const session = await loaded();
    const key = generatePrivateKey('ecdsa').publicKey;
    await (await session.repository()).publish((editor) => addSigner(editor, 'bob', [key]));
    await removeSigners(session, ['bob', NAME]);
    expect([session.asked, await signers(session)]).toEqual([[], { 'targets/alice': 1 }]);
    expect(session.printed).toBe(`Removing signer "bob" from ${NAME}...\nSuccessfully removed bob from ${NAME}\n\n`);
  });

  test.each([
    ['bob', `no signer bob for repository ${NAME}`],
    ['A b', `no signer A b for repository ${NAME}`],
    ['releases', 'releases is a reserved keyword and cannot be removed'],
  ])('loaded: %p cannot be removed', async (name, message) => {
    const session = await loaded();
    const error = await failure(removeSigners(session, [name, NAME]), 'trust-incomplete');
    expect(error.message).toBe(`error removing signer from: ${NAME}`);
    expect(session.errors).toBe(`${message}\n\n`);
  });

  test('uninitialised', async () => {
    const session = await uninitialised();
    await failure(removeSigners(session, ['alice', NAME]), 'trust-incomplete');
    expect(session.errors).toBe(
      `error retrieving signers for ${NAME}: trust.example.com does not have trust data for ${NAME}\n\n`,
    );
  });

  test('offline', async () => {
    const session = await offline();
    await failure(removeSigners(session, ['alice', NAME]), 'trust-incomplete');
    expect(session.errors).toStartWith(`error retrieving signers for ${NAME}: `);
  });
});

describe('signer remove of a stolen key, whose release can be signed again here', () => {
  const QUESTION = `Which of ${RELEASES} are to be signed again? Their names with blanks in between, all, or none: `;

  /** Alice’s stolen key has released v1 and v2 last; bob, whose key is here too, vouches for v1 alone. */
  async function robbed(): Promise<FakeSession> {
    const session = await loaded();
    const { publicKey } = await session.keys.create('bob');
    const repository = await session.repository();
    await repository.publish((editor) => {
      addSigner(editor, 'bob', [publicKey]);
      const v1 = editor.targetsOf(RELEASES).get('v1');
      if (v1 !== undefined) editor.addTarget(signerRole('bob'), 'v1', v1);
    });
    const thief = visitorOf(session);
    const alice = (await session.keys.list()).find(({ role }) => role === 'alice');
    const secret = alice === undefined ? undefined : await session.keys.find(alice.id, RELEASES);
    if (secret === undefined) throw new Error('no key');
    await passOn(session.keyStore, secret.id, thief.keys);
    await signImages(await thief.repository(), [{ tag: 'v2', ...fakeImage('evil') }]);
    session.printed = '';
    session.asked.length = 0;
    return session;
  }

  const released = async ({ simulator }: FakeSession) => [
    ...((await simulator.trusted()).set.targets.get(RELEASES)?.payload.targets.keys() ?? []),
  ];

  test('shows each tag with date, digest and who else vouches for it, and asks', async () => {
    const session = await robbed();
    session.answers.push('', 'v3', 'v1');
    await removeSigners(session, ['alice', NAME]);
    expect(session.asked).toEqual([QUESTION, QUESTION, QUESTION]);
    expect(session.printed).toContain(
      `These lose their signatures in ${RELEASES}, and are signed again with other keys or dropped:

${dockerTable(
  ['NAME', 'DIGEST', 'SIGNED', 'ALSO IN'],
  [
    ['v1', `${fakeImage('v1').digest} ${fakeImage('v1').size} bytes`, '2026-11-23', 'targets/bob'],
    ['v2', `${fakeImage('evil').digest} ${fakeImage('evil').size} bytes`, '2026-11-23', ''],
  ],
)}`,
    );
    expect(session.printed).toContain('v3 is not among them.\n');
    expect(await released(session)).toEqual(['v1']);
  });

  test.each([
    [['--keep', 'v1'], ['v1']],
    [
      ['--keep', 'v2', '--keep', 'v1'],
      ['v1', 'v2'],
    ],
    [['--keep-all'], ['v1', 'v2']],
    [['--drop-all'], []],
    [['--force', '--drop-all'], []],
  ])('%j, without a terminal', async (flags, left) => {
    const session = await robbed();
    session.isInteractive = false;
    expect(await removeSigners(session, [...flags, 'alice', NAME])).toBe(0);
    expect([session.asked, (await released(session)).toSorted()]).toEqual([[], left]);
    expect(session.printed).toEndWith(`Successfully removed alice from ${NAME}\n\n`);
  });

  test.each([[[]], [['--force']]])('%j, without a terminal, is refused', async (flags) => {
    const session = await robbed();
    session.isInteractive = false;
    const before = session.simulator.state;
    const error = await failure(removeSigners(session, [...flags, 'alice', NAME]), 'trust-incomplete');
    expect(session.errors).toBe('no one can be asked which of these are to be signed again with other keys\n\n');
    expect(error.next).toBe('Say it on the command line: --keep TAG (several times), --keep-all or --drop-all');
    expect(session.simulator.state).toBe(before);
  });

  test.each([
    [['--keep', 'v9'], 'v9 is not among what loses its signatures\n\n'],
    [
      ['--keep', 'v1', '--drop-all'],
      'only one of these can be given: --keep TAG (several times), --keep-all or --drop-all\n\n',
    ],
  ])('%j is an error', async (flags, message) => {
    const session = await robbed();
    await failure(removeSigners(session, [...flags, 'alice', NAME]), 'trust-incomplete');
    expect([session.errors, await released(session)]).toEqual([message, ['v1', 'v2']]);
  });

  test('what is put there between the question and the publish is not signed', async () => {
    const session = await robbed();
    const thief = visitorOf(session);
    const alice = (await session.keys.list()).find(({ role }) => role === 'alice');
    const secret = alice === undefined ? undefined : await session.keys.find(alice.id, RELEASES);
    if (secret === undefined) throw new Error('no key');
    await passOn(session.keyStore, secret.id, thief.keys);
    session.simulator.beforePublish = async () => {
      session.simulator.beforePublish = async () => undefined;
      await signImages(await thief.repository(), [{ tag: 'v3', ...fakeImage('worse') }]);
    };
    await failure(removeSigners(session, ['--keep-all', 'alice', NAME]), 'trust-incomplete');
    expect(session.errors).toContain(`this would now sign a target of ${RELEASES} that was not shown`);
  });

  test('whose release others have signed since: what only the thief vouches for is named', async () => {
    const session = await robbed();
    const bob = visitorOf(session);
    const stored = (await session.keys.list()).find(({ role }) => role === 'bob');
    const secret = stored === undefined ? undefined : await session.keys.find(stored.id, RELEASES);
    if (secret === undefined) throw new Error('no key');
    await passOn(session.keyStore, secret.id, bob.keys);
    await signImages(await bob.repository(), [{ tag: 'v3', ...fakeImage('three') }]);
    expect(await removeSigners(session, ['alice', NAME])).toBe(0);
    expect(session.printed).toBe(
      `Removing signer "alice" from ${NAME}...\nStill released, though no signer who stays vouches for it: v2\nTo take one back: signet trust revoke ${NAME}:TAG\nSuccessfully removed alice from ${NAME}\n\n`,
    );
  });
});
