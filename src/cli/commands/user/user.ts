import { existsSync } from 'node:fs';
import { parseLevel, parsePattern } from '../../../accounts/identity/grants.ts';
import { parseUserName, type UserName } from '../../../accounts/identity/user-name.ts';
import type { AccountEvents } from '../../../accounts/store/account-events.ts';
import { type AccountStore, type User, type UserChange, userExists } from '../../../accounts/store/store.ts';
import { SignetError } from '../../../core/errors/index.ts';
import { quoted } from '../../../core/printable.ts';
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
import { carryOut, parseCommand, runGroup, WRONG_FLAG } from '../../line/command.ts';
import type { Argument, Command, Described, Flag, Group, ParsedCommand } from '../../line/declaration.ts';
import { currentActor } from '../../terminal/actor.ts';
import { dockerTable } from '../../terminal/table.ts';
import { ProcessTerminal, type Terminal } from '../../terminal/terminal.ts';
import { newPassword, PASSWORD_FLAGS, type PasswordSource } from './new-password.ts';

type UserCommand = Command<Terminal>;

const DATA: Flag = {
  name: 'data',
  type: 'value',
  word: 'FOLDER',
  takes: 'folder',
  about: 'Data folder of the server [SIGNET_DATA]',
};
const JSON_FLAG: Flag = { name: 'json', type: 'switch', about: 'Print as JSON' };
const NAME: Argument = { name: 'NAME', takes: 'text' };
const NEW_NAME: Argument = { name: 'NAME', takes: 'text' };
const PATTERN: Argument = { name: 'PATTERN', takes: 'repository' };
const LEVELS = ['pull', 'push', 'admin'];
const ROLES = ['admin', 'user'] as const;
const STATES = ['disabled', 'enabled'] as const;

const ADD: UserCommand = {
  ...described('add', 'Add a user, who owns the repositories NAME and NAME/*'),
  args: [NEW_NAME],
  flags: [{ name: 'admin', type: 'switch', about: 'Let the user do everything' }, DATA, ...PASSWORD_FLAGS],
  run: add,
};

const GRANT: UserCommand = {
  ...described('grant', 'Let a user pull, push or administer repositories'),
  details: `PATTERN is one repository (team/app) or all below a namespace (team/*), with the
registry's name in front where it is another one (docker.io/library/*).
LEVEL is pull, push (and pull) or admin (and delete).`,
  args: [NAME, PATTERN, { name: 'LEVEL', takes: LEVELS }],
  flags: [DATA],
  examples: [
    { about: 'Let bob push to one repository', line: 'user grant bob alice/app push' },
    { about: 'Let a machine pull all of a team', line: "user grant ci 'team/*' pull" },
  ],
  run: grant,
};

const LIST: UserCommand = {
  ...described('list', 'List the users and their grants'),
  args: [],
  flags: [DATA, JSON_FLAG],
  json: [
    ['name', 'name of the user'],
    ['role', '`admin` or `user`'],
    ['state', '`enabled` or `disabled`'],
    ['grants', 'a list of `pattern` and `level`'],
    ['created', 'when the user was added, in UTC'],
    ['updated', 'when the user was changed last, in UTC'],
  ],
  run: list,
};

const LOG: UserCommand = {
  ...described('log', 'List the changes of users and grants, and who made them'),
  args: [],
  flags: [
    DATA,
    JSON_FLAG,
    {
      name: 'limit',
      type: 'number',
      word: 'NUMBER',
      about: 'Print the newest NUMBER changes',
      default: '100',
    },
  ],
  json: [
    ['time', 'when it was changed, in UTC'],
    ['by', 'who changed it'],
    ['address', 'where from: an IP address, or `local`'],
    ['action', 'what was done'],
    ['user', 'whose account it is'],
    ['detail', 'what was granted, revoked or changed'],
  ],
  run: log,
};

const PASSWD: UserCommand = {
  ...described('passwd', "Change a user's password, and end all logins of the user"),
  args: [NAME],
  flags: [DATA, ...PASSWORD_FLAGS],
  run: passwd,
};

const REMOVE: UserCommand = {
  ...described('remove', 'Remove a user with all grants and logins; the repositories stay'),
  args: [NAME],
  flags: [DATA, { name: 'yes', type: 'switch', about: 'Do not ask for confirmation' }],
  run: remove,
};

