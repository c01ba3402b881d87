import { expect, test } from 'bun:test';
import { join } from 'node:path';
import type { ProposalStore } from '../../../src/core/edit/proposal-store.ts';
import { digestHex, digestOf } from '../../../src/core/names/digest.ts';
import { PROPOSAL_MIGRATIONS, SqliteProposalStore } from '../../../src/notary/store/sqlite-proposal-store.ts';
import { openDatabase } from '../../../src/store/sqlite.ts';
import { proposalOf, proposalStoreSuite } from '../../core/edit/proposal-store.suite.ts';
import { atEnd } from '../../support/cleanup.ts';
import { temporaryFolder } from '../../support/temp.ts';
import { GUN, NOW } from '../fixture.ts';

function openAt(path: string) {
  const database = openDatabase(path, PROPOSAL_MIGRATIONS);
  atEnd(() => database.close());
  return { database, store: new SqliteProposalStore(database) };
}

/** The server's store as a client sees it who compares by content. */
function byContent(store: SqliteProposalStore): ProposalStore {
  return {
    read: async (gun) => (await store.read(gun))?.bytes,
    replace: async (gun, former, proposal) => {
      const sha256 = former && digestHex(digestOf(former));
      return (await store.replace({ gun, former: sha256, proposal, by: 'alice', at: NOW })) !== 'refused';
    },
  };
}

proposalStoreSuite('the SQLite proposal store', () => {
  const path = join(temporaryFolder(), 'signet.db');
  return { store: byContent(openAt(path).store), connect: () => byContent(openAt(path).store) };
});

test('knows who put it there and when, and says what has changed', async () => {
  const { database, store } = openAt(join(temporaryFolder(), 'signet.db'));
  const bytes = proposalOf(GUN, 'x');
  const sha256 = digestHex(digestOf(bytes));
  const put = { gun: GUN, former: undefined, proposal: bytes, by: 'alice', at: NOW };
  expect(await store.replace(put)).toBe('replaced');
  expect(await store.replace({ ...put, by: 'bob', at: NOW + 1 })).toBe('unchanged');
  expect(await store.replace({ ...put, proposal: undefined })).toBe('refused');
  expect(await store.read(GUN)).toEqual({ bytes, sha256, putAt: NOW });
  expect(database.query('SELECT gun, put_at, put_by, sha256 FROM proposals').all()).toEqual([
    { gun: GUN, put_at: NOW, put_by: 'alice', sha256 },
  ]);
  expect(await store.remove(GUN)).toBe(true);
  expect(await store.remove(GUN)).toBe(false);
  expect(database.query('SELECT count(*) AS rows FROM proposals').get()).toEqual({ rows: 0 });
});

test('a replacement that breaks off leaves what was there', async () => {
  const { database, store } = openAt(join(temporaryFolder(), 'signet.db'));
  const former = proposalOf(GUN, 'former');
  const put = { gun: GUN, former: undefined, proposal: former, by: undefined, at: NOW };
  await store.replace(put);
  database.run(
    "CREATE TEMP TRIGGER crash AFTER INSERT ON proposals BEGIN SELECT RAISE(ABORT, 'the disk is full'); END",
  );
  const again = { ...put, former: digestHex(digestOf(former)), proposal: proposalOf(GUN, 'next') };
  await expect(store.replace(again)).rejects.toThrow('the disk is full');
  expect((await store.read(GUN))?.bytes).toEqual(former);
  database.run('DROP TRIGGER crash');
  expect(await store.replace(again)).toBe('replaced');
});
