import { SQL_JOB_MIGRATIONS, SqlJobTimes } from '../../../src/serve/storage/sql-job-times.ts';
import { JOB_MIGRATIONS, SqliteJobTimes } from '../../../src/serve/storage/sqlite-job-times.ts';
import { migrateSql } from '../../../src/store/sql-migrations.ts';
import { IN_MEMORY, openDatabase } from '../../../src/store/sqlite.ts';
import { describeSqlServers, emptySqlDatabase } from '../../support/sql-databases.ts';
import { jobTimesSuite } from './job-times.suite.ts';

jobTimesSuite('times of jobs in SQLite', async () => new SqliteJobTimes(openDatabase(IN_MEMORY, JOB_MIGRATIONS)));

describeSqlServers((server) => {
  jobTimesSuite('times of jobs', async () => {
    const database = await emptySqlDatabase(server);
    await migrateSql(database, SQL_JOB_MIGRATIONS);
    return new SqlJobTimes(database);
  });
});
