import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { KEY_IMPORT } from '../../../../../src/cli/commands/trust/key/import.ts';
import { SignetError } from '../../../../../src/core/errors/index.ts';
import { formatKeyFile, openKeyFile, parseKeyFile } from '../../../../../src/core/keys/key-file.ts';
import { generatePrivateKey, type PrivateKey } from '../../../../../src/core/keys/private-key.ts';
import { parseGun } from '../../../../../src/core/names/gun.ts';
import { failure } from '../../../../support/failure.ts';
import { run } from '../../../../support/run.ts';
import { temporaryFolder } from '../../../../support/temp.ts';
import { calling } from '../../../calling.ts';
import { type Keeper, keeper, sealed, seen, stored } from './keeper.ts';

const importKeys = calling(KEY_IMPORT);

const GUN = parseGun('registry.example.com/acme/app');
const PASSPHRASE = 'its own passphrase';

/** A key as `key export` writes it. */
function exported(key: PrivateKey, role: string, passphrase = PASSPHRASE): Buffer {
  const [file] = parseKeyFile(sealed(key, role, passphrase, role === 'targets' ? GUN : undefined));
  if (file === undefined) throw new Error('no key');
  return formatKeyFile({ ...file, path: key.id });
}

async function opens({ folder }: Keeper, key: PrivateKey, passphrase: string): Promise<boolean> {
  const file = await folder.load(key.id);
  if (file === undefined) throw new Error('the key is not here');
  try {
    return openKeyFile(file, Buffer.from(passphrase)).id === key.id;
  } catch {
    return false;
  }
}

const listed = async ({ folder }: Keeper) => (await folder.list()).map(({ role, gun }) => [role, gun]);

describe('exported keys', () => {
  test('are stored as they are, and no one is asked', async () => {
    const person = await keeper();
    const [root, targets] = [generatePrivateKey('ecdsa'), generatePrivateKey('ecdsa')];
    const file = person.session.file('keys.pem', Buffer.concat([exported(root, 'root'), exported(targets, 'targets')]));
    expect(await importKeys(person.session, [file])).toBe(0);
    expect(seen(person.session)).toEqual({
      printed: `Imported the root key: ${root.id}\nImported the targets key of ${GUN}: ${targets.id}\n`,
      errors: '',
      asked: [],
    });
    const path = join(person.session.folder, 'trust/private', `${targets.id}.key`);
    const text = exported(targets, 'targets').toString();
    expect(readFileSync(path, 'utf8').split('\n').slice(0, 4)).toEqual(
      text
        .split('\n')
        .filter((line) => !line.startsWith('path'))
        .slice(0, 4),
    );
    expect(await opens(person, root, PASSPHRASE)).toBe(true);
  });

  test('that are here already keep what they have', async () => {
    const person = await keeper();
    const key = await stored(person, 'alice', { passphrase: 'before' });
    const file = person.session.file('keys.pem', exported(key, 'alice'));
    expect(await importKeys(person.session, [file])).toBe(0);
    expect(person.session.printed).toBe(`The alice key is here already: ${key.id}\n`);
    expect(await opens(person, key, 'before')).toBe(true);
  });
});

