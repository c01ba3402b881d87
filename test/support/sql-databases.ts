import { afterEach, beforeAll, describe } from 'bun:test';
import { type DatabaseServer, parseDatabaseUrl } from '../../src/store/database-url.ts';
import { SQL_DEFAULTS, SqlDatabase, type SqlOptions } from '../../src/store/sql.ts';
import type { DatabaseServer as RunningServer } from './database-server.ts';
import { startMariadb } from './mariadb.ts';
import { startPostgres } from './postgres.ts';

/** The database servers that everything with SQL is tried on. Each is started when it is first asked for, once a process. */
export const SQL_SERVERS = [
  { name: 'PostgreSQL', dialect: 'postgres', start: once(startPostgres) },
  { name: 'MariaDB', dialect: 'mysql', start: once(startMariadb) },
] as const;

export type SqlServer = (typeof SQL_SERVERS)[number];

/** A server may take as long to make its first database on a busy machine, in milliseconds. */
const START_TIMEOUT = 60_000;
const opened: SqlDatabase[] = [];

/** Runs the tests of `body` on each kind of server, and closes after each test what it opened. */
export function describeSqlServers(body: (server: SqlServer) => void): void {
  for (const server of SQL_SERVERS) {
    describe(server.name, () => {
      beforeAll(async () => {
        await server.start();
      }, START_TIMEOUT);
      afterEach(closeDatabases);
      body(server);
    });
  }
}

/** The address of a new, empty database. */
export async function emptyDatabaseUrl({ start }: SqlServer): Promise<DatabaseServer> {
  return serverOf(await (await start()).makeDatabase());
}

/** A connection to a new, empty database. */
export async function emptySqlDatabase(server: SqlServer): Promise<SqlDatabase> {
  return openSql(await emptyDatabaseUrl(server));
}

export async function openSql(server: DatabaseServer, options: Partial<SqlOptions> = {}): Promise<SqlDatabase> {
  const database = await SqlDatabase.open(server, { ...SQL_DEFAULTS, ...options });
  opened.push(database);
  return database;
}

/** Closes all connections that were opened, for `afterEach`: a server has only so many. */
export async function closeDatabases(): Promise<void> {
  for (let database = opened.pop(); database !== undefined; database = opened.pop()) await database.close();
}

/** The address in a URL of a database server. */
export function serverOf(url: string): DatabaseServer {
  const parsed = parseDatabaseUrl(url);
  if (parsed.kind !== 'server') throw new Error('this is no database server');
  return parsed;
}

function once(start: () => Promise<RunningServer>): () => Promise<RunningServer> {
  let started: Promise<RunningServer> | undefined;
  return () => {
    started ??= start();
    return started;
  };
}
