import { describe, expect, test } from 'bun:test';
import { KEY_ROTATE } from '../../../../../src/cli/commands/trust/key/rotate.ts';
import { ROLE } from '../../../../../src/cli/commands/trust/role.ts';
import { SignetError } from '../../../../../src/core/errors/index.ts';
import { generatePrivateKey } from '../../../../../src/core/keys/private-key.ts';
import { formatPublicKeyFile } from '../../../../../src/core/keys/public-key-file.ts';
import { readRoot } from '../../../../../src/core/metadata/root.ts';
import type { KeyId } from '../../../../../src/core/names/key-id.ts';
import type { BaseRole } from '../../../../../src/core/names/role.ts';
import { baseSigners, canonicalKeyIds } from '../../../../../src/core/verify/signers.ts';
import { failure } from '../../../../support/failure.ts';
import { payloadOf } from '../../../../support/forgery.ts';
import { calling } from '../../../calling.ts';
import { type FakeSession, NAME, uninitialised } from '../../../fake-session.ts';
import { type Keeper, keeper, sealed, seen, stored } from './keeper.ts';

const rotateCommand = calling(KEY_ROTATE);
const setRole = calling(ROLE);

const PASSPHRASE = 'what opens the root key';
const NEW = 'what opens the new key';
const WARNING = `Warning: you are about to rotate your root key.

You must use your old key to sign this root rotation.
`;
const QUESTION = 'Are you sure you want to proceed?';

/** The command; of another role than the root, with the answer to its question. */
const rotate = (session: FakeSession, words: readonly string[]) =>
  rotateCommand(session, words.includes('root') ? words : ['--yes', ...words]);

/** Somebody with a repository, whose keys are sealed, and who is at the prompt. */
async function owner(): Promise<Keeper> {
  const session = await uninitialised();
  const person = await keeper(session);
  await stored(person, 'root', { passphrase: PASSPHRASE });
  await stored(person, 'targets', { passphrase: PASSPHRASE, gun: session.simulator.gun });
  session.answers.push(PASSPHRASE, PASSPHRASE);
  await (await session.repository()).initialize(() => undefined);
  person.reopen();
  session.asked.length = 0;
  session.printed = '';
  return person;
}

const idsOf = ({ simulator }: FakeSession, role: BaseRole) =>
  canonicalKeyIds(baseSigners(readRoot(payloadOf(simulator.file('root'))), role));
const idOf = (session: FakeSession, role: BaseRole) => idsOf(session, role)[0] as KeyId;
const short = (id: string) => id.slice(0, 7);

