import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { type DatabaseServer, execute } from '../../support/database-server.ts';
import { startMariadb } from '../../support/mariadb.ts';
import { Person, succeeds } from '../../support/notary-client.ts';
import { notaryServerSchema, notarySignerSchema } from '../../support/notary-schema.ts';
import { startNotaryServer, startNotarySigner } from '../../support/notary-server.ts';
import { startPostgres } from '../../support/postgres.ts';

const GUN = 'example.com/team/app';

// What the other tests of this folder stand on: a Notary that has its data where it is to be taken over from.
for (const [name, startDatabase] of [
  ['PostgreSQL', startPostgres],
  ['MariaDB', startMariadb],
] as const) {
  describe(name, () => {
    let server: DatabaseServer;
    beforeAll(async () => {
      server = await startDatabase();
    });
    afterAll(() => server.stop());

    test('notary-server and notary-signer work on the tables of the fixtures, also after a restart', async () => {
      const database = await server.makeDatabase('notaryserver');
      const keyDatabase = await server.makeDatabase('notarysigner');
      await execute(database, ...notaryServerSchema(server.dialect));
      await execute(keyDatabase, ...notarySignerSchema(server.dialect, 'rows'));
      const signer = await startNotarySigner({ database: keyDatabase });
      const notary = await startNotaryServer({ database, signer });
      const alice = new Person(notary);
      await succeeds(alice.notary('init', GUN, '-p'));
      await succeeds(alice.notary('key', 'rotate', GUN, 'snapshot', '-r'));
      await succeeds(alice.add(GUN, '1.0'));
      for (const program of [notary, signer]) await program.stop();
      for (const program of [signer, notary]) await program.start();
      await succeeds(alice.add(GUN, '1.1'));
      expect(await succeeds(alice.notary('list', GUN))).toContain('1.1');
      for (const program of [notary, signer]) await program.stop();
    });
  });
}
