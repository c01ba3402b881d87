import { existsSync } from 'node:fs';
import { parseLevel, parsePattern } from '../../../accounts/identity/grants.ts';
import { parseUserName, type UserName } from '../../../accounts/identity/user-name.ts';
import type { AccountEvents } from '../../../accounts/store/account-events.ts';
import { type AccountStore, type User, type UserChange, userExists } from '../../../accounts/store/store.ts';
import { SignetError } from '../../../core/errors/index.ts';
import { printable, quoted } from '../../../core/printable.ts';
import { formatTime } from '../../../core/time.ts';
import {
  chosenDataFolder,
  type DataFolder,
  dataFolder,
  defaultDataFolder,
  isMade,
  openDataFolder,
} from '../../../serve/data/data-folder.ts';
import { forgetFirstPassword } from '../../../serve/data/first-password.ts';
import { operator } from '../../terminal/operator.ts';
import { dockerTable } from '../../terminal/table.ts';
import { newPassword, type PasswordSource, realTerminal, type Terminal } from '../../terminal/user-terminal.ts';
import { type Given, groupHelp, helpOf, type Option, parseUsage, type Usage, WRONG_FLAG } from './user-usage.ts';

interface Command extends Usage {
  run(given: Given, terminal: Terminal): Promise<number>;
}

const DATA: Option = { name: 'data', argument: 'FOLDER', about: 'Data folder of the server [SIGNET_DATA]' };
const PASSWORD: readonly Option[] = [
  { name: 'password-file', argument: 'FILE', about: 'Take the password from the first line of a file' },
  { name: 'password-stdin', about: 'Take the password from the standard input' },
];
const GRANT_DETAILS = `PATTERN is one repository (team/app) or all below a namespace (team/*), with the
registry's name in front where it is another one (docker.io/library/*).
LEVEL is pull, push (and pull) or admin (and delete).`;

const COMMANDS: readonly Command[] = [
  {
    name: 'add',
    args: ['NAME'],
    about: 'Add a user, who owns the repositories NAME and NAME/*',
    options: [{ name: 'admin', about: 'Let the user do everything' }, ...PASSWORD, DATA],
    run: add,
  },
  {
    name: 'grant',
    args: ['NAME', 'PATTERN', 'LEVEL'],
    about: 'Let a user pull, push or administer repositories',
    details: GRANT_DETAILS,
    options: [DATA],
    run: grant,
  },
  {
    name: 'list',
    args: [],
    about: 'List the users and their grants',
    options: [{ name: 'json', about: 'Print as JSON' }, DATA],
    run: list,
  },
  {
    name: 'log',
    args: [],
    about: 'List the changes of users and grants, and who made them',
    options: [
      { name: 'json', about: 'Print as JSON' },
      { name: 'limit', argument: 'NUMBER', about: 'Print the newest NUMBER changes (default 100)' },
      DATA,
    ],
    run: log,
  },
  {
    name: 'passwd',
    args: ['NAME'],
    about: "Change a user's password, and end all logins of the user",
    options: [...PASSWORD, DATA],
    run: passwd,
  },
  {
    name: 'remove',
    args: ['NAME'],
    about: 'Remove a user with all grants and logins; the repositories stay',
    options: [{ name: 'yes', about: 'Do not ask for confirmation' }, DATA],
    run: remove,
  },
  {
    name: 'revoke',
    args: ['NAME', 'PATTERN'],
    about: 'Take a grant from a user',
    options: [DATA],
    run: revoke,
  },
  {
    name: 'update',
    args: ['NAME'],
    about: "Change a user's role or state",
    options: [
      { name: 'role', argument: 'ROLE', about: 'Role of the user: admin or user' },
      {
        name: 'state',
        argument: 'STATE',
        about: 'State of the user: enabled or disabled; disabling ends all logins',
      },
      DATA,
    ],
    run: update,
  },
];

/**
 * `signet user …`: works on the accounts in a data folder, whether or not a server runs there, and returns the exit
 * code. Throws what went wrong as a SignetError.
 */
