import { beforeEach, describe, expect, test } from 'bun:test';
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { verifyPassword } from '../../../../src/accounts/identity/password.ts';
import { parseUserName } from '../../../../src/accounts/identity/user-name.ts';
import { ACCOUNT_MIGRATIONS, SqliteAccountStore } from '../../../../src/accounts/store/sqlite-store.ts';
import type { User } from '../../../../src/accounts/store/store.ts';
import { USER, userCommand } from '../../../../src/cli/commands/user/user.ts';
import { CommandText } from '../../../../src/cli/line/command.ts';
import { currentActor } from '../../../../src/cli/terminal/actor.ts';
import type { Terminal } from '../../../../src/cli/terminal/terminal.ts';
import { parseTime } from '../../../../src/core/time.ts';
import { dataFolder, openDataFolder } from '../../../../src/serve/data/data-folder.ts';
import { keepFirstPassword } from '../../../../src/serve/data/first-password.ts';
import { openDatabase } from '../../../../src/store/sqlite.ts';
import { codeOf, failure } from '../../../accounts/world.ts';
import { run, runInTerminal } from '../../../support/run.ts';
import { temporaryFolder } from '../../../support/temp.ts';

let data: string;
let printed: string;
let prompts: string[];
/** What the person types at each prompt; buffers, to see them wiped. */
let typed: Buffer[];
let answer: boolean;
let stdin: string;
beforeEach(() => {
  data = join(temporaryFolder(), 'data');
  openDatabase(openDataFolder(data).database, ACCOUNT_MIGRATIONS).close();
  printed = '';
  prompts = [];
  typed = [];
  answer = false;
  stdin = '';
});

function unused(): never {
  throw new Error('no account command does that');
}

const terminal: Terminal = {
  isInteractive: true,
  print: (text) => {
    printed += text;
  },
  printError: unused,
  write: unused,
  askLine: unused,
  readSecret: unused,
  input: async function* () {
    for (const character of stdin) yield Buffer.from(character);
  },
  askHidden: async (prompt) => {
    prompts.push(prompt);
    const next = typed[prompts.length - 1];
    if (next === undefined) throw new Error('nothing to type');
    return next;
  },
  confirm: async (question) => {
    prompts.push(question);
    return answer;
  },
};

function user(...args: string[]): Promise<number> {
  return userCommand([...args, '--data', data], terminal);
}

async function add(name: string, ...more: string[]): Promise<void> {
  stdin = 'correct horse\n';
  expect(await user('add', name, '--password-stdin', ...more)).toBe(0);
}

async function inStore<T>(work: (store: SqliteAccountStore) => Promise<T>): Promise<T> {
  const database = openDatabase(join(data, 'signet.db'), ACCOUNT_MIGRATIONS);
  try {
    return await work(new SqliteAccountStore(database, { name: 'test', address: 'local' }));
  } finally {
    database.close();
  }
}

const stored = (name: string): Promise<User | undefined> => inStore((store) => store.user(parseUserName(name)));

async function opens(name: string, password: string): Promise<boolean> {
  return verifyPassword(Buffer.from(password), (await stored(name))?.passwordHash ?? '');
}