describe('keys from elsewhere', () => {
  test('an encrypted one is asked for its passphrase, keeps it, and is sealed again', async () => {
    const person = await keeper();
    const key = generatePrivateKey('ecdsa');
    person.session.answers.push('wrong', PASSPHRASE);
    const file = person.session.file('k.pem', sealed(key, '', PASSPHRASE));
    expect(await importKeys(person.session, ['--role', 'alice', file])).toBe(0);
    expect(seen(person.session)).toEqual({
      printed: `Passphrase incorrect. Please retry.\nImported the alice key: ${key.id}\n`,
      errors: '',
      asked: ['Enter passphrase for alice key: ', 'Enter passphrase for alice key: '],
    });
    const stored = await person.folder.load(key.id);
    // DER of 200,000 rounds; the file had one.
    expect(stored?.block.bytes.subarray(0, 64).toString('hex')).toContain('0203030d40');
    expect(await opens(person, key, PASSPHRASE)).toBe(true);
  });

  test('one in the clear is given a passphrase', async () => {
    const person = await keeper();
    const key = generatePrivateKey('ed25519');
    person.session.answers.push('long enough', 'long enough');
    const file = person.session.file('k.pem', sealed(key, 'targets', ''));
    expect(await importKeys(person.session, ['--gun', GUN, file])).toBe(0);
    const id = key.id.slice(0, 7);
    expect(person.session.asked).toEqual([
      `Enter passphrase for new repository key with ID ${id}: `,
      `Repeat passphrase for new repository key with ID ${id}: `,
    ]);
    expect(await person.folder.load(key.id)).toMatchObject({ role: 'targets', gun: GUN, encrypted: true });
    expect(await opens(person, key, 'long enough')).toBe(true);
  });

  test('what OpenSSL writes, of every kind', async () => {
    const person = await keeper();
    const folder = temporaryFolder();
    const files = ['ec.pem', 'rsa.pem', 'old.pem', 'pkcs8.pem'].map((name) => join(folder, name));
    const commands = [
      ['ecparam', '-name', 'prime256v1', '-genkey', '-out', files[0]],
      ['genrsa', '-traditional', '-aes256', '-passout', `pass:${PASSPHRASE}`, '-out', files[1], '2048'],
      ['ec', '-in', files[0], '-aes256', '-passout', `pass:${PASSPHRASE}`, '-out', files[2]],
      [
        'genpkey',
        '-algorithm',
        'EC',
        '-pkeyopt',
        'ec_paramgen_curve:P-384',
        '-aes256',
        '-pass',
        `pass:${PASSPHRASE}`,
        '-out',
        files[3],
      ],
    ];
    for (const words of commands) {
      const { exitCode, stderr } = await run(['openssl', ...(words as string[])]);
      if (exitCode !== 0) throw new Error(stderr);
    }
    await run(['chmod', '600', ...files]);
    person.session.answers.push('long enough', 'long enough', PASSPHRASE, PASSPHRASE);
    expect(await importKeys(person.session, ['--role', 'alice', files[0] ?? ''])).toBe(0);
    expect(await importKeys(person.session, ['--role', 'bob', files[1] ?? '', files[3] ?? ''])).toBe(0);
    expect((await listed(person)).map(([role]) => role).sort()).toEqual(['alice', 'bob', 'bob']);
    // The same key under another name.
    const error = await failure(importKeys(person.session, ['--role', 'bob', files[2] ?? '']), 'import-incomplete');
    expect(error.message).toBe(`failed to import all keys from: ${files[2]}`);
    expect(person.session.errors).toBe(
      `error importing key 1 of 1 from ${files[2]}: key with same ID already exists for role: alice\n`,
    );
  }, 30_000);
});

