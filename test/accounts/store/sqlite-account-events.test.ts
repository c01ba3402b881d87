import { recordEvent, SqliteAccountEvents } from '../../../src/accounts/store/sqlite-account-events.ts';
import { SqliteAccountStore } from '../../../src/accounts/store/sqlite-store.ts';
import { accountEventsSuite } from '../account-events.suite.ts';
import { emptyDatabase, OPERATOR } from '../world.ts';

accountEventsSuite('the record of changes in SQLite', async () => {
  const database = emptyDatabase();
  return {
    events: new SqliteAccountEvents(database),
    accounts: (actor) => new SqliteAccountStore(database, actor),
    fill: async (count) => {
      const event = { actor: OPERATOR, action: 'grant given', user: 'alice', detail: '' } as const;
      for (let at = 0; at < count; at++) recordEvent(database, { ...event, at });
    },
  };
});