describe('add', () => {
  test('makes a user, who chose a password', async () => {
    typed = [Buffer.from('correct horse'), Buffer.from('correct horse')];
    expect(await user('add', 'alice')).toBe(0);
    expect(prompts).toEqual(['Password: ', 'Repeat password: ']);
    expect(printed).toBe('Added user alice\n');
    expect(await stored('alice')).toMatchObject({ admin: false, disabled: false });
    expect(await opens('alice', 'correct horse')).toBe(true);
  });

  test('refuses a name that is taken before it asks for a password', async () => {
    await add('alice');
    const error = await failure(user('add', 'alice'));
    expect([error.code, error.message, prompts]).toEqual(['user-exists', 'there is already a user alice', []]);
  });

  test('shows that it shortens a name that it quotes', async () => {
    expect((await failure(user('add', 'A'.repeat(200)))).message).toBe(`invalid user name "${'A'.repeat(100)}…"`);
    expect((await failure(user('add', 'A'.repeat(100)))).message).toBe(`invalid user name "${'A'.repeat(100)}"`);
  });

  test('wipes what was typed', async () => {
    typed = [Buffer.from('correct horse'), Buffer.from('correct horse')];
    await user('add', 'alice');
    expect(typed).toEqual([Buffer.alloc(13), Buffer.alloc(13)]);
  });

  test('refuses two passwords that differ, and wipes both', async () => {
    typed = [Buffer.from('correct horse'), Buffer.from('correct house')];
    expect(await codeOf(user('add', 'alice'))).toBe('password-mismatch');
    expect(typed).toEqual([Buffer.alloc(13), Buffer.alloc(13)]);
    expect(await stored('alice')).toBeUndefined();
  });

  test.each([
    ['correct horse', 'correct horse'],
    ['correct horse\n', 'correct horse'],
    ['correct horse\r\n', 'correct horse'],
    ['correct horse\nsecond line\n', 'correct horse'],
    ['  spaces stay  \n', '  spaces stay  '],
    ['pässwörter', 'pässwörter'],
  ])('takes the first line of a file or of the standard input: %p', async (text, password) => {
    stdin = text;
    await user('add', 'alice', '--password-stdin');
    const file = join(temporaryFolder(), 'password');
    writeFileSync(file, text);
    await user('add', 'bob', '--password-file', file, '--admin');
    expect([await opens('alice', password), await opens('bob', password)]).toEqual([true, true]);
    expect([(await stored('alice'))?.admin, (await stored('bob'))?.admin]).toEqual([false, true]);
    expect(prompts).toEqual([]);
    expect(printed).toBe('Added user alice\nAdded administrator bob\n');
  });

  test('refuses unfit passwords', async () => {
    for (const password of ['short', 'alicealice', '', 'a'.repeat(257), 'a'.repeat(10_000)]) {
      stdin = password;
      expect(await codeOf(user('add', 'alice', '--password-stdin'))).toBe('password-unfit');
    }
    expect(await stored('alice')).toBeUndefined();
  });

  test('refuses a second user of that name', async () => {
    await add('alice', '--admin');
    expect(await codeOf(add('alice'))).toBe('user-exists');
    expect((await stored('alice'))?.admin).toBe(true);
  });

  test('refuses names that are none, before asking', async () => {
    for (const name of ['Alice', 'a', 'docker.io', '../x'])
      expect(await codeOf(user('add', name))).toBe('user-name-invalid');
    expect(prompts).toEqual([]);
  });

  test('reads one source, and only one that is there', async () => {
    expect(await codeOf(user('add', 'alice', '--password-stdin', '--password-file', 'x'))).toBe('usage');
    const absent = join(temporaryFolder(), 'absent');
    expect(await codeOf(user('add', 'alice', '--password-file', absent))).toBe('password-file-unreadable');
  });
});

describe('list', () => {
  test('is a table as docker prints them', async () => {
    await add('bob', '--admin');
    await add('alice');
    await user('grant', 'alice', 'team/*', 'push');
    await user('grant', 'alice', 'docker.io/library/*', 'pull');
    await user('update', 'bob', '--state', 'disabled');
    const [alice, bob] = [await stored('alice'), await stored('bob')];
    const time = (found: User | undefined) => `${new Date(found?.created ?? 0).toISOString().slice(0, 19)}Z`;
    printed = '';
    expect(await user('list')).toBe(0);
    expect(printed).toBe(
      `NAME      ROLE      STATE      CREATED                GRANTS
alice     user      enabled    ${time(alice)}   docker.io/library/*:pull, team/*:push
bob       admin     disabled   ${time(bob)}   
`,
    );
  });

  test('is JSON on demand', async () => {
    await add('alice');
    await user('grant', 'alice', 'team/app', 'admin');
    printed = '';
    await user('list', '--json');
    const [alice, ...others] = JSON.parse(printed) as { created: string; updated: string }[];
    expect(others).toEqual([]);
    expect(alice).toEqual({
      name: 'alice',
      role: 'user',
      state: 'enabled',
      grants: [{ pattern: 'team/app', level: 'admin' }],
      created: expect.any(String),
      updated: expect.any(String),
    } as never);
    expect(parseTime(alice?.updated ?? '')).toBeGreaterThanOrEqual(parseTime(alice?.created ?? ''));
    expect(printed).not.toContain('argon2');
  });
});

test('passwd changes the password', async () => {
  await add('alice');
  const before = await stored('alice');
  typed = [Buffer.from('another one'), Buffer.from('another one')];
  expect(await user('passwd', 'alice')).toBe(0);
  expect([await opens('alice', 'correct horse'), await opens('alice', 'another one')]).toEqual([false, true]);
  expect((await stored('alice'))?.stamp).not.toBe(before?.stamp);
  typed = [Buffer.from('shorter'), Buffer.from('shorter')];
  prompts = [];
  expect(await codeOf(user('passwd', 'alice'))).toBe('password-unfit');
  expect(typed).toEqual([Buffer.alloc(7), Buffer.alloc(7)]);
  expect(await opens('alice', 'another one')).toBe(true);
});

