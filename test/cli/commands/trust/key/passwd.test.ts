import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { KEY_PASSWD } from '../../../../../src/cli/commands/trust/key/passwd.ts';
import { SignetError } from '../../../../../src/core/errors/index.ts';
import { openKeyFile } from '../../../../../src/core/keys/key-file.ts';
import { parseGun } from '../../../../../src/core/names/gun.ts';
import type { KeyId } from '../../../../../src/core/names/key-id.ts';
import { NO_CONFIGURATION } from '../../../../../src/trust/settings/configuration.ts';
import type { PassphrasePlace } from '../../../../../src/trust/settings/passphrase-places.ts';
import { failure } from '../../../../support/failure.ts';
import { type FakeKeychain, fakeKeychain } from '../../../../support/fake-keychain.ts';
import { calling } from '../../../calling.ts';
import { type Keeper, keeper, seen, stored } from './keeper.ts';

const changePassphrase = calling(KEY_PASSWD);

const GUN = parseGun('registry.example.com/acme/app');
const [OLD, NEW] = ['the old passphrase', 'the new passphrase'];
const short = (id: string) => id.slice(0, 7);

async function isOpenedBy({ folder }: Keeper, id: KeyId, passphrase: string): Promise<boolean> {
  const file = await folder.load(id);
  if (file === undefined) throw new Error('the key is not here');
  try {
    return openKeyFile(file, Buffer.from(passphrase)).id === id;
  } catch {
    return false;
  }
}

/** What makes a session keep passphrases there. */
function settings({ session }: Keeper, place: PassphrasePlace, env: Readonly<Record<string, string>> = {}): void {
  Object.assign(session.env, env);
  session.configuration = { ...NO_CONFIGURATION, passphrases: new Map([['repository', place]]) };
}

describe('a new passphrase', () => {
  test('is asked for twice, and the old one opens nothing any more', async () => {
    const person = await keeper();
    const { id } = await stored(person, 'targets', { passphrase: OLD, gun: GUN });
    person.session.answers.push('no', 'nor this', OLD, 'short', NEW, 'another one', NEW, NEW);
    expect(await changePassphrase(person.session, [id])).toBe(0);
    expect(seen(person.session)).toEqual({
      printed: [
        'Passphrase incorrect. Please retry.\n',
        'Passphrase incorrect. Please retry.\n',
        'Passphrase is too short. Please use a password manager to generate and store a good random passphrase.\n',
        'Passphrases do not match. Please retry.\n',
        `Successfully updated passphrase for key ID: ${id}\n`,
      ].join(''),
      errors: '',
      asked: [
        ...Array(3).fill(`Enter passphrase for repository key with ID ${short(id)}: `),
        ...Array(2).fill(`Enter passphrase for new repository key with ID ${short(id)}: `),
        `Repeat passphrase for new repository key with ID ${short(id)}: `,
        `Enter passphrase for new repository key with ID ${short(id)}: `,
        `Repeat passphrase for new repository key with ID ${short(id)}: `,
      ],
    });
    expect(await isOpenedBy(person, id, NEW)).toBe(true);
    expect(await isOpenedBy(person, id, OLD)).toBe(false);
    expect(await person.folder.load(id)).toMatchObject({ role: 'targets', gun: GUN });
  });

  test.each([
    ['a name', 'alice', (_id: string) => 'alice'],
    ['the beginning of an ID', 'root', (id: string) => id.slice(0, 7)],
    ['a whole ID', '', (id: string) => id],
  ])('of the key that %s means', async (_, role, words) => {
    const person = await keeper();
    const { id } = await stored(person, role, { passphrase: OLD });
    await stored(person, 'bob', { passphrase: OLD });
    person.session.answers.push(OLD, NEW, NEW);
    expect(await changePassphrase(person.session, [words(id)])).toBe(0);
    expect(await isOpenedBy(person, id, NEW)).toBe(true);
    expect((await person.folder.load(id))?.role).toBe(role);
  });

  test('of a root key comes with a warning, as docker gives it', async () => {
    const person = await keeper();
    await stored(person, 'root', { passphrase: OLD });
    person.session.answers.push(OLD, NEW, NEW);
    await changePassphrase(person.session, ['root']);
    expect(person.session.printed).toStartWith('You are about to create a new root signing key passphrase.');
  });

  test('of a key that lay open seals it', async () => {
    const person = await keeper();
    const { id } = await stored(person, 'alice');
    person.session.answers.push(NEW, NEW);
    expect(await changePassphrase(person.session, ['alice'])).toBe(0);
    expect(await isOpenedBy(person, id, NEW)).toBe(true);
    expect((await person.folder.load(id))?.encrypted).toBe(true);
  });

  test('is asked for even where the environment has the old one, which then is to be changed there', async () => {
    const person = await keeper();
    const { id } = await stored(person, 'alice', { passphrase: OLD });
    person.session.env.DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE = OLD;
    person.session.answers.push(NEW, NEW);
    expect(await changePassphrase(person.session, ['alice'])).toBe(0);
    expect(person.session.asked).toHaveLength(2);
    expect(person.session.printed).toBe(
      `Successfully updated passphrase for key ID: ${id}\nPut it also where the old one is read from: the environment, a file or a command.\n`,
    );
    expect(await isOpenedBy(person, id, NEW)).toBe(true);
  });

  test('comes from a file where one is named', async () => {
    const person = await keeper();
    const { id } = await stored(person, 'alice', { passphrase: OLD });
    person.session.env.SIGNET_NEW_PASSPHRASE_FILE = person.session.file('new', `${NEW}\n`);
    person.session.answers.push(OLD);
    expect(await changePassphrase(person.session, ['alice'])).toBe(0);
    expect(await isOpenedBy(person, id, NEW)).toBe(true);
  });
});

