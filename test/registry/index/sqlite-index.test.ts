import { REGISTRY_MIGRATIONS } from '../../../src/registry/index/schema.ts';
import { sqliteRegistryIndex } from '../../../src/registry/index/sqlite-index.ts';
import { IN_MEMORY, openDatabase } from '../../../src/store/sqlite.ts';
import { registryIndexSuite } from './registry-index.suite.ts';

registryIndexSuite('the index in SQLite', async () =>
  sqliteRegistryIndex(openDatabase(IN_MEMORY, REGISTRY_MIGRATIONS)),
);
