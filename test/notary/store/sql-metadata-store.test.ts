import { afterEach, beforeAll, describe, expect } from 'bun:test';
import { SqlMetadataStore } from '../../../src/notary/store/sql-metadata-store.ts';
import { parseDatabaseUrl, type DatabaseServer as ServerUrl } from '../../../src/store/database-url.ts';
import { SqlDatabase } from '../../../src/store/sql.ts';
import { type DatabaseServer, execute } from '../../support/database-server.ts';
import { startMariadb } from '../../support/mariadb.ts';
import { notaryServerSchema } from '../../support/notary-schema.ts';
import { startPostgres } from '../../support/postgres.ts';
import { metadataStoreSuite } from './metadata-store.suite.ts';

for (const [name, start] of [
  ['PostgreSQL', startPostgres],
  ['MariaDB', startMariadb],
] as const) {
  describe(name, () => {
    let server: DatabaseServer;
    beforeAll(async () => {
      server = await start();
    });

    const opened: SqlDatabase[] = [];
    afterEach(async () => {
      for (const database of opened.splice(0)) await database.close();
    });
    async function connect(url: string) {
      const database = await SqlDatabase.open(parseDatabaseUrl(url) as ServerUrl);
      opened.push(database);
      return database;
    }

    metadataStoreSuite(`the metadata store on Notary's tables in ${name}`, async () => {
      const url = await server.makeDatabase();
      await execute(url, ...notaryServerSchema(server.dialect));
      const open = async () => new SqlMetadataStore(await connect(url), { keptVersions: 3 });
      const others = [await open(), await open()];
      return { store: await open(), connect: () => others.pop() ?? expect.unreachable() };
    });
  });
}
