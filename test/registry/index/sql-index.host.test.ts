import { sqlRegistryIndex } from '../../../src/registry/index/sql-index.ts';
import { SQL_REGISTRY_MIGRATIONS } from '../../../src/registry/index/sql-schema.ts';
import { migrateSql } from '../../../src/store/sql-migrations.ts';
import { describeSqlServers, emptySqlDatabase } from '../../support/sql-databases.ts';
import { registryIndexSuite } from './registry-index.suite.ts';

describeSqlServers((server) => {
  registryIndexSuite('the index', async () => {
    const database = await emptySqlDatabase(server);
    await migrateSql(database, SQL_REGISTRY_MIGRATIONS);
    return sqlRegistryIndex(database);
  });
});
