import { describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KEY_REMOVE } from '../../../../../src/cli/commands/trust/key/remove.ts';
import { SignetError } from '../../../../../src/core/errors/index.ts';
import type { KeyId } from '../../../../../src/core/names/key-id.ts';
import { MetadataFolder } from '../../../../../src/store/trust-folder.ts';
import { addSigner } from '../../../../../src/trust/changes/sign.ts';
import { failure } from '../../../../support/failure.ts';
import { calling } from '../../../calling.ts';
import { empty } from '../../../fake-session.ts';
import { type Keeper, keeper, seen, stored } from './keeper.ts';

const removeKey = calling(KEY_REMOVE);

/** What is said before a key is removed that no trust data list. */
function loss(id: string, role: string): string {
  return `Key:   ${id}
Role:  ${role}
By the trust data that are kept here, it signs for nothing.
Without a copy it is lost for good. To make one: signet trust key export --key ${id} --output FILE
`;
}

const isHere = async ({ folder }: Keeper, id: KeyId) => (await folder.load(id)) !== undefined;

describe('a key', () => {
  test('is removed when someone says so', async () => {
    const person = await keeper();
    const { id } = await stored(person, 'alice', { passphrase: 'x' });
    const other = await stored(person, 'bob');
    person.session.answers.push('y');
    expect(await removeKey(person.session, ['alice'])).toBe(0);
    expect(seen(person.session)).toEqual({
      printed: `${loss(id, 'alice')}Deleted ${id} (role alice)\n`,
      errors: '',
      asked: ['Remove this key?'],
    });
    expect([await isHere(person, id), await isHere(person, other.id)]).toEqual([false, true]);
  });

  test('is removed without a question where the command line has the answer', async () => {
    const person = await keeper();
    const { id } = await stored(person, 'root');
    person.session.isInteractive = false;
    expect(await removeKey(person.session, ['--yes', id])).toBe(0);
    expect(person.session.printed).toBe(`${loss(id, 'root')}Deleted ${id} (role root)\n`);
    expect(person.session.asked).toEqual([]);
    expect(await isHere(person, id)).toBe(false);
  });

  test.each(['n', '', 'no'])('stays where the answer is "%s"', async (answer) => {
    const person = await keeper();
    const { id } = await stored(person, 'alice');
    person.session.answers.push(answer);
    expect(await removeKey(person.session, ['alice'])).toBe(0);
    expect(person.session.printed).toBe(`${loss(id, 'alice')}Nothing was done.\n`);
    expect(await isHere(person, id)).toBe(true);
  });

  test('stays if no one can be asked', async () => {
    const person = await keeper();
    const { id } = await stored(person, 'alice');
    person.session.isInteractive = false;
    const error = await failure(removeKey(person.session, ['alice']), 'confirmation-missing');
    expect([error.message, error.next]).toEqual([
      'no one can be asked whether to remove the key',
      'Say it on the command line: --yes',
    ]);
    expect(await isHere(person, id)).toBe(true);
  });

  test('stays after Ctrl-C', async () => {
    const person = await keeper();
    const { id } = await stored(person, 'alice');
    person.session.confirm = async () => {
      throw new SignetError('cancelled', 'cancelled');
    };
    await failure(removeKey(person.session, ['alice']), 'cancelled');
    expect(await isHere(person, id)).toBe(true);
  });

  test('that is not here, or that no one can tell from others', async () => {
    const person = await keeper();
    const [one, two] = [await stored(person, 'alice'), await stored(person, 'alice')];
    await failure(removeKey(person.session, ['--yes', 'bob']), 'signing-key-missing');
    await failure(removeKey(person.session, ['--yes', one.id.slice(0, 6)]), 'signing-key-missing');
    await failure(removeKey(person.session, ['--yes', 'alice']), 'key-ambiguous');
    expect(person.session.printed).toBe('');
    expect([await isHere(person, one.id), await isHere(person, two.id)]).toEqual([true, true]);
  });
});

describe('a root key', () => {
  test.each([
    ['yes', true],
    [' yes ', true],
    ['y', false],
    ['YES', false],
    ['yes!', false],
    ['', false],
  ])('typing "%s" removes it: %p', async (answer, removes) => {
    const person = await keeper();
    const { id } = await stored(person, 'root');
    person.session.answers.push(answer);
    expect(await removeKey(person.session, [id])).toBe(0);
    expect(person.session.asked).toEqual(['This is a root key. Type "yes" to remove it: ']);
    expect(await isHere(person, id)).toBe(!removes);
  });

  test('stays where the input ends', async () => {
    const person = await keeper();
    const { id } = await stored(person, 'root');
    expect(await removeKey(person.session, [id])).toBe(0);
    expect(person.session.printed).toEndWith('Nothing was done.\n');
    expect(await isHere(person, id)).toBe(true);
  });
});

test('what a key signs for, by what is cached, is shown before', async () => {
  const session = await empty();
  const person = await keeper(session);
  const { simulator } = session;
  const key = await stored(person, 'alice');
  const owner = await empty();
  const repository = await owner.repository();
  await repository.publish((editor) => addSigner(editor, 'alice', [key.publicKey]));
  const cache = new MetadataFolder(join(session.folder, 'trust'));
  for (const [role, bytes] of owner.simulator.state) await cache.write(simulator.gun, role, bytes);
  expect(await removeKey(session, ['--yes', 'alice'])).toBe(0);
  expect(session.printed).toContain(
    `By the trust data that are kept here, it signs for\n  ${simulator.gun}: targets/alice, targets/releases\n`,
  );
});

test('trust data that cannot be read are named', async () => {
  const person = await keeper();
  const { simulator, folder } = person.session;
  await new MetadataFolder(join(folder, 'trust')).write(simulator.gun, 'root', Buffer.from('{}'));
  writeFileSync(join(folder, 'trust/tuf/note'), 'not a collection');
  await stored(person, 'alice');
  await removeKey(person.session, ['--yes', 'alice']);
  expect(person.session.printed).toContain(
    `The trust data of ${simulator.gun} cannot be read; it may sign there too.\n`,
  );
});
