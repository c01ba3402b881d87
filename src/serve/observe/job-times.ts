import type { Database } from 'bun:sqlite';
import type { Instant } from '../../core/time.ts';
import { type Migrations, write } from '../../store/sqlite.ts';

/** When each regular job last ended, in milliseconds since 1970. */
export const JOB_MIGRATIONS: Migrations = {
  part: 'jobs',
  steps: ['CREATE TABLE jobs (name TEXT PRIMARY KEY, ended INTEGER NOT NULL) STRICT, WITHOUT ROWID'],
};

/** Remembers over restarts when jobs ran. */
export interface JobTimes {
  /** When the job last ended; undefined where it never has. */
  last(name: string): Instant | undefined;
  ended(name: string, at: Instant): Promise<void>;
}

/** In a database opened with `JOB_MIGRATIONS`. */
export function sqliteJobTimes(database: Database): JobTimes {
  const select = database.query<{ ended: number }, [string]>('SELECT ended FROM jobs WHERE name = ?');
  const replace = database.query('INSERT OR REPLACE INTO jobs (name, ended) VALUES (?, ?)');
  return {
    last: (name) => select.get(name)?.ended,
    ended: async (name, at) => {
      await write(database, () => replace.run(name, at));
    },
  };
}