describe('nothing changes', () => {
  /** What a command that fails leaves of a key's file. */
  async function unchanged(person: Keeper, id: KeyId, attempt: () => Promise<unknown>): Promise<void> {
    const path = join(person.session.folder, 'trust/private', `${id}.key`);
    const before = readFileSync(path);
    await attempt();
    expect(readFileSync(path).equals(before)).toBe(true);
  }

  test('after four wrong passphrases', async () => {
    const person = await keeper();
    const { id } = await stored(person, 'alice', { passphrase: OLD });
    person.session.answers.push('a', 'b', 'c', 'd', OLD);
    await unchanged(person, id, async () => {
      const error = await failure(changePassphrase(person.session, ['alice']), 'key-passphrase-wrong');
      expect(error.message).toBe('maximum number of passphrase attempts exceeded');
    });
    expect(person.session.asked).toHaveLength(4);
  });

  test('after a wrong one in a variable', async () => {
    const person = await keeper();
    const { id } = await stored(person, 'alice', { passphrase: OLD });
    person.session.env.NOTARY_DELEGATION_PASSPHRASE = 'wrong';
    await unchanged(person, id, () => failure(changePassphrase(person.session, ['alice']), 'key-passphrase-wrong'));
    expect(person.session.asked).toEqual([]);
  });

  test.each([0, 1, 2])('after Ctrl-C at question %i', async (answered) => {
    const person = await keeper();
    const { id } = await stored(person, 'alice', { passphrase: OLD });
    const ask = person.session.askHidden.bind(person.session);
    person.session.answers.push(...[OLD, NEW].slice(0, answered));
    person.session.askHidden = async (prompt) => {
      if (person.session.answers.length === 0) throw new SignetError('cancelled', 'cancelled');
      return ask(prompt);
    };
    await unchanged(person, id, () => failure(changePassphrase(person.session, ['alice']), 'cancelled'));
    expect(person.session.printed).toBe('');
  });

  test('without a new passphrase in the file that is named', async () => {
    const person = await keeper();
    const { id } = await stored(person, 'alice');
    for (const [file, code] of [
      [person.session.file('empty', '\n'), 'passphrase-missing'],
      [person.session.file('open', NEW, 0o644), 'file-unsafe'],
      ['/nowhere/new', 'file-missing'],
    ] as const) {
      person.session.env.SIGNET_NEW_PASSPHRASE_FILE = file;
      await unchanged(person, id, () => failure(changePassphrase(person.session, ['alice']), code));
    }
  });

  test('without the key', async () => {
    const person = await keeper();
    const { id } = await stored(person, 'alice', { passphrase: OLD });
    const missing = await failure(changePassphrase(person.session, ['bob']), 'signing-key-missing');
    expect([missing.message, missing.next]).toEqual([
      'no key has the ID or the name "bob"',
      'See which keys there are: signet trust key list',
    ]);
    await failure(changePassphrase(person.session, [id.slice(0, 6)]), 'signing-key-missing');
    expect(person.session.asked).toEqual([]);
  });
});