describe('in order', () => {
  test('targets: the former key goes', async () => {
    const { session, folder } = await owner();
    const [root, former] = [idOf(session, 'root'), idOf(session, 'targets')];
    session.answers.push(PASSPHRASE, NEW, NEW);
    expect(await rotate(session, [NAME, 'targets'])).toBe(0);
    const id = idOf(session, 'targets');
    expect(seen(session)).toEqual({
      printed: `Published to ${NAME}.\nNew targets key: ${id}\nRemoved the former targets key, which is of no more use: ${former}\n`,
      errors: '',
      asked: [
        `Enter passphrase for root key with ID ${short(root)}: `,
        `Enter passphrase for new repository key with ID ${short(id)}: `,
        `Repeat passphrase for new repository key with ID ${short(id)}: `,
      ],
    });
    expect((await folder.list()).map((key) => key.id).sort()).toEqual([root, id].sort());
  });

  test('snapshot: here, and at the server again', async () => {
    const { session } = await owner();
    session.answers.push(PASSPHRASE, NEW, NEW);
    expect(await rotate(session, [NAME, 'snapshot'])).toBe(0);
    const id = idOf(session, 'snapshot');
    expect(session.printed).toBe(`Published to ${NAME}.\nNew snapshot key: ${id}\n`);
    session.printed = '';
    expect(await rotate(session, ['--server-managed', NAME, 'snapshot'])).toBe(0);
    expect(session.printed).toBe(
      `Published to ${NAME}.\nNew snapshot key of the server: ${idOf(session, 'snapshot')}\nRemoved the former snapshot key, which is of no more use: ${id}\n`,
    );
  });

  test('timestamp: the server has another', async () => {
    const { session } = await owner();
    const former = idOf(session, 'timestamp');
    session.answers.push(PASSPHRASE);
    expect(await rotate(session, ['-r', NAME, 'timestamp'])).toBe(0);
    const id = idOf(session, 'timestamp');
    expect(id).not.toBe(former);
    expect(session.printed).toBe(`Published to ${NAME}.\nNew timestamp key of the server: ${id}\n`);
  });

  test('root: after a question, under a passphrase of its own, and the former key stays', async () => {
    const { session, folder } = await owner();
    const former = idOf(session, 'root');
    session.answers.push('y', PASSPHRASE, NEW, NEW);
    expect(await rotate(session, [NAME, 'root'])).toBe(0);
    const id = idOf(session, 'root');
    expect(session.asked).toEqual([
      QUESTION,
      `Enter passphrase for root key with ID ${short(former)}: `,
      `Enter passphrase for new root key with ID ${short(id)}: `,
      `Repeat passphrase for new root key with ID ${short(id)}: `,
    ]);
    expect(session.printed).toStartWith(WARNING);
    expect(session.printed).toEndWith(
      `Published to ${NAME}.\nNew root key: ${id}\nThe former root key stays here, as other repositories may need it: ${former}\n`,
    );
    expect(await folder.load(former)).toBeDefined();
  });

  test('root: to several keys, by ID, by the beginning of one, and out of a file', async () => {
    const person = await owner();
    const { session } = person;
    const [one, two, three] = [await stored(person, 'root'), await stored(person, 'root'), generatePrivateKey('ecdsa')];
    const file = session.file('three-key.pem', sealed(three, '', 'of the file'));
    session.answers.push(PASSPHRASE, 'of the file');
    const words = ['--yes', '--key', one.id, '-k', two.id.slice(0, 8), '--key', file, '--key', one.id, NAME, 'root'];
    expect(await rotate(session, words)).toBe(0);
    expect([...idsOf(session, 'root')].sort()).toEqual([one.id, two.id, three.id].sort());
    expect(await person.folder.load(three.id)).toMatchObject({ role: 'root', gun: undefined, encrypted: true });
    expect(session.asked[1]).toBe('Enter passphrase for root key: ');
  });

  test('root: to a key of a file in the clear, which gets a passphrase of its own', async () => {
    const { session } = await owner();
    const former = idOf(session, 'root');
    const key = generatePrivateKey('ecdsa');
    session.answers.push(PASSPHRASE, NEW, NEW);
    expect(await rotate(session, ['--yes', '--key', session.file('k.pem', sealed(key, '', '')), NAME, 'root'])).toBe(0);
    expect(idsOf(session, 'root')).toEqual([key.id]);
    expect(session.asked).toEqual([
      `Enter passphrase for root key with ID ${short(former)}: `,
      `Enter passphrase for new root key with ID ${short(key.id)}: `,
      `Repeat passphrase for new root key with ID ${short(key.id)}: `,
    ]);
  });

  test('targets: to a key of a file, which belongs to the repository from then on', async () => {
    const { session, folder } = await owner();
    const key = generatePrivateKey('ed25519');
    session.answers.push(PASSPHRASE, NEW, NEW);
    expect(await rotate(session, ['--key', session.file('k.pem', sealed(key, '', '')), NAME, 'targets'])).toBe(0);
    expect(idsOf(session, 'targets')).toEqual([key.id]);
    expect(await folder.load(key.id)).toMatchObject({ role: 'targets', gun: session.simulator.gun, encrypted: true });
  });
});

test('what needs more signatures waits, and says which keys must stay', async () => {
  const person = await owner();
  const { session } = person;
  const second = generatePrivateKey('ecdsa');
  const path = session.file('second.pub', formatPublicKeyFile(second.publicKey, 'x'));
  session.answers.push(PASSPHRASE, PASSPHRASE);
  expect(await setRole(session, ['--add-key', path, '--threshold', '1', NAME, 'targets'])).toBe(0);
  const { certified, fileOf } = await import('../../../../support/private-keys.ts');
  const other = generatePrivateKey('ecdsa');
  const certificate = certified(other, session.simulator.gun, session.now());
  const repository = await session.repository();
  const { keys } = session;
  await keys.import(fileOf(other, 'root'), { name: 'root' });
  await repository.publish((editor, { set }) => {
    const { keyIds, keys: listed } = baseSigners(set.root.root, 'root');
    editor.replaceKeys('root', [...keyIds.flatMap((id) => listed.get(id) ?? []), certificate], 2);
  });
  await keys.remove(other.id);
  session.printed = '';
  session.answers.push(NEW, NEW);
  const former = idsOf(session, 'targets').find((id) => id !== second.id) as KeyId;
  expect(await rotate(session, ['--key', second.id, NAME, 'targets']).catch(({ code }) => code)).toBe(
    'signing-key-missing',
  );
  expect(await rotate(session, [NAME, 'targets'])).toBe(1);
  expect(session.printed).toContain('Signed, and not in force yet. More signatures are needed:\n');
  expect(session.printed).toMatch(/^New targets key: [0-9a-f]{64}$/m);
  expect(session.printed).toEndWith(`The former targets key must stay until then; remove it afterwards: ${former}\n`);
  expect(await keys.has(former)).toBe(true);
});