test('update changes role and state', async () => {
  await add('alice');
  await user('update', 'alice', '--role=admin', '--state', 'disabled');
  expect(await stored('alice')).toMatchObject({ admin: true, disabled: true });
  await user('update', 'alice', '--state', 'enabled');
  expect(await stored('alice')).toMatchObject({ admin: true, disabled: false });
  await user('update', 'alice', '--role', 'user');
  expect(await stored('alice')).toMatchObject({ admin: false, disabled: false });
  expect(await codeOf(user('update', 'alice'))).toBe('usage');
  expect(await codeOf(user('update', 'alice', '--role', 'root'))).toBe('usage');
  expect(await codeOf(user('update', 'alice', '--state', 'Disabled'))).toBe('usage');
});

test('remove asks first, unless told not to', async () => {
  await add('alice');
  printed = '';
  expect(await user('remove', 'alice')).toBe(1);
  expect([prompts, printed]).toEqual([['Remove the user alice?'], 'Aborting action.\n']);
  expect(await stored('alice')).toBeDefined();
  answer = true;
  expect(await user('remove', 'alice')).toBe(0);
  expect(await stored('alice')).toBeUndefined();
  await add('alice');
  prompts = [];
  expect(await user('remove', '--yes', 'alice')).toBe(0);
  expect([prompts, await stored('alice')]).toEqual([[], undefined]);
});

test('grant and revoke', async () => {
  await add('alice');
  const grants = () => inStore(async (store) => JSON.stringify(await store.grants(parseUserName('alice'))));
  await user('grant', 'alice', 'team/*', 'pull');
  await user('grant', 'alice', 'team/*', 'push');
  expect(await grants()).toBe('[{"pattern":"team/*","level":"push"}]');
  expect(await codeOf(user('grant', 'alice', '*', 'pull'))).toBe('grant-invalid');
  expect(await codeOf(user('grant', 'alice', 'team/*', 'write'))).toBe('grant-invalid');
  expect(await codeOf(user('revoke', 'alice', 'team/app'))).toBe('grant-unknown');
  expect(await grants()).toBe('[{"pattern":"team/*","level":"push"}]');
  await user('revoke', 'alice', 'team/*');
  expect(await grants()).toBe('[]');
});

test('unknown users are named', async () => {
  await add('alice');
  prompts = [];
  for (const args of [
    ['passwd', 'nobody'],
    ['remove', 'nobody'],
    ['update', 'nobody', '--role', 'admin'],
    ['grant', 'nobody', 'team/*', 'pull'],
    ['revoke', 'nobody', 'team/*'],
  ]) {
    const error = await failure(user(...args));
    expect([error.code, error.message]).toEqual(['user-unknown', 'there is no user nobody']);
  }
  expect(prompts).toEqual([]);
});

describe('without a server', () => {
  const everything = [
    ['add', 'alice'],
    ['add', 'alice', '--admin', '--password-stdin'],
    ['grant', 'alice', 'team/*', 'pull'],
    ['list'],
    ['log'],
    ['passwd', 'alice'],
    ['remove', 'alice', '--yes'],
    ['revoke', 'alice', 'team/*'],
    ['update', 'alice', '--role', 'admin'],
  ];

  test('every command says so, asks nothing and makes nothing', async () => {
    const empty = temporaryFolder();
    for (const folder of [join(empty, 'missing'), empty]) {
      data = folder;
      for (const args of everything) {
        const error = await failure(user(...args));
        expect([error.code, error.message]).toEqual([
          'accounts-missing',
          `no Signet server keeps its data in ${data} on this machine`,
        ]);
        expect(error.next).toContain('--data');
      }
    }
    expect([prompts, readdirSync(empty)]).toEqual([[], []]);
  });

  test('the list of commands that were tried is whole', async () => {
    const names = USER.lists.flatMap(([, entries]) => entries.map(([name]) => name));
    expect(names).toEqual([...new Set(everything.map(([name = '']) => name))]);
  });
});