const REVOKE: UserCommand = {
  ...described('revoke', 'Take a grant from a user'),
  args: [NAME, PATTERN],
  flags: [DATA],
  run: revoke,
};

const UPDATE: UserCommand = {
  ...described('update', "Change a user's role or state"),
  args: [NAME],
  flags: [
    DATA,
    { name: 'role', type: 'value', word: 'ROLE', takes: ROLES, about: 'Role of the user: admin or user' },
    {
      name: 'state',
      type: 'value',
      word: 'STATE',
      takes: STATES,
      about: 'State of the user: enabled or disabled; disabling ends all logins',
    },
  ],
  run: update,
};

/** `signet user …`. */
export const USER: Group<Terminal> = {
  program: 'signet',
  path: 'user',
  summary: 'Manage users and what they may do',
  layout: 'wide',
  lists: [
    [
      'Commands',
      [ADD, GRANT, LIST, LOG, PASSWD, REMOVE, REVOKE, UPDATE].map((command) => [
        command.path.slice('user '.length),
        async () => command,
      ]),
    ],
  ],
};

/**
 * `signet user …`: works on the accounts in a data folder, whether or not a server is running there. Returns the exit
 * code. Throws a SignetError if it fails.
 */
export async function userCommand(
  words: readonly string[],
  terminal: Terminal = new ProcessTerminal(),
): Promise<number> {
  return runGroup(USER, words, async (command, rest) => carryOut(command, terminal, parseCommand(command, rest)));
}

function described(name: string, summary: string): Described {
  return { program: 'signet', path: `user ${name}`, summary, layout: 'wide' };
}

async function add(terminal: Terminal, parsed: ParsedCommand): Promise<number> {
  const name = nameIn(parsed);
  const source = passwordSource(parsed);
  const { checkPassword, hashPassword } = await import('../../../accounts/identity/password.ts');
  await inAccounts(parsed, async ({ store }) => {
    if ((await store.user(name)) !== undefined) throw userExists(name);
    const password = await newPassword(source, terminal);
    try {
      checkPassword(password, name);
      const passwordHash = await hashPassword(password);
      await store.addUser({ name, passwordHash, admin: parsed.has('admin') }, Date.now());
    } finally {
      password.fill(0);
    }
  });
  terminal.print(`Added ${parsed.has('admin') ? 'administrator' : 'user'} ${name}\n`);
  return 0;
}

