import { SQL_ONLINE_KEY_MIGRATIONS, SqlOnlineKeyStore } from '../../../src/notary/store/sql-online-key-store.ts';
import { migrateSql } from '../../../src/store/sql-migrations.ts';
import { describeSqlServers, emptySqlDatabase } from '../../support/sql-databases.ts';
import { onlineKeyStoreSuite } from './online-key-store.suite.ts';

describeSqlServers((server) => {
  onlineKeyStoreSuite("the server's keys", async () => {
    const database = await emptySqlDatabase(server);
    await migrateSql(database, SQL_ONLINE_KEY_MIGRATIONS);
    return { store: new SqlOnlineKeyStore(database), second: new SqlOnlineKeyStore(database) };
  });
});
