import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { parseUserName } from '../../../src/accounts/identity/user-name.ts';
import { ACCOUNT_MIGRATIONS, SqliteAccountStore } from '../../../src/accounts/store/sqlite-store.ts';
import { openDatabase } from '../../../src/store/sqlite.ts';
import { temporaryFolder } from '../../support/temp.ts';
import { accountStoreSuite } from '../account-store.suite.ts';
import { emptyDatabase, NOON, OPERATOR } from '../world.ts';

accountStoreSuite('SqliteAccountStore', async () => new SqliteAccountStore(emptyDatabase(), OPERATOR));

test('another connection sees a change at once', async () => {
  const path = join(temporaryFolder(), 'signet.db');
  const [first, second] = [openDatabase(path, ACCOUNT_MIGRATIONS), openDatabase(path, ACCOUNT_MIGRATIONS)];
  const name = parseUserName('alice');
  await new SqliteAccountStore(first, OPERATOR).addUser({ name, passwordHash: 'hash', admin: false }, NOON);
  expect((await new SqliteAccountStore(second, OPERATOR).users()).map((user) => user.name)).toEqual([name]);
  await new SqliteAccountStore(second, OPERATOR).removeUser(name, NOON);
  expect(await new SqliteAccountStore(first, OPERATOR).user(name)).toBeUndefined();
  first.close();
  second.close();
});
