import { afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeAuthority } from '../remote/certificates.ts';
import { failure } from '../support/failure.ts';
import { startMariadb } from '../support/mariadb.ts';
import { startPostgres } from '../support/postgres.ts';
import { closeDatabases, openSql, serverOf } from '../support/sql-databases.ts';
import { temporaryFolder } from '../support/temp.ts';

describe.each([
  ['PostgreSQL', startPostgres],
  ['MariaDB', startMariadb],
])('%s over TLS', (_, start) => {
  const authority = makeAuthority('a database authority');
  let url: string;
  let file: string;
  beforeAll(async () => {
    url = await (await start({ tls: authority.issue(['db.example.com', '127.0.0.1']) })).makeDatabase();
    file = join(temporaryFolder(), 'authority.pem');
    writeFileSync(file, authority.cert);
  }, 60_000);
  afterEach(closeDatabases);

  const cipher = async (parameters: string) => {
    const database = await openSql(serverOf(`${url}?${parameters}`));
    const sql =
      database.dialect === 'postgres'
        ? 'SELECT version AS cipher FROM pg_stat_ssl WHERE pid = pg_backend_pid()'
        : "SELECT variable_value AS cipher FROM information_schema.session_status WHERE variable_name = 'Ssl_version'";
    return (await database.first<{ cipher: string }>(sql))?.cipher || null;
  };

  test('encrypts and checks as the URL says', async () => {
    expect(await cipher(`sslmode=verify-full&sslrootcert=${encodeURIComponent(file)}`)).toStartWith('TLSv1');
    expect(await cipher(`sslmode=verify-ca&sslrootcert=${encodeURIComponent(file)}`)).toStartWith('TLSv1');
    expect(await cipher('sslmode=require')).toStartWith('TLSv1');
    expect(await cipher('sslmode=disable')).toBeNull();
  });

  test('refuses a certificate of an authority that it does not know', async () => {
    for (const mode of ['verify-full', 'verify-ca']) {
      const error = await failure(cipher(`sslmode=${mode}`), 'database-unusable');
      expect(error.next).toContain('sslrootcert');
    }
  });

  test('refuses a certificate for another host, unless only its authority is asked for', async () => {
    const other = url.replace('127.0.0.1', 'localhost');
    const database = (mode: string) =>
      openSql(serverOf(`${other}?sslmode=${mode}&sslrootcert=${encodeURIComponent(file)}`));
    const error = await failure(database('verify-full'), 'database-unusable');
    expect(error.next).toStartWith('Write the host into the URL as its certificate names it');
    await database('verify-ca');
  });

  test('a file of authorities that cannot be read is told by name', async () => {
    const error = await failure(cipher('sslrootcert=/nowhere.pem'), 'file-unreadable');
    expect(error.message).toContain('/nowhere.pem');
  });
});
