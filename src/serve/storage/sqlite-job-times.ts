import type { Database } from 'bun:sqlite';
import type { Instant } from '../../core/time.ts';
import { type Migrations, write } from '../../store/sqlite.ts';
import type { JobTimes } from './job-times.ts';

/** When each regular job last ended, in milliseconds since 1970. */
export const JOB_MIGRATIONS: Migrations = {
  part: 'jobs',
  steps: ['CREATE TABLE jobs (name TEXT PRIMARY KEY, ended INTEGER NOT NULL) STRICT, WITHOUT ROWID'],
};

/** Job times in an SQLite database opened with `JOB_MIGRATIONS`. */
export class SqliteJobTimes implements JobTimes {
  private readonly database: Database;

  constructor(database: Database) {
    this.database = database;
  }

  async last(name: string): Promise<Instant | undefined> {
    return this.database.query<{ ended: number }, [string]>('SELECT ended FROM jobs WHERE name = ?').get(name)?.ended;
  }

  async ended(name: string, at: Instant): Promise<void> {
    const replace = this.database.query('INSERT OR REPLACE INTO jobs (name, ended) VALUES (?, ?)');
    await write(this.database, () => replace.run(name, at));
  }
}
