import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type DatabaseServer,
  type DatabaseServerOptions,
  databaseFolder,
  mustRun,
  own,
  startDatabaseServer,
} from './database-server.ts';
import { freePort } from './signet-server.ts';

/** Debian installs the programs of each release in a separate folder. */
const RELEASES = '/usr/lib/postgresql';
const PASSWORD = 'the administrator of PostgreSQL';

/**
 * Starts Debian's PostgreSQL on a free port of 127.0.0.1, with password logins and its own administrator. Its data
 * survives `kill`, but not a power failure.
 */
export async function startPostgres({ tls }: DatabaseServerOptions = {}): Promise<DatabaseServer> {
  const folder = databaseFolder();
  const port = await freePort();
  const [data, passwordFile] = [join(folder, 'data'), join(folder, 'password')];
  write(passwordFile, `${PASSWORD}\n`);
  const creation = [
    '--no-sync',
    '--encoding=UTF8',
    '--auth=scram-sha-256',
    '-U',
    'postgres',
    `--pwfile=${passwordFile}`,
  ];
  await mustRun([program('initdb'), ...creation, '-D', data], folder);

  const settings = [
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'fsync=off',
    'shared_buffers=16MB',
    'max_connections=200',
  ];
  if (tls !== undefined) {
    const [cert, key] = [join(folder, 'server.crt'), join(folder, 'server.key')];
    write(cert, tls.cert);
    write(key, tls.key);
    settings.push('ssl=on', `ssl_cert_file=${cert}`, `ssl_key_file=${key}`);
  }
  return startDatabaseServer({
    dialect: 'postgres',
    port,
    folder,
    command: [program('postgres'), '-D', data, '-p', `${port}`, ...settings.flatMap((setting) => ['-c', setting])],
    endSignal: 'SIGINT',
    administrator: (database = 'postgres') =>
      `postgres://postgres:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/${database}`,
    creation: (name, password) => [
      `CREATE ROLE ${name} LOGIN PASSWORD '${password}'`,
      `CREATE DATABASE ${name} OWNER ${name}`,
    ],
    userCreation: (name, password, _database, rights) => [
      `CREATE ROLE ${name} LOGIN PASSWORD '${password}'`,
      `GRANT ${rights} ON ALL TABLES IN SCHEMA public TO ${name}`,
    ],
    globalSetting: (name, value) => [`ALTER SYSTEM SET ${name} = ${value}`, 'SELECT pg_reload_conf()'],
  });

  function write(path: string, content: string): void {
    writeFileSync(path, content, { mode: 0o600 });
    own(path);
  }
}

function program(name: string): string {
  const newest = readdirSync(RELEASES).sort((one, other) => Number(other) - Number(one))[0];
  if (newest === undefined) throw new Error('PostgreSQL is not installed; npm test installs it on Debian');
  return join(RELEASES, newest, 'bin', name);
}