export async function userCommand(args: string[], terminal: Terminal = realTerminal()): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || isHelp(name)) {
    terminal.write(groupHelp(COMMANDS));
    return 0;
  }
  const command = COMMANDS.find((known) => known.name === name);
  if (command === undefined) {
    throw new SignetError('usage', `unknown command: signet user ${printable(name, 100)}`, {
      next: "Run 'signet user --help' for more information.",
    });
  }
  if (rest.some(isHelp)) {
    terminal.write(helpOf(command));
    return 0;
  }
  return command.run(parseUsage(command, rest), terminal);
}

async function add(given: Given, terminal: Terminal): Promise<number> {
  const name = nameIn(given);
  const source = passwordSource(given);
  const { checkPassword, hashPassword } = await import('../../../accounts/identity/password.ts');
  await inAccounts(given, async ({ store }) => {
    if ((await store.user(name)) !== undefined) throw userExists(name);
    const password = await newPassword(source, terminal);
    try {
      checkPassword(password, name);
      const passwordHash = await hashPassword(password);
      await store.addUser({ name, passwordHash, admin: given.switch('admin') }, Date.now());
    } finally {
      password.fill(0);
    }
  });
  terminal.write(`Added ${given.switch('admin') ? 'administrator' : 'user'} ${name}\n`);
  return 0;
}

async function passwd(given: Given, terminal: Terminal): Promise<number> {
  const name = nameIn(given);
  const source = passwordSource(given);
  const { checkPassword, hashPassword } = await import('../../../accounts/identity/password.ts');
  await inAccounts(given, async ({ store, folder }) => {
    await knownUser(store, name);
    const password = await newPassword(source, terminal);
    try {
      checkPassword(password, name);
      await store.updateUser(name, { passwordHash: await hashPassword(password) }, Date.now());
      forgetFirstPassword(folder, name);
    } finally {
      password.fill(0);
    }
  });
  terminal.write(`Changed the password of ${name} and ended all logins\n`);
  return 0;
}

async function update(given: Given, terminal: Terminal): Promise<number> {
  const name = nameIn(given);
  const admin = choice(given, 'role', 'admin', 'user');
  const disabled = choice(given, 'state', 'disabled', 'enabled');
  if (admin === undefined && disabled === undefined) {
    throw new SignetError('usage', 'nothing to change', { next: 'Give --role or --state.' });
  }
  const change: UserChange = { ...(admin !== undefined && { admin }), ...(disabled !== undefined && { disabled }) };
  await inAccounts(given, ({ store }) => store.updateUser(name, change, Date.now()));
  terminal.write(`Updated ${name}\n`);
  return 0;
}

async function remove(given: Given, terminal: Terminal): Promise<number> {
  const name = nameIn(given);
  return inAccounts(given, async ({ store, folder }) => {
    await knownUser(store, name);
    if (!given.switch('yes') && !(await terminal.confirm(`Remove the user ${name}?`))) {
      terminal.write('Aborting action.\n');
      return 1;
    }
    await store.removeUser(name, Date.now());
    forgetFirstPassword(folder, name);
    terminal.write(`Removed ${name}; repositories below ${name}/ stay\n`);
    return 0;
  });
}

async function grant(given: Given, terminal: Terminal): Promise<number> {
  const name = nameIn(given);
  const [, pattern = '', level = ''] = given.args;
  const granted = { pattern: parsePattern(pattern), level: parseLevel(level) };
  await inAccounts(given, ({ store }) => store.grant(name, granted, Date.now()));
  terminal.write(`Granted ${level} on ${pattern} to ${name}\n`);
  return 0;
}

async function revoke(given: Given, terminal: Terminal): Promise<number> {
  const name = nameIn(given);
  const [, pattern = ''] = given.args;
  await inAccounts(given, ({ store }) => store.revoke(name, parsePattern(pattern), Date.now()));
  terminal.write(`Revoked the grant on ${pattern} from ${name}\n`);
  return 0;
}

async function list(given: Given, terminal: Terminal): Promise<number> {
  const described = await inAccounts(given, async ({ store }) =>
    Promise.all((await store.users()).map((user) => describe(store, user))),
  );
  if (given.switch('json')) {
    terminal.write(`${JSON.stringify(described, null, 4)}\n`);
    return 0;
  }
  const rows = described.map(({ name, role, state, grants, created }) => {
    const granted = grants.map(({ pattern, level }) => `${pattern}:${level}`).join(', ');
    return [name, role, state, created, granted];
  });
  terminal.write(dockerTable(['NAME', 'ROLE', 'STATE', 'CREATED', 'GRANTS'], rows));
  return 0;
}

