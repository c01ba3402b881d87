import { SqlAccountEvents } from '../../../src/accounts/store/sql-account-events.ts';
import { SQL_ACCOUNT_MIGRATIONS, SqlAccountStore } from '../../../src/accounts/store/sql-store.ts';
import { migrateSql } from '../../../src/store/sql-migrations.ts';
import { insertRows } from '../../../src/store/sql-rows.ts';
import { describeSqlServers, emptySqlDatabase, type SqlServer } from '../../support/sql-databases.ts';
import { accountEventsSuite } from '../account-events.suite.ts';
import { accountStoreSuite } from '../account-store.suite.ts';
import { OPERATOR } from '../world.ts';

async function open(server: SqlServer) {
  const database = await emptySqlDatabase(server);
  await migrateSql(database, SQL_ACCOUNT_MIGRATIONS);
  return database;
}

describeSqlServers((server) => {
  accountStoreSuite('accounts', async () => new SqlAccountStore(await open(server), OPERATOR));

  accountEventsSuite('the record of changes', async () => {
    const database = await open(server);
    return {
      events: new SqlAccountEvents(database),
      accounts: (actor) => new SqlAccountStore(database, actor),
      fill: async (count) => {
        const event = { actor: 'x', address: 'y', action: 'grant given', user_name: 'alice', detail: '' };
        // The one that added alice is the first.
        await database.run('DELETE FROM signet_account_events');
        const rows = Array.from({ length: count }, (_, at) => ({ at, ...event }));
        await insertRows(database, 'signet_account_events', rows);
      },
    };
  });
});
