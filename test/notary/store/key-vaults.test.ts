import { expect, test } from 'bun:test';
import { Vault } from '../../../src/notary/publish/seal.ts';
import { SealedKeyVault } from '../../../src/notary/publish/sealed-key-vault.ts';
import { KeyVaults } from '../../../src/notary/store/key-vaults.ts';
import { ONLINE_KEY_MIGRATIONS, SqliteOnlineKeyStore } from '../../../src/notary/store/sqlite-online-key-store.ts';
import { IN_MEMORY, openDatabase } from '../../../src/store/sqlite.ts';
import { MASTER_KEY } from '../fixture.ts';
import { newKey, onlineKeyVaultSuite } from './online-key-vault.suite.ts';

function emptyVault(): SealedKeyVault {
  const database = openDatabase(IN_MEMORY, ONLINE_KEY_MIGRATIONS);
  return new SealedKeyVault(new SqliteOnlineKeyStore(database), new Vault(MASTER_KEY));
}

onlineKeyVaultSuite('several vaults', async () => {
  const [first, other] = [emptyVault(), emptyVault()];
  return { vault: new KeyVaults(first, [other]), second: new KeyVaults(first, []) };
});

test('keys of every vault are used, and new ones are made in the first', async () => {
  const [first, other] = [emptyVault(), emptyVault()];
  const both = new KeyVaults(first, [other]);
  const [old, made] = [newKey(), newKey()];
  await other.add(old.key, old.secret, 1);
  expect(await both.find(old.key.id)).toEqual(old.key);
  expect(await both.open(old.key)).toEqual(old.secret);
  // It is unused, and still not handed out: the other vault is of the past.
  expect(await both.pending(old.key.gun, 'timestamp', 'ed25519')).toBeUndefined();
  await both.add(made.key, made.secret, 2);
  expect(await first.find(made.key.id)).toEqual(made.key);
  expect(await other.find(made.key.id)).toBeUndefined();
  await both.markUsed(old.key.id, 3);
  expect((await other.find(old.key.id))?.used).toBe(true);
});
