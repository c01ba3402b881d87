import type { Instant } from '../../core/time.ts';
import type { SqlDatabase } from '../../store/sql.ts';
import type { SqlMigrations } from '../../store/sql-migrations.ts';
import { addOrFind } from '../../store/sql-rows.ts';
import type { JobTimes } from './job-times.ts';

/** When each regular job last ended, in milliseconds since 1970. */
export const SQL_JOB_MIGRATIONS: SqlMigrations = {
  part: 'jobs',
  steps: [
    ({ createTable, integer, name }) =>
      createTable('signet_jobs', [`name ${name(64)} NOT NULL PRIMARY KEY`, `ended ${integer} NOT NULL`]),
  ],
};

/** Job times in a database server. Needs the migrations `SQL_JOB_MIGRATIONS`. */
export class SqlJobTimes implements JobTimes {
  private readonly database: SqlDatabase;

  constructor(database: SqlDatabase) {
    this.database = database;
  }

  async last(name: string): Promise<Instant | undefined> {
    const sql = 'SELECT ended FROM signet_jobs WHERE name = $name';
    return (await this.database.first<{ ended: number }>(sql, { name }))?.ended;
  }

  async ended(name: string, at: Instant): Promise<void> {
    await addOrFind(this.database, async (statements) => {
      const isThere = await statements.run('UPDATE signet_jobs SET ended = $at WHERE name = $name', { name, at });
      if (isThere === 0)
        await statements.run('INSERT INTO signet_jobs (name, ended) VALUES ($name, $at)', { name, at });
    });
  }
}
