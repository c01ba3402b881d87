import { join } from 'node:path';
import { Vault } from '../../../src/notary/publish/seal.ts';
import { SealedKeyVault } from '../../../src/notary/publish/sealed-key-vault.ts';
import { ONLINE_KEY_MIGRATIONS, SqliteOnlineKeyStore } from '../../../src/notary/store/sqlite-online-key-store.ts';
import { openDatabase } from '../../../src/store/sqlite.ts';
import { atEnd } from '../../support/cleanup.ts';
import { temporaryFolder } from '../../support/temp.ts';
import { MASTER_KEY } from '../fixture.ts';
import { onlineKeyVaultSuite } from '../store/online-key-vault.suite.ts';

onlineKeyVaultSuite('keys that are sealed under the master key', async () => {
  const path = join(temporaryFolder(), 'signet.db');
  const open = () => {
    const database = openDatabase(path, ONLINE_KEY_MIGRATIONS);
    atEnd(() => database.close());
    return new SealedKeyVault(new SqliteOnlineKeyStore(database), new Vault(MASTER_KEY));
  };
  return { vault: open(), second: open() };
});
