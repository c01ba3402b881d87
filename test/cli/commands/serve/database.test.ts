import { beforeEach, expect, test } from 'bun:test';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseUserName } from '../../../../src/accounts/identity/user-name.ts';
import { databaseCommand } from '../../../../src/cli/commands/serve/database.ts';
import type { Terminal } from '../../../../src/cli/terminal/terminal.ts';
import { dataFolder } from '../../../../src/serve/data/data-folder.ts';
import { openStorage } from '../../../../src/serve/storage/open-storage.ts';
import { startTestServer } from '../../../serve/fixture.ts';
import { failure } from '../../../support/failure.ts';
import { temporaryFolder } from '../../../support/temp.ts';

let folder: string;
let from: string;
let printed: string;
let errors: string;
beforeEach(async () => {
  folder = temporaryFolder();
  from = join(folder, 'from.db');
  printed = '';
  errors = '';
  const storage = await openStorage({ kind: 'sqlite', path: from });
  const accounts = storage.accounts({ name: 'x', address: 'y' });
  await accounts.addUser({ name: parseUserName('alice'), passwordHash: 'hash', admin: true }, 1);
  await storage.close();
});

function unused(): never {
  throw new Error('no copy does that');
}

const terminal: Terminal = {
  isInteractive: false,
  print: (text) => {
    printed += text;
  },
  printError: (text) => {
    errors += text;
  },
  write: unused,
  input: unused,
  askLine: unused,
  askHidden: unused,
  readSecret: unused,
  confirm: unused,
};

test('copies, says what it does on standard error, and prints what was copied', async () => {
  const to = join(folder, 'to.db');
  expect(await databaseCommand(['copy', `sqlite:${from}`, `sqlite:${to}`], terminal)).toBe(0);
  expect(errors).toContain('copying users: 1\n');
  expect(errors).toContain('checking users: 1\n');
  expect(errors).toEndWith(
    `Every row of sqlite:${from} is in sqlite:${to}. Start the server with it: --database or --database-file\n`,
  );
  const rows = printed.split('\n').map((line) => line.split(/\s{2,}/));
  expect(rows[0]).toEqual(['DATA', 'ROWS']);
  expect(rows).toContainEqual(['users', '1']);
  expect(rows).toContainEqual(['changes of accounts', '1']);
});

test('takes files that hold a URL, and prints JSON', async () => {
  const file = join(folder, 'url');
  writeFileSync(file, 'sqlite:to.db\n');
  expect(await databaseCommand(['copy', '--json', `sqlite:${from}`, file], terminal)).toBe(0);
  expect(JSON.parse(printed)).toContainEqual({ what: 'users', rows: 1 });
  const copied = await openStorage({ kind: 'sqlite', path: join(folder, 'to.db') });
  expect((await copied.accounts({ name: 'x', address: 'y' }).users()).map(({ name }) => String(name))).toEqual([
    'alice',
  ]);
  await copied.close();
});

test('refuses a password on the command line, and does not repeat it', async () => {
  const to = 'postgres://signet:hunter2@db.example.com/signet';
  const error = await failure(databaseCommand(['copy', `sqlite:${from}`, to], terminal), 'usage');
  expect(error.exitCode).toBe(125);
  expect(error.message + error.next).not.toContain('hunter2');
  expect(error.message).toStartWith('TO has a password');
});

test('says how a database in a file is named where the scheme was forgotten', async () => {
  const error = await failure(databaseCommand(['copy', from, join(folder, 'url')], terminal), 'settings-unreadable');
  expect(error.message).toBe(`${from} does not hold the URL of a database: it is too large`);
  expect(error.next).toBe(`If it is a database itself, name it as sqlite:${from}`);
});

test('refuses a database whose server runs, on either side, and copies it once that has ended', async () => {
  const server = await startTestServer();
  const { database, lock } = dataFolder(server.settings.data);
  const to = `sqlite:${join(folder, 'to.db')}`;
  for (const sides of [
    [`sqlite:${database}`, to],
    [`sqlite:${from}`, `sqlite:${database}`],
  ]) {
    const error = await failure(databaseCommand(['copy', ...sides], terminal), 'data-folder-locked');
    expect(error.message).toStartWith(`sqlite:${database} is in use: process ${process.pid} serves from `);
    expect(error.next).toBe('Stop that server, and run the command again.');
  }
  expect(existsSync(join(folder, 'to.db'))).toBe(false);
  await server.stop();
  expect(await databaseCommand(['copy', `sqlite:${database}`, to], terminal)).toBe(0);
  expect(existsSync(lock)).toBe(true);
  const beside = `sqlite:${join(server.settings.data, 'beside.db')}`;
  expect(await databaseCommand(['copy', `sqlite:${database}`, beside], terminal)).toBe(0);
  await (await startTestServer({ data: server.settings.data })).stop();
});

test('refuses what is neither a URL nor a file', async () => {
  await failure(databaseCommand(['copy', `sqlite:${from}`, join(folder, 'nowhere')], terminal), 'settings-unreadable');
  await failure(databaseCommand(['copy', `sqlite:${from}`, 'oracle://u@h/n'], terminal), 'database-url-invalid');
});