describe('nothing changes', () => {
  async function refuses(person: Keeper, words: string[], code: Parameters<typeof failure>[1]): Promise<SignetError> {
    const { session, folder } = person;
    const before = [await folder.list(), new Map(session.simulator.state)];
    const error = await failure(rotate(session, words), code);
    expect([await folder.list(), new Map(session.simulator.state)]).toEqual(before);
    return error;
  }

  test.each([
    [
      [NAME, 'targets/alice'],
      'rotation-unsupported',
      'notary does not currently permit rotating the targets/alice key',
    ],
    [[NAME, 'alice\u001b'], 'rotation-unsupported', 'notary does not currently permit rotating the alice key'],
    [['-r', NAME, 'root'], 'rotation-unsupported', 'notary does not permit the server managing the root key'],
    [['-r', NAME, 'targets'], 'rotation-unsupported', 'notary does not permit the server managing the targets key'],
    [[NAME, 'timestamp'], 'rotation-unsupported', 'notary does not permit the client managing the timestamp key'],
    [
      ['-r', '--key', 'alice', NAME, 'snapshot'],
      'rotation-unsupported',
      'a key that the server manages cannot be chosen here',
    ],
    [['--key', 'alice', NAME, 'targets'], 'signing-key-missing', 'no key has the ID or the name "alice"'],
    [
      [`${NAME}:1.0`, 'targets'],
      'image-reference-unsupported',
      `${NAME}:1.0 names an image; give its repository alone`,
    ],
  ] as const)('%p', async (words, code, message) => {
    const person = await owner();
    expect((await refuses(person, [...words], code)).message).toBe(message);
    expect(person.session.asked).toEqual([]);
  });

  test.each(['n', ''])('where the question is answered with "%s"', async (answer) => {
    const { session } = await owner();
    session.answers.push(answer);
    const before = new Map(session.simulator.state);
    expect(await rotate(session, [NAME, 'root'])).toBe(0);
    expect(session.printed).toBe(`${WARNING}Nothing was done.\n`);
    expect(new Map(session.simulator.state)).toEqual(before);
  });

  test('if no one can be asked whether to rotate the root', async () => {
    const person = await owner();
    person.session.isInteractive = false;
    const error = await refuses(person, [NAME, 'root'], 'confirmation-missing');
    expect(error.next).toBe('Say it on the command line: --yes');
  });

  test.each([0, 1, 2])('after Ctrl-C at question %i', async (answered) => {
    const person = await owner();
    const { session } = person;
    const ask = session.askHidden.bind(session);
    session.answers.push(...[PASSPHRASE, NEW].slice(0, answered));
    session.askHidden = async (prompt) => {
      if (session.answers.length === 0) throw new SignetError('cancelled', 'cancelled');
      return ask(prompt);
    };
    await refuses(person, [NAME, 'targets'], 'cancelled');
    await refuses(person, ['--yes', NAME, 'root'], 'cancelled');
  });

  test('with a wrong passphrase, which is another error than a key that is not here', async () => {
    const person = await owner();
    person.session.env.DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE = 'wrong';
    await refuses(person, [NAME, 'targets'], 'key-passphrase-wrong');
    const file = person.session.file('k.pem', sealed(generatePrivateKey('ecdsa'), '', ''));
    await refuses(person, ['--key', file, NAME, 'targets'], 'key-passphrase-wrong');
    delete person.session.env.DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE;
    await person.folder.remove(idOf(person.session, 'root'));
    await refuses(person, [NAME, 'targets'], 'signing-key-missing');
  });

  test('to a key for something else', async () => {
    const person = await owner();
    const { id } = await stored(person, 'alice');
    const error = await refuses(person, ['--yes', '--key', 'alice', NAME, 'root'], 'key-role-conflict');
    expect(error.message).toBe(`${id} is the alice key, and cannot be a root key`);
  });

  test('to what is in a file, where that is no key, or several', async () => {
    const person = await owner();
    const { session } = person;
    const keys = [generatePrivateKey('ecdsa'), generatePrivateKey('ecdsa')].map((key) => sealed(key, '', 'x'));
    const several = session.file('k.pem', Buffer.concat(keys));
    const error = await refuses(person, ['-k', several, NAME, 'targets'], 'key-ambiguous');
    expect(error.next).toBe(`Import them first, then give the ID of one: signet trust key import ${several}`);
    await refuses(person, ['-k', session.file('n.pem', 'none'), NAME, 'targets'], 'key-malformed');
    const open = session.file('o.pem', sealed(generatePrivateKey('ecdsa'), '', ''), 0o644);
    await refuses(person, ['-k', open, NAME, 'targets'], 'file-unsafe');
    const ed25519 = session.file('e.pem', sealed(generatePrivateKey('ed25519'), '', ''));
    session.answers.push(PASSPHRASE);
    await refuses(person, ['--yes', '-k', ed25519, NAME, 'root'], 'key-unsupported');
  });
});