async function log(given: Given, terminal: Terminal): Promise<number> {
  const limit = limitIn(given);
  const events = await inAccounts(given, ({ events }) => events.latest(limit));
  const described = events.map(({ at, actor, action, user, detail }) => {
    return { time: formatTime(at), by: actor.name, address: actor.address, action, user, detail };
  });
  if (given.switch('json')) {
    terminal.write(`${JSON.stringify(described, null, 4)}\n`);
    return 0;
  }
  const rows = described.map(({ time, by, address, action, user, detail }) => [
    time,
    by,
    address,
    action,
    user,
    detail,
  ]);
  terminal.write(dockerTable(['TIME', 'BY', 'ADDRESS', 'CHANGE', 'USER', 'DETAIL'], rows));
  return 0;
}

async function describe(store: AccountStore, user: User) {
  return {
    name: user.name,
    role: user.admin ? 'admin' : 'user',
    state: user.disabled ? 'disabled' : 'enabled',
    grants: await store.grants(user.name),
    created: formatTime(user.created),
    updated: formatTime(user.updated),
  };
}

function passwordSource(given: Given): PasswordSource {
  const file = given.value('password-file');
  const isPiped = given.switch('password-stdin');
  if (file !== undefined && isPiped) {
    throw new SignetError('usage', 'conflicting options: --password-file and --password-stdin', {
      exitCode: WRONG_FLAG,
    });
  }
  return file !== undefined ? { file } : isPiped ? 'stdin' : 'prompt';
}

function choice(given: Given, option: string, yes: string, no: string): boolean | undefined {
  const value = given.value(option);
  if (value === undefined || value === yes || value === no) return value === undefined ? undefined : value === yes;
  throw new SignetError('usage', `invalid value ${quoted(value)} for --${option}`, {
    exitCode: WRONG_FLAG,
    next: `Use ${yes} or ${no}.`,
  });
}

async function knownUser(store: AccountStore, name: UserName): Promise<void> {
  if ((await store.user(name)) === undefined) throw new SignetError('user-unknown', `there is no user ${name}`);
}

/** The accounts of a server, opened for one command. */
interface OpenAccounts {
  readonly folder: DataFolder;
  readonly store: AccountStore;
  readonly events: AccountEvents;
}

/**
 * Works on the accounts of a server, which must exist: a mistyped folder, or a machine without the server, is not taken
 * for a server without users. Throws `accounts-missing`.
 */
async function inAccounts<T>(given: Given, work: (accounts: OpenAccounts) => Promise<T>): Promise<T> {
  const path = chosenDataFolder(given.value('data'));
  const known = dataFolder(path);
  if (!isMade(known, known.database)) throw accountsMissing(path);
  const folder = openDataFolder(path);
  const { openSqliteStorage } = await import('../../../serve/storage/sqlite-storage.ts');
  const storage = openSqliteStorage(folder.database);
  try {
    return await work({ folder, store: storage.accounts(operator()), events: storage.accountEvents });
  } finally {
    await storage.close();
  }
}

function accountsMissing(path: string): SignetError {
  const usual = defaultDataFolder({}, true);
  const isThere = path !== usual && existsSync(usual);
  return new SignetError('accounts-missing', `no Signet server keeps its data in ${path} on this machine`, {
    ...(isThere && {
      next: `There is a data folder of root's, ${usual}: run the command as root, or name the folder with --data.`,
    }),
  });
}

function limitIn(given: Given): number {
  const text = given.value('limit') ?? '100';
  if (/^[1-9][0-9]{0,5}$/.test(text)) return Number(text);
  throw new SignetError('usage', `invalid value ${quoted(text)} for --limit`, {
    exitCode: WRONG_FLAG,
    next: 'Give a whole number above 0.',
  });
}

function nameIn(given: Given): UserName {
  return parseUserName(given.args[0] ?? '');
}

function isHelp(arg: string): boolean {
  return arg === '--help' || arg === '-h';
}
