import { expect, test } from 'bun:test';
import type { ProposalStore } from '../../../src/core/edit/proposal-store.ts';
import { digestHex, digestOf } from '../../../src/core/names/digest.ts';
import { SQL_PROPOSAL_MIGRATIONS, SqlProposalStore } from '../../../src/notary/store/sql-proposal-store.ts';
import { migrateSql } from '../../../src/store/sql-migrations.ts';
import { proposalOf, proposalStoreSuite } from '../../core/edit/proposal-store.suite.ts';
import { describeSqlServers, emptySqlDatabase, type SqlServer } from '../../support/sql-databases.ts';
import { GUN, NOW } from '../fixture.ts';

async function open(server: SqlServer) {
  const database = await emptySqlDatabase(server);
  await migrateSql(database, SQL_PROPOSAL_MIGRATIONS);
  return { database, store: new SqlProposalStore(database) };
}

/** The server's store as a client sees it who compares by content. */
function byContent(store: SqlProposalStore): ProposalStore {
  return {
    read: async (gun) => (await store.read(gun))?.bytes,
    replace: async (gun, former, proposal) => {
      const sha256 = former && digestHex(digestOf(former));
      return (await store.replace({ gun, former: sha256, proposal, by: 'alice', at: NOW })) !== 'refused';
    },
  };
}

describeSqlServers((server) => {
  proposalStoreSuite('proposals', async () => {
    const { store } = await open(server);
    return { store: byContent(store), connect: () => byContent(store) };
  });

  test('knows who put it there and when, and says what has changed', async () => {
    const { database, store } = await open(server);
    const bytes = proposalOf(GUN, 'x');
    const sha256 = digestHex(digestOf(bytes));
    const put = { gun: GUN, former: undefined, proposal: bytes, by: 'alice', at: NOW };
    expect(await store.replace(put)).toBe('replaced');
    expect(await store.replace({ ...put, by: 'bob', at: NOW + 1 })).toBe('unchanged');
    expect(await store.replace({ ...put, proposal: undefined })).toBe('refused');
    expect(await store.read(GUN)).toEqual({ bytes, sha256, putAt: NOW });
    expect(await database.all('SELECT gun, put_at, put_by, sha256 FROM signet_proposals')).toEqual([
      { gun: GUN, put_at: NOW, put_by: 'alice', sha256 },
    ]);
    expect(await store.remove(GUN)).toBe(true);
    expect(await store.remove(GUN)).toBe(false);
  });
});
