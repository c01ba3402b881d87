import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from './clis.ts';
import {
  type DatabaseServer,
  type DatabaseServerOptions,
  databaseFolder,
  mustRun,
  own,
  startDatabaseServer,
} from './database-server.ts';
import { freePort } from './signet-server.ts';

/**
 * Starts Debian's MariaDB on a free port of 127.0.0.1, with the program's defaults instead of Debian's: new databases
 * use latin1 and compare without case. Its administrator has no password. Its data survives `kill`, but not a power
 * failure.
 */
export async function startMariadb({ tls }: DatabaseServerOptions = {}): Promise<DatabaseServer> {
  const folder = databaseFolder();
  const port = await freePort();
  const data = join(folder, 'data');
  mkdirSync(data);
  own(data);
  const place = ['--no-defaults', `--datadir=${data}`];
  const creation = ['--auth-root-authentication-method=normal', '--skip-test-db', '--skip-name-resolve'];
  await mustRun([findProgram('mariadb-install-db'), ...place, ...creation], folder);

  const settings = [
    `--port=${port}`,
    '--bind-address=127.0.0.1',
    `--socket=${join(folder, 'socket')}`,
    '--skip-name-resolve',
    '--innodb-flush-log-at-trx-commit=2',
    '--innodb-buffer-pool-size=16M',
    '--max-connections=200',
  ];
  if (tls !== undefined) {
    const [cert, key] = [join(folder, 'server.crt'), join(folder, 'server.key')];
    write(cert, tls.cert);
    write(key, tls.key);
    settings.push(`--ssl-cert=${cert}`, `--ssl-key=${key}`);
  }
  return startDatabaseServer({
    dialect: 'mysql',
    port,
    folder,
    command: [findProgram('mariadbd'), ...place, ...settings],
    endSignal: 'SIGTERM',
    administrator: (database = 'mysql') => `mysql://root@127.0.0.1:${port}/${database}`,
    creation: (name, password) => [
      `CREATE DATABASE ${name}`,
      `CREATE USER ${name}@'%' IDENTIFIED BY '${password}'`,
      `GRANT ALL ON ${name}.* TO ${name}@'%'`,
      // MariaDB prefers this anonymous user to every named user from any host, which no test is about.
      "DROP USER IF EXISTS ''@localhost",
    ],
    userCreation: (name, password, database, rights) => [
      `CREATE USER ${name}@'%' IDENTIFIED BY '${password}'`,
      `GRANT ${rights} ON ${database}.* TO ${name}@'%'`,
    ],
    globalSetting: (name, value) => [`SET GLOBAL ${name} = ${value}`],
  });

  function write(path: string, content: string): void {
    writeFileSync(path, content, { mode: 0o600 });
    own(path);
  }
}
