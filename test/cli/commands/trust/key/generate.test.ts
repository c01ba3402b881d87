import { describe, expect, test } from 'bun:test';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { KEY_GENERATE } from '../../../../../src/cli/commands/trust/key/generate.ts';
import { parsePublicKeyFile } from '../../../../../src/core/keys/public-key-file.ts';
import type { KeyId } from '../../../../../src/core/names/key-id.ts';
import { failure } from '../../../../support/failure.ts';
import { temporaryFolder } from '../../../../support/temp.ts';
import { calling } from '../../../calling.ts';
import { type FakeSession, uninitialised } from '../../../fake-session.ts';

const generateKey = calling(KEY_GENERATE);

const roles = async ({ keys }: FakeSession) => (await keys.list()).map(({ role }) => role);

describe('key generate', () => {
  test('makes a key, and writes its public half for its owner alone', async () => {
    const session = await uninitialised();
    const folder = temporaryFolder();
    expect(await generateKey(session, ['--dir', folder, 'alice'])).toBe(0);
    const path = join(folder, 'alice.pub');
    expect(session.printed).toBe(
      `Generating key for alice...\nSuccessfully generated and loaded private key. Corresponding public key available: ${path}\n`,
    );
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(path, 'utf8')).toStartWith('-----BEGIN PUBLIC KEY-----\nrole: alice\n\n');
    const [stored] = await session.keys.list();
    expect(stored).toMatchObject({ role: 'alice', gun: undefined });
    expect(parsePublicKeyFile(readFileSync(path), session.now()).id).toBe(stored?.id as KeyId);
  });

  test('writes over nothing, and makes no key then', async () => {
    const session = await uninitialised();
    const folder = temporaryFolder();
    await generateKey(session, ['--dir', folder, 'alice']);
    const error = await failure(generateKey(session, ['--dir', folder, 'alice']), 'file-exists');
    expect(error.message).toBe(`public key file already exists: "${folder}/alice.pub"`);
    expect(await roles(session)).toEqual(['alice']);
  });

  test('a name that no file can have leaves no key behind', async () => {
    const session = await uninitialised();
    const folder = temporaryFolder();
    const error = await failure(generateKey(session, ['--dir', folder, 'a'.repeat(300)]), 'file-unwritable');
    expect(error.message).toEndWith(': file name too long');
    expect(await roles(session)).toEqual([]);
  });

  test('a folder that is not there, and one that is a file', async () => {
    const session = await uninitialised();
    const folder = temporaryFolder();
    const missing = await failure(generateKey(session, ['--dir', join(folder, 'x'), 'alice']), 'file-missing');
    expect(missing.message).toBe(`public key path does not exist: "${folder}/x"`);
    const file = session.file('x', '');
    const error = await failure(generateKey(session, ['--dir', file, 'alice']), 'file-unwritable');
    expect(error.message).toBe(
      `failed to write public key to ${file}/alice.pub: open ${file}/alice.pub: not a directory`,
    );
    expect(await roles(session)).toEqual([]);
  });
});