test('log lists who changed what, the newest last', async () => {
  await add('alice');
  await user('grant', 'alice', 'team/*', 'push');
  printed = '';
  await user('log', '--json');
  const events = JSON.parse(printed) as { time: string; by: string }[];
  expect(events).toEqual([
    {
      time: expect.any(String),
      by: expect.any(String),
      address: 'local',
      action: 'user added',
      user: 'alice',
      detail: 'role user',
    },
    {
      time: expect.any(String),
      by: expect.any(String),
      address: 'local',
      action: 'grant given',
      user: 'alice',
      detail: 'push on team/*',
    },
  ] as never);
  expect(events[0]?.by).toBe(`${userInfo().username} (uid ${process.getuid?.()})`);
  printed = '';
  await user('log', '--limit', '1');
  expect(printed).toMatch(
    /^TIME +BY +ADDRESS +CHANGE +USER +DETAIL\n\S+Z +.* +local +grant given +alice +push on team\/\*\n$/,
  );
  for (const limit of ['0', '-1', 'x', '1e3']) expect(await codeOf(user('log', '--limit', limit))).toBe('usage');
});

test('the actor is the user of the system, before sudo and from where', () => {
  const uid = process.getuid?.();
  const { username } = userInfo();
  expect(currentActor({})).toEqual({ name: `${username} (uid ${uid})`, address: 'local' });
  expect(currentActor({ SUDO_USER: 'bob\u001b[2J', SSH_CONNECTION: '2001:db8::7 50000 192.0.2.1 22' })).toEqual({
    name: `${username} (uid ${uid}, sudo by bob [2J)`,
    address: '2001:db8::7',
  });
  expect(currentActor({ SSH_CONNECTION: 'somewhere else' }).address).toBe('local');
});

test('the file with the first password goes with the password', async () => {
  const file = dataFolder(data).firstPassword;
  const passwords = () => [Buffer.from('another one'), Buffer.from('another one')];
  await add('admin', '--admin');
  await add('alice', '--admin');
  const goesAfter = async (...args: string[]) => {
    keepFirstPassword(dataFolder(data), 'the first one');
    expect([readFileSync(file, 'utf8'), statSync(file).mode & 0o777]).toEqual(['the first one\n', 0o600]);
    [typed, prompts] = [passwords(), []];
    expect(await user(...args)).toBe(0);
    return !existsSync(file);
  };
  expect(await goesAfter('passwd', 'alice')).toBe(false);
  expect(await goesAfter('update', 'admin', '--role', 'admin')).toBe(false);
  expect(await goesAfter('passwd', 'admin')).toBe(true);
  expect(await goesAfter('remove', 'admin', '--yes')).toBe(true);
});

test('a folder that everyone could enter is closed', async () => {
  await add('alice');
  chmodSync(data, 0o755);
  await user('list');
  expect(statSync(data).mode & 0o777).toBe(0o700);
  expect(readdirSync(data)).toContain('signet.db');
});

/** What is printed in place of carrying a command out. */
async function textOf(...args: string[]): Promise<Pick<CommandText, 'message' | 'exitCode'>> {
  const thrown = await userCommand(args, terminal).catch((error: unknown) => error);
  if (!(thrown instanceof CommandText)) throw new Error('it was carried out');
  return { message: thrown.message, exitCode: thrown.exitCode };
}