async function passwd(terminal: Terminal, parsed: ParsedCommand): Promise<number> {
  const name = nameIn(parsed);
  const source = passwordSource(parsed);
  const { checkPassword, hashPassword } = await import('../../../accounts/identity/password.ts');
  await inAccounts(parsed, async ({ store, folder }) => {
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
  terminal.print(`Changed the password of ${name} and ended all logins\n`);
  return 0;
}

async function update(terminal: Terminal, parsed: ParsedCommand): Promise<number> {
  const name = nameIn(parsed);
  const admin = choice(parsed, 'role', ...ROLES);
  const disabled = choice(parsed, 'state', ...STATES);
  if (admin === undefined && disabled === undefined) {
    throw new SignetError('usage', 'nothing to change', { next: 'Give --role or --state.' });
  }
  const change: UserChange = { ...(admin !== undefined && { admin }), ...(disabled !== undefined && { disabled }) };
  await inAccounts(parsed, ({ store }) => store.updateUser(name, change, Date.now()));
  terminal.print(`Updated ${name}\n`);
  return 0;
}

async function remove(terminal: Terminal, parsed: ParsedCommand): Promise<number> {
  const name = nameIn(parsed);
  return inAccounts(parsed, async ({ store, folder }) => {
    await knownUser(store, name);
    if (!parsed.has('yes') && !(await terminal.confirm(`Remove the user ${name}?`))) {
      terminal.print('Aborting action.\n');
      return 1;
    }
    await store.removeUser(name, Date.now());
    forgetFirstPassword(folder, name);
    terminal.print(`Removed ${name}; repositories below ${name}/ stay\n`);
    return 0;
  });
}

async function grant(terminal: Terminal, parsed: ParsedCommand): Promise<number> {
  const name = nameIn(parsed);
  const [, pattern = '', level = ''] = parsed.args;
  const granted = { pattern: parsePattern(pattern), level: parseLevel(level) };
  await inAccounts(parsed, ({ store }) => store.grant(name, granted, Date.now()));
  terminal.print(`Granted ${level} on ${pattern} to ${name}\n`);
  return 0;
}

async function revoke(terminal: Terminal, parsed: ParsedCommand): Promise<number> {
  const name = nameIn(parsed);
  const [, pattern = ''] = parsed.args;
  await inAccounts(parsed, ({ store }) => store.revoke(name, parsePattern(pattern), Date.now()));
  terminal.print(`Revoked the grant on ${pattern} from ${name}\n`);
  return 0;
}

async function list(terminal: Terminal, parsed: ParsedCommand): Promise<number> {
  const described = await inAccounts(parsed, async ({ store }) =>
    Promise.all((await store.users()).map((user) => describe(store, user))),
  );
  if (parsed.has('json')) {
    terminal.print(`${JSON.stringify(described, null, 4)}\n`);
    return 0;
  }
  const rows = described.map(({ name, role, state, grants, created }) => {
    const granted = grants.map(({ pattern, level }) => `${pattern}:${level}`).join(', ');
    return [name, role, state, created, granted];
  });
  terminal.print(dockerTable(['NAME', 'ROLE', 'STATE', 'CREATED', 'GRANTS'], rows));
  return 0;
}

async function log(terminal: Terminal, parsed: ParsedCommand): Promise<number> {
  const limit = limitIn(parsed);
  const events = await inAccounts(parsed, ({ events }) => events.latest(limit));
  const described = events.map(({ at, actor, action, user, detail }) => {
    return { time: formatTime(at), by: actor.name, address: actor.address, action, user, detail };
  });
  if (parsed.has('json')) {
    terminal.print(`${JSON.stringify(described, null, 4)}\n`);
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
  terminal.print(dockerTable(['TIME', 'BY', 'ADDRESS', 'CHANGE', 'USER', 'DETAIL'], rows));
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

function passwordSource(parsed: ParsedCommand): PasswordSource {
  const file = parsed.value('password-file');
  const isPiped = parsed.has('password-stdin');
  if (file !== undefined && isPiped) {
    throw new SignetError('usage', 'conflicting options: --password-file and --password-stdin', {
      exitCode: WRONG_FLAG,
    });
  }
  return file !== undefined ? { file } : isPiped ? 'stdin' : 'prompt';
}

function choice(parsed: ParsedCommand, option: string, yes: string, no: string): boolean | undefined {
  const value = parsed.value(option);
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
 * Works on the accounts of an existing server, so that a mistyped folder or the wrong machine does not look like a
 * server without users. Throws `accounts-missing`.
 */
async function inAccounts<T>(parsed: ParsedCommand, work: (accounts: OpenAccounts) => Promise<T>): Promise<T> {
  const path = chosenDataFolder(parsed.value('data'));
  const known = dataFolder(path);
  if (!isMade(known, known.database) && !isMade(known, known.databaseNote)) throw accountsMissing(path);
  const folder = openDataFolder(path);
  const [{ settingsOf }, { databaseOf, refuseOtherDatabase, sqlOptionsOf }, { openStorage }] = await Promise.all([
    import('../../../serve/data/settings-of.ts'),
    import('../../../serve/storage/database-of.ts'),
    import('../../../serve/storage/open-storage.ts'),
  ]);
  const settings = settingsOf(path);
  const url = databaseOf(settings, folder);
  refuseOtherDatabase(folder, url);
  const storage = await openStorage(url, sqlOptionsOf(settings));
  try {
    return await work({ folder, store: storage.accounts(currentActor()), events: storage.accountEvents });
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

function limitIn(parsed: ParsedCommand): number {
  const text = parsed.value('limit') ?? '';
  if (/^[1-9][0-9]{0,5}$/.test(text)) return Number(text);
  throw new SignetError('usage', `invalid value ${quoted(text)} for --limit`, {
    exitCode: WRONG_FLAG,
    next: 'Give a whole number above 0.',
  });
}

function nameIn(parsed: ParsedCommand): UserName {
  return parseUserName(parsed.args[0] ?? '');
}
