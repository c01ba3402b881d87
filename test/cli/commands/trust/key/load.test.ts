import { describe, expect, test } from 'bun:test';
import { KEY_LOAD } from '../../../../../src/cli/commands/trust/key/load.ts';
import { SignetError } from '../../../../../src/core/errors/index.ts';
import { sealKey } from '../../../../../src/core/keys/key-file.ts';
import { generatePrivateKey } from '../../../../../src/core/keys/private-key.ts';
import { formatPublicKeyFile } from '../../../../../src/core/keys/public-key-file.ts';
import { FileVault } from '../../../../../src/trust/keys/file-vault.ts';
import { KeyRing } from '../../../../../src/trust/keys/key-ring.ts';
import { failure } from '../../../../support/failure.ts';
import { MemoryKeyStore } from '../../../../support/memory-key-store.ts';
import { calling } from '../../../calling.ts';
import { type FakeSession, uninitialised } from '../../../fake-session.ts';

const loadKey = calling(KEY_LOAD);

const key = generatePrivateKey('ecdsa');
const sealed = (role: string, passphrase: string) =>
  sealKey(key, { role, passphrase: Buffer.from(passphrase), iterations: 1 });

/** A session whose person knows one passphrase. */
async function knowing(passphrase: string): Promise<{ session: FakeSession; store: MemoryKeyStore }> {
  const session = await uninitialised();
  const store = new MemoryKeyStore();
  const asked: string[] = [];
  const keys = new KeyRing(
    new FileVault(store, {
      existing: async ({ id, alias }, attempt) => {
        asked.push(`${alias} ${id} ${attempt}`);
        if (attempt > 0) throw new SignetError('key-passphrase-wrong', 'password invalid, operation has failed.');
        return Buffer.from(passphrase);
      },
      fresh: async () => Buffer.from('a new passphrase'),
    }),
  );
  Object.defineProperty(session, 'keys', { value: keys });
  return { session, store };
}

describe('key load', () => {
  test('a key in the clear is sealed with a new passphrase under the name that is given', async () => {
    const { session, store } = await knowing('x');
    const path = session.file('k.pem', sealed('', ''));
    expect(await loadKey(session, ['--name', 'alice', path])).toBe(0);
    expect(session.printed).toBe(`Loading key from "${path}"...\nSuccessfully imported key from ${path}\n`);
    expect(await store.load(key.id)).toMatchObject({ role: 'alice', encrypted: true });
  });

  test('the role in the file comes before --name, and signer stands where there is neither', async () => {
    const { session, store } = await knowing('x');
    await loadKey(session, ['--name', 'alice', session.file('k.pem', sealed('carol', ''))]);
    expect((await store.load(key.id))?.role).toBe('carol');
    await store.remove(key.id);
    await loadKey(session, [session.file('k.pem', sealed('', ''))]);
    expect((await store.load(key.id))?.role).toBe('signer');
  });

  test('an encrypted key is imported, and keeps its passphrase', async () => {
    const { session, store } = await knowing('its own passphrase');
    await loadKey(session, [session.file('k.pem', sealed('alice', 'its own passphrase'))]);
    expect(await store.load(key.id)).toMatchObject({ role: 'alice', encrypted: true });
    session.close();
    const later = new KeyRing(
      new FileVault(store, {
        existing: async () => Buffer.from('its own passphrase'),
        fresh: async () => Buffer.alloc(0),
      }),
    );
    expect((await later.find(key.id, 'targets'))?.id).toBe(key.id);
  });

  test('a wrong passphrase imports nothing', async () => {
    const { session, store } = await knowing('wrong');
    const path = session.file('k.pem', sealed('alice', 'right'));
    const error = await failure(loadKey(session, [path]), 'key-passphrase-wrong');
    expect(error.message).toBe(
      `error importing key from ${path}: cannot load key from provided file ${path}: could not decrypt key`,
    );
    expect(await store.list()).toEqual([]);
  });

  test('a key that others may read is refused', async () => {
    const { session } = await knowing('x');
    for (const mode of [0o640, 0o604, 0o620]) {
      const path = session.file('k.pem', sealed('', ''), mode);
      const error = await failure(loadKey(session, [path]), 'file-unsafe');
      expect(error.message).toBe(
        `refusing to load key from ${path}: private key file ${path} must not be readable or writable by others`,
      );
    }
  });

  test.each([
    ['a public key', formatPublicKeyFile(key.publicKey, 'alice')],
    ['text', 'no key'],
    ['nothing', ''],
  ])('%s is no private key', async (_, content) => {
    const { session } = await knowing('x');
    const path = session.file('k.pem', content);
    const error = await failure(loadKey(session, [path]), 'key-unsupported');
    expect(error.message).toBe(
      `error importing key from ${path}: provided file ${path} is not a supported private key - to add a signer's public key use docker trust signer add`,
    );
  });

  test('a file that is not there', async () => {
    const { session } = await knowing('x');
    const error = await failure(loadKey(session, ['/nowhere/k.pem']), 'file-missing');
    expect(error.message).toBe(
      'refusing to load key from /nowhere/k.pem: stat /nowhere/k.pem: no such file or directory',
    );
  });
});