describe('usage', () => {
  test.each([
    [['add'], "signet: 'signet user add' requires 1 argument", 1],
    [['add', 'a', 'b'], "signet: 'signet user add' requires 1 argument", 1],
    [['grant', 'alice', 'team/*'], "signet: 'signet user grant' requires 3 arguments", 1],
    [['list', 'alice'], "signet: 'signet user list' accepts no arguments", 1],
    [['list', '--all'], 'unknown flag: --all', 125],
    [['list', '-a'], "unknown shorthand flag: 'a' in -a", 125],
    [['add', '--password', 'secret', 'alice'], 'unknown flag: --password', 125],
    [
      ['list', '--json=yes'],
      'invalid argument "yes" for "--json" flag: strconv.ParseBool: parsing "yes": invalid syntax',
      125,
    ],
    [['list', '--data'], 'flag needs an argument: --data', 125],
    [['list', '--__proto__', 'x'], 'unknown flag: --__proto__', 125],
  ])('%p: %p', async (args, complaint, exitCode) => {
    const { message, ...rest } = await textOf(...args);
    expect(rest).toEqual({ exitCode });
    const [name = ''] = args;
    expect(message).toStartWith(`${complaint}\n\nUsage:  signet user ${name} [OPTIONS]`);
    expect(message).toEndWith(`\n\nRun 'signet user ${name} --help' for more information\n`);
  });

  test('unknown commands are refused', async () => {
    const usage = "Usage:  signet user\n\nRun 'signet user --help' for more information\n";
    expect(await textOf('delete', 'alice')).toEqual({
      message: `signet: unknown command: signet user delete\n\n${usage}`,
      exitCode: 1,
    });
    expect((await textOf('ad', 'alice')).message).toEndWith('\nDid you mean: signet user add\n');
    expect(await textOf('--frobnicate')).toEqual({ message: `unknown flag: --frobnicate\n\n${usage}`, exitCode: 125 });
  });

  test('the help of the group names every command', async () => {
    for (const args of [[], ['--help'], ['-h']]) {
      const { message, exitCode } = await textOf(...args);
      expect(exitCode).toBe(0);
      expect(message.replace('Flag shorthand -h has been deprecated, use --help\n', '')).toBe(`
Usage:  signet user COMMAND

Manage users and what they may do

Commands:
  add      Add a user, who owns the repositories NAME and NAME/*
  grant    Let a user pull, push or administer repositories
  list     List the users and their grants
  log      List the changes of users and grants, and who made them
  passwd   Change a user's password, and end all logins of the user
  remove   Remove a user with all grants and logins; the repositories stay
  revoke   Take a grant from a user
  update   Change a user's role or state

Run 'signet user COMMAND --help' for more information on a command.
`);
    }
  });

  test('the help of a command', async () => {
    expect((await textOf('add', 'alice', '--help')).message).toBe(`
Usage:  signet user add [OPTIONS] NAME

Add a user, who owns the repositories NAME and NAME/*

Options:
      --admin                Let the user do everything
      --data FOLDER          Data folder of the server [SIGNET_DATA]
      --password-file FILE   Take the password from the first line of a file
      --password-stdin       Take the password from the standard input
`);
    expect((await textOf('grant', '--help')).message).toBe(`
Usage:  signet user grant [OPTIONS] NAME PATTERN LEVEL

Let a user pull, push or administer repositories

PATTERN is one repository (team/app) or all below a namespace (team/*), with the
registry's name in front where it is another one (docker.io/library/*).
LEVEL is pull, push (and pull) or admin (and delete).

Options:
      --data FOLDER   Data folder of the server [SIGNET_DATA]
`);
  });
});

describe('signet user', () => {
  const program = [process.execPath, join(import.meta.dir, '../../../../src/cli/main.ts'), 'user'];
  const env = () => ({ PATH: '/nowhere', TERM: 'xterm', SIGNET_DATA: data });

  test('reads and writes the standard streams, and finds the folder in SIGNET_DATA', async () => {
    const input = { stdin: 'correct horse\n', env: env() };
    const added = await run([...program, 'add', 'alice', '--password-stdin'], input);
    expect([added.exitCode, added.stdout, added.stderr]).toEqual([0, 'Added user alice\n', '']);
    expect(await opens('alice', 'correct horse')).toBe(true);
    const listed = await run([...program, 'list', '--json'], { env: env() });
    expect(JSON.parse(listed.stdout)).toMatchObject([{ name: 'alice' }]);
    const refused = await run([...program, 'grant', 'alice', '*', 'pull'], { env: env() });
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toStartWith('invalid pattern "*"\n\n');
  });

  test('asks at the terminal', async () => {
    const answers = ['Password: ', 'Repeat password: '].map((prompt) => ({
      expect: new RegExp(prompt),
      send: 'correct horse',
    }));
    const added = await runInTerminal([...program, 'add', 'alice'], answers, { env: env() });
    expect(added.stdout).toEndWith('\nAdded user alice\n');
    expect(await opens('alice', 'correct horse')).toBe(true);
    const question = [{ expect: /Remove the user alice\? \[y\/N\] /, send: 'y' }];
    const removed = await runInTerminal([...program, 'remove', 'alice'], question, { env: env() });
    expect([removed.exitCode, await stored('alice')]).toEqual([0, undefined]);
  });
});

describe('exit codes are those of docker: 125 for a wrong flag, 1 for everything else', () => {
  test.each([
    ['invalid value "x" for --limit', 125, ['log', '--limit', 'x']],
    ['invalid value "x" for --role', 125, ['update', 'alice', '--role', 'x']],
    [
      'conflicting options: --password-file and --password-stdin',
      125,
      ['add', 'alice', '--password-stdin', '--password-file', 'x'],
    ],
  ])('%s: %p', async (message, exitCode, args) => {
    expect(await failure(userCommand(args, terminal))).toMatchObject({ code: 'usage', message, exitCode });
  });

  test('a data folder without a name is refused', async () => {
    expect(await failure(userCommand(['list', '--data', ' '], terminal))).toMatchObject({
      code: 'setting-invalid',
      exitCode: 125,
    });
  });
});
