import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { METADATA_MIGRATIONS, SqliteMetadataStore } from '../../../src/notary/store/sqlite-metadata-store.ts';
import { openDatabase } from '../../../src/store/sqlite.ts';
import { atEnd } from '../../support/cleanup.ts';
import { temporaryFolder } from '../../support/temp.ts';
import { GUN, Owner, TestServer } from '../fixture.ts';
import { metadataStoreSuite } from './metadata-store.suite.ts';

function open(path: string) {
  const database = openDatabase(path, METADATA_MIGRATIONS);
  atEnd(() => database.close());
  return new SqliteMetadataStore(database, { keptVersions: 3 });
}

metadataStoreSuite('the SQLite metadata store', async () => {
  const path = join(temporaryFolder(), 'signet.db');
  return { store: open(path), connect: () => open(path) };
});

test('a publish that fails half-way leaves nothing behind, and can be repeated', async () => {
  const server = new TestServer();
  const owner = new Owner(server);
  await owner.publishFirst();
  const files = await owner.edited((editor) => editor.witness('targets'));
  const counts = () =>
    server.database
      .query('SELECT (SELECT count(*) FROM tuf_files) AS files, (SELECT count(*) FROM changefeed) AS changes')
      .get();
  const before = counts();
  server.database.run(
    "CREATE TEMP TRIGGER crash BEFORE INSERT ON changefeed BEGIN SELECT RAISE(ABORT, 'the disk is full'); END",
  );
  const reply = await server.post(files);
  expect([reply.status, reply.text]).toEqual([
    500,
    '{"errors":[{"code":"UPDATING","message":"An error has occurred while updating the TUF repository."}]}\n',
  ]);
  expect(counts()).toEqual(before);
  expect(server.log.at(-1)).toBe(`cannot store an update of ${GUN}`);
  server.database.run('DROP TRIGGER crash');
  expect((await server.post(files)).status).toBe(200);
});
