import { describe, expect, test } from 'bun:test';
import { generatePrivateKey } from '../../../src/core/keys/private-key.ts';
import { FileVault } from '../../../src/trust/keys/file-vault.ts';
import { KeyRing } from '../../../src/trust/keys/key-ring.ts';
import type { KeyVault } from '../../../src/trust/keys/key-vault.ts';
import { failure } from '../../support/failure.ts';
import { MemoryKeyStore } from '../../support/memory-key-store.ts';
import { fileOf } from '../../support/private-keys.ts';
import { NO_PASSPHRASES } from '../../support/visitor.ts';

const vaultOf = () => new FileVault(new MemoryKeyStore(), NO_PASSPHRASES);

/** A vault that only signs, as a token with keys that were made for it elsewhere. */
function signsOnly(vault: KeyVault): KeyVault {
  return {
    name: 'the token in slot 3',
    list: () => vault.list(),
    has: (id) => vault.has(id),
    find: (id, role) => vault.find(id, role),
    close: () => vault.close(),
  };
}

describe('a command that fails', () => {
  test('leaves the keys that it found, and none that it created', async () => {
    const ring = new KeyRing(vaultOf());
    const before = await ring.create('root');
    const told: unknown[] = [];
    const work = async () => {
      await ring.create('targets');
      await ring.import(fileOf(generatePrivateKey('ecdsa')), { name: 'alice' });
      throw new Error('the server is gone');
    };
    await expect(ring.undoing(work, (error) => told.push(error))).rejects.toThrow('the server is gone');
    expect((await ring.list()).map(({ role }) => role).sort()).toEqual(['alice', 'root']);
    expect(await ring.has(before.id)).toBe(true);
    expect(told).toHaveLength(1);
  });

  test('leaves those that may be in force already', async () => {
    const ring = new KeyRing(vaultOf());
    const told: unknown[] = [];
    const work = async () => {
      await ring.create('targets');
      ring.keepMade();
      throw new Error('no answer');
    };
    await expect(ring.undoing(work, (error) => told.push(error))).rejects.toThrow('no answer');
    expect((await ring.list()).map(({ role }) => role)).toEqual(['targets']);
    expect(told).toEqual([]);
  });
});

test('what its vault cannot do is refused, and says whose limit it is', async () => {
  const vault = vaultOf();
  const { id } = await vault.create('alice');
  const ring = new KeyRing(signsOnly(vault));
  const error = await failure(ring.create('bob'), 'key-vault-limited');
  expect(error.message).toBe('the token in slot 3 cannot create keys');
  await failure(ring.import(fileOf(generatePrivateKey('ecdsa')), { name: 'bob' }), 'key-vault-limited');
  await failure(ring.remove(id), 'key-vault-limited');
  expect((await ring.find(id, 'targets'))?.id).toBe(id);
  expect(await ring.list()).toHaveLength(1);
});
