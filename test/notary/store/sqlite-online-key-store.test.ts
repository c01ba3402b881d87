import { join } from 'node:path';
import { ONLINE_KEY_MIGRATIONS, SqliteOnlineKeyStore } from '../../../src/notary/store/sqlite-online-key-store.ts';
import { openDatabase } from '../../../src/store/sqlite.ts';
import { atEnd } from '../../support/cleanup.ts';
import { temporaryFolder } from '../../support/temp.ts';
import { onlineKeyStoreSuite } from './online-key-store.suite.ts';

function open(path: string) {
  const database = openDatabase(path, ONLINE_KEY_MIGRATIONS);
  atEnd(() => database.close());
  return new SqliteOnlineKeyStore(database);
}

onlineKeyStoreSuite("the SQLite store of the server's keys", async () => {
  const path = join(temporaryFolder(), 'signet.db');
  return { store: open(path), second: open(path) };
});
