import { expect, test } from 'bun:test';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KEY_LIST } from '../../../../../src/cli/commands/trust/key/list.ts';
import { CommandText } from '../../../../../src/cli/line/command.ts';
import { generatePrivateKey } from '../../../../../src/core/keys/private-key.ts';
import { parseGun } from '../../../../../src/core/names/gun.ts';
import { calling } from '../../../calling.ts';
import { keeper, sealed, seen, stored } from './keeper.ts';

const listKeys = calling(KEY_LIST);

const A = parseGun('registry.example.com/acme/app');
const B = parseGun('registry.example.com/acme/web');

test('root keys first, then by repository, role and ID, with whole IDs', async () => {
  const person = await keeper();
  const targets = await stored(person, 'targets', { gun: B });
  const snapshot = await stored(person, 'snapshot', { gun: B, passphrase: 'x' });
  const other = await stored(person, 'targets', { gun: A, passphrase: 'x' });
  const bob = await stored(person, 'bob', { passphrase: 'x' });
  const alices = [await stored(person, 'alice'), await stored(person, 'alice')].map(({ id }) => id).sort();
  const root = await stored(person, 'root', { passphrase: 'x' });
  expect(await listKeys(person.session, [])).toBe(0);
  const gap = (text: string, width: number) => text.padEnd(width);
  const row = (role: string, gun: string, id: string, isSealed: string) =>
    `${gap(role, 11)}${gap(gun, 32)}${gap(id, 67)}${isSealed}\n`;
  expect(seen(person.session)).toEqual({
    printed: [
      row('ROLE', 'GUN', 'KEY ID', 'ENCRYPTED'),
      row('root', '', root.id, 'yes'),
      row('alice', '', alices[0] ?? '', 'no'),
      row('alice', '', alices[1] ?? '', 'no'),
      row('bob', '', bob.id, 'yes'),
      row('targets', A, other.id, 'yes'),
      row('snapshot', B, snapshot.id, 'yes'),
      row('targets', B, targets.id, 'no'),
    ].join(''),
    errors: '',
    asked: [],
  });
});

test('IDs alone', async () => {
  const person = await keeper();
  const alice = await stored(person, 'alice', { passphrase: 'x' });
  const root = await stored(person, 'root');
  expect(await listKeys(person.session, ['--quiet'])).toBe(0);
  expect(person.session.printed).toBe(`${root.id}\n${alice.id}\n`);
});

test('no keys', async () => {
  const { session } = await keeper();
  expect(await listKeys(session, [])).toBe(0);
  expect(await listKeys(session, ['-q'])).toBe(0);
  expect(session.printed).toBe('No signing keys found.\n');
});

test('keys in the folders of old are listed, and lie in the flat folder then', async () => {
  const person = await keeper();
  const key = generatePrivateKey('ecdsa');
  const old = join(person.session.folder, 'trust/private/tuf_keys', A);
  mkdirSync(old, { recursive: true });
  writeFileSync(join(old, `${key.id}_targets.key`), sealed(key, '', 'x'));
  await listKeys(person.session, []);
  expect(person.session.printed).toMatch(new RegExp(`^targets +${A} +${key.id} +yes$`, 'm'));
  expect(await person.folder.load(key.id)).toMatchObject({ role: 'targets', gun: A });
});

test('a role that would reach the terminal as a command is shown as text', async () => {
  const person = await keeper();
  const key = generatePrivateKey('ecdsa');
  const text = sealed(key, 'evil', '').toString().replace('evil', 'ev\u001b[31mil');
  mkdirSync(join(person.session.folder, 'trust/private'), { recursive: true });
  writeFileSync(join(person.session.folder, 'trust/private', `${key.id}.key`), text);
  await listKeys(person.session, []);
  expect(person.session.printed).toContain('ev [31mil');
  expect(person.session.printed).not.toContain('\u001b');
});

test('an argument is one too many', async () => {
  const { session } = await keeper();
  const error = await listKeys(session, ['alice']).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(CommandText);
  expect((error as CommandText).message).toBe(
    "signet: 'signet trust key list' accepts no arguments\n\nUsage:  signet trust key list [OPTIONS]\n\nRun 'signet trust key list --help' for more information\n",
  );
});