describe('the keychain', () => {
  async function withKeychain(options: { passphrase?: string } = {}) {
    const keychain: FakeKeychain = fakeKeychain();
    const person = await keeper();
    settings(person, { kind: 'keychain', helper: keychain.helper }, keychain.env);
    const { id } = await stored(person, 'alice', { passphrase: OLD, ...options });
    return { person, keychain, id };
  }

  test('gets the new passphrase in place of the old one', async () => {
    const { person, keychain, id } = await withKeychain();
    keychain.put(id, OLD);
    person.session.answers.push(NEW, NEW);
    expect(await changePassphrase(person.session, ['alice'])).toBe(0);
    expect(keychain.all()).toEqual({ [id]: NEW });
    expect(person.session.printed).toBe(
      `Successfully updated passphrase for key ID: ${id}\nThe keychain keeps it from now on.\n`,
    );
  });

  test('never has the old one that was typed', async () => {
    const { person, keychain, id } = await withKeychain();
    person.session.answers.push(OLD);
    await failure(changePassphrase(person.session, ['alice']), 'input-ended');
    expect(keychain.all()).toEqual({});
    expect(await isOpenedBy(person, id, OLD)).toBe(true);
  });

  test('that does not take the new one is said to have the old one still', async () => {
    const { person, keychain, id } = await withKeychain();
    keychain.put(id, OLD);
    keychain.lock();
    person.session.answers.push(NEW, NEW);
    const error = await failure(changePassphrase(person.session, ['alice']), 'credential-helper-failed');
    expect(error.message).toStartWith('the passphrase is changed, but not in the keychain: ');
    expect(error.next).toBe(
      `Put the keychain in order: signet trust key passwd --remember ${id}, or --forget in its place`,
    );
    expect(await isOpenedBy(person, id, NEW)).toBe(true);
    expect(person.session.printed).toBe(`Successfully updated passphrase for key ID: ${id}\n`);
  });

  test('remembers and forgets a passphrase that stays as it is', async () => {
    const { person, keychain, id } = await withKeychain();
    person.session.answers.push('wrong', OLD);
    expect(await changePassphrase(person.session, ['--remember', 'alice'])).toBe(0);
    expect(keychain.all()).toEqual({ [id]: OLD });
    expect(await changePassphrase(person.session, ['--forget', 'alice'])).toBe(0);
    expect(keychain.all()).toEqual({});
    expect(await changePassphrase(person.session, ['--forget', 'alice'])).toBe(0);
    expect(person.session.printed).toBe(
      [
        'Passphrase incorrect. Please retry.\n',
        `The keychain keeps the passphrase for key ID: ${id}\n`,
        `The keychain has no passphrase any more for key ID: ${id}\n`,
        `The keychain has no passphrase any more for key ID: ${id}\n`,
      ].join(''),
    );
    expect(await isOpenedBy(person, id, OLD)).toBe(true);
  });

  test('remembers nothing that is wrong, and nothing of a key that lies open', async () => {
    const { person, keychain } = await withKeychain();
    person.session.answers.push('a', 'b', 'c', 'd');
    await failure(changePassphrase(person.session, ['--remember', 'alice']), 'key-passphrase-wrong');
    await stored(person, 'bob');
    await failure(changePassphrase(person.session, ['--remember', 'bob']), 'key-unprotected');
    expect(keychain.all()).toEqual({});
  });

  test('has to be named', async () => {
    const person = await keeper();
    await stored(person, 'alice', { passphrase: OLD });
    for (const flag of ['--remember', '--forget']) {
      const error = await failure(changePassphrase(person.session, [flag, 'alice']), 'configuration-invalid');
      expect(error.message).toBe('no keychain is configured for the alice key');
    }
    await failure(changePassphrase(person.session, ['--remember', '--forget', 'alice']), 'usage');
    expect(person.session.asked).toEqual([]);
  });
});
