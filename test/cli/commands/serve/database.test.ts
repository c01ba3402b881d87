import { beforeEach, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseUserName } from '../../../../src/accounts/identity/user-name.ts';
import { databaseCommand } from '../../../../src/cli/commands/serve/database.ts';
import type { Terminal } from '../../../../src/cli/terminal/terminal.ts';
import { openStorage } from '../../../../src/serve/storage/open-storage.ts';
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

test('refuses what is neither a URL nor a file', async () => {
  await failure(databaseCommand(['copy', `sqlite:${from}`, join(folder, 'nowhere')], terminal), 'settings-unreadable');
  await failure(databaseCommand(['copy', `sqlite:${from}`, 'oracle://u@h/n'], terminal), 'database-url-invalid');
});