describe('what cannot be imported is named, and the rest is imported', () => {
  test('within a file, and in several', async () => {
    const person = await keeper();
    const [alice, bob, carol] = [1, 2, 3].map(() => generatePrivateKey('ecdsa'));
    if (!alice || !bob || !carol) throw new Error('no keys');
    await stored(person, 'root');
    const one = person.session.file(
      'one.pem',
      Buffer.concat([exported(alice, 'alice'), sealed(bob, 'targets', 'x'), exported(carol, 'carol')]),
    );
    const two = person.session.file('two.pem', 'nothing');
    const missing = join(temporaryFolder(), 'three.pem');
    const error = await failure(importKeys(person.session, [missing, two, one]), 'import-incomplete');
    expect([error.message, error.exitCode, error.next]).toEqual([
      `failed to import all keys from: ${missing}, ${two}, ${one}`,
      1,
      undefined,
    ]);
    expect(seen(person.session)).toEqual({
      printed: `Imported the alice key: ${alice.id}\nImported the carol key: ${carol.id}\n`,
      errors: [
        `error importing keys from ${missing}: refusing to load key from ${missing}: stat ${missing}: no such file or directory\n`,
        `error importing keys from ${two}: no private key found: the file is not PEM\n`,
        `error importing key 2 of 3 from ${one}: invalid key pem block: it does not say whose targets key it is\n`,
      ].join(''),
      asked: [],
    });
  });

  test('nothing is written over: a key that is here for another role', async () => {
    const person = await keeper();
    const key = await stored(person, 'alice', { passphrase: 'before' });
    for (const bytes of [exported(key, 'bob'), sealed(key, 'bob', PASSPHRASE), sealed(key, 'bob', '')]) {
      person.session.answers.push(PASSPHRASE);
      await failure(importKeys(person.session, [person.session.file('k.pem', bytes)]), 'import-incomplete');
      person.reopen();
    }
    const message = 'key with same ID already exists for role: alice\n';
    expect(person.session.errors.split(message)).toHaveLength(4);
    expect(await listed(person)).toEqual([['alice', undefined]]);
    expect(await opens(person, key, 'before')).toBe(true);
  });

  test('a key whose passphrase no one knows', async () => {
    const person = await keeper();
    const [closed, next] = [generatePrivateKey('ecdsa'), generatePrivateKey('ecdsa')];
    person.session.answers.push('a', 'b', 'c', 'd');
    const bytes = Buffer.concat([sealed(closed, 'alice', PASSPHRASE), exported(next, 'bob')]);
    const file = person.session.file('k.pem', bytes);
    await failure(importKeys(person.session, [file]), 'import-incomplete');
    expect(person.session.errors).toBe(
      `error importing key 1 of 2 from ${file}: maximum number of passphrase attempts exceeded\n`,
    );
    expect(await listed(person)).toEqual([['bob', undefined]]);
  });

  test('a variable with a wrong passphrase is not followed by a prompt', async () => {
    const person = await keeper();
    person.session.env.DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE = 'wrong';
    const file = person.session.file('k.pem', sealed(generatePrivateKey('ecdsa'), 'alice', PASSPHRASE));
    const error = await failure(importKeys(person.session, [file]), 'import-incomplete');
    expect(person.session.errors).toEndWith(': password invalid, operation has failed.\n');
    expect(error.next).toBe(
      'It came from DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE and does not open the alice key: correct it there, or unset it to be asked.',
    );
    expect(person.session.asked).toEqual([]);
  });

  test('an Ed25519 key as a root key, of which no certificate can be made', async () => {
    const person = await keeper();
    const file = person.session.file('k.pem', sealed(generatePrivateKey('ed25519'), 'root', ''));
    await failure(importKeys(person.session, [file]), 'import-incomplete');
    expect(person.session.errors).toEndWith(': a root key must be an ECDSA or RSA key\n');
    expect(await listed(person)).toEqual([]);
  });
});

test('keys in the clear are not taken from a file that others can read; sealed ones are', async () => {
  const person = await keeper();
  const key = generatePrivateKey('ecdsa');
  const open = person.session.file('open.pem', sealed(key, 'alice', ''), 0o644);
  const error = await failure(importKeys(person.session, [open]), 'import-incomplete');
  expect(error.next).toBe(`Make it private first: chmod 600 ${open}`);
  expect(await importKeys(person.session, [person.session.file('k.pem', exported(key, 'alice'), 0o644)])).toBe(0);
});

test('Ctrl-C at a prompt ends the command; the key in question is not stored', async () => {
  const person = await keeper();
  const [first, second] = [generatePrivateKey('ecdsa'), generatePrivateKey('ecdsa')];
  person.session.askHidden = async () => {
    throw new SignetError('cancelled', 'cancelled');
  };
  const file = person.session.file('k.pem', Buffer.concat([sealed(first, 'alice', 'x'), exported(second, 'bob')]));
  const error = await failure(importKeys(person.session, [file]), 'cancelled');
  expect(error.exitCode).toBe(130);
  expect(await listed(person)).toEqual([]);
  expect(seen(person.session)).toEqual({ printed: '', errors: '', asked: [] });
});

test('names that no role and no repository can have', async () => {
  const { session } = await keeper();
  await failure(importKeys(session, ['--role', 'Alice!', 'x']), 'name-invalid');
  await failure(importKeys(session, ['--gun', 'a b', 'x']), 'reference-invalid');
  await failure(importKeys(session, ['-d', '/nowhere', '--gun', 'a b', 'x']), 'name-invalid');
});
