import { describe, expect, test } from 'bun:test';
import { forgetPassphrase, Keychain, keychainFor, rememberPassphrase } from '../../../src/cli/passphrases/keychain.ts';
import { parseKeyId } from '../../../src/core/names/key-id.ts';
import type { PassphrasePlaces } from '../../../src/trust/settings/passphrase-places.ts';
import { failure } from '../../support/failure.ts';
import { fakeKeychain } from '../../support/fake-keychain.ts';

const ID = parseKeyId('0123456789abcdef'.repeat(4));
const OTHER = parseKeyId('fedcba9876543210'.repeat(4));

describe('a keychain', () => {
  test('keeps passphrases by key, replaces and forgets them', async () => {
    const { helper, env, all } = fakeKeychain();
    const keychain = new Keychain(helper, env);
    expect(await keychain.find(ID)).toBeUndefined();
    await keychain.remember(ID, Buffer.from('one "and" \\ pä🐋ß'));
    await keychain.remember(OTHER, Buffer.from('two'));
    expect((await keychain.find(ID))?.toString()).toBe('one "and" \\ pä🐋ß');
    await keychain.remember(ID, Buffer.from('three'));
    expect(all()).toEqual({ [ID]: 'three', [OTHER]: 'two' });
    await keychain.forget(ID);
    await keychain.forget(ID);
    expect(all()).toEqual({ [OTHER]: 'two' });
  });

  test('an entry without a secret is none', async () => {
    const { helper, env, put } = fakeKeychain();
    put(ID, '');
    expect(await new Keychain(helper, env).find(ID)).toBeUndefined();
  });

  test('bytes that are no text are not kept, as they would come back as others', async () => {
    const { helper, env, all } = fakeKeychain();
    await failure(new Keychain(helper, env).remember(ID, Buffer.of(0xff, 0x61)), 'passphrase-unfit');
    expect(all()).toEqual({});
  });

  test('that fails says which program it is', async () => {
    const error = await failure(new Keychain('missing', { PATH: '/nowhere' }).find(ID), 'credential-helper-failed');
    expect(error.next).toBe('Check that docker-credential-missing is installed, and that the keychain is open.');
    const { helper, env, lock } = fakeKeychain();
    lock();
    const keychain = new Keychain(helper, env);
    await failure(keychain.remember(ID, Buffer.from('x')), 'credential-helper-failed');
    await failure(keychain.forget(ID), 'credential-helper-failed');
  });
});

describe('for commands that change passphrases', () => {
  const places: PassphrasePlaces = new Map([
    ['alice', { kind: 'keychain', helper: 'fake' }],
    ['bob', { kind: 'file', path: '/x' }],
  ]);

  test('what is configured for the alias counts', async () => {
    const { env, all } = fakeKeychain();
    const settings = { places, env };
    expect(keychainFor(settings, 'alice')?.helper).toBe('fake');
    for (const alias of ['bob', 'root', 'targets']) {
      expect(await rememberPassphrase(settings, { id: ID, alias }, Buffer.from('x'))).toBe(false);
      expect(await forgetPassphrase(settings, { id: ID, alias })).toBe(false);
    }
    expect(all()).toEqual({});
    expect(await rememberPassphrase(settings, { id: ID, alias: 'alice' }, Buffer.from('x'))).toBe(true);
    expect(all()).toEqual({ [ID]: 'x' });
    expect(await forgetPassphrase(settings, { id: ID, alias: 'alice' })).toBe(true);
    expect(all()).toEqual({});
  });
});
