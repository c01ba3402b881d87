import type { Database } from 'bun:sqlite';
import { type Level, parsePattern } from '../../src/accounts/identity/grants.ts';
import { hashPassword } from '../../src/accounts/identity/password.ts';
import { parseUserName } from '../../src/accounts/identity/user-name.ts';
import { type Accounts, type AccountsSettings, createAccounts } from '../../src/accounts/index.ts';
import { Logins } from '../../src/accounts/login/logins.ts';
import type { Actor } from '../../src/accounts/store/account-events.ts';
import { ACCOUNT_MIGRATIONS, SqliteAccountStore } from '../../src/accounts/store/sqlite-store.ts';
import type { AccountStore, User } from '../../src/accounts/store/store.ts';
import { generateTokenKey, parseTokenKey } from '../../src/accounts/tokens/token-key.ts';
import { type ErrorCode, isSignetError, type SignetError } from '../../src/core/errors/index.ts';
import { IN_MEMORY, openDatabase } from '../../src/store/sqlite.ts';

/** The password of every user of a `World`. */
export const PASSWORD = 'correct horse';
export const PASSWORD_HASH = await hashPassword(Buffer.from(PASSWORD));
export const NOON = Date.parse('2026-11-23T12:00:00Z');

/** Who changes accounts in tests. */
export const OPERATOR: Actor = { name: 'operator', address: 'local' };

/** Accounts in memory, with clocks that stand still until they are moved. */
export interface World {
  readonly database: Database;
  readonly store: AccountStore;
  readonly settings: AccountsSettings;
  readonly accounts: Accounts;
  /** What logins reported: level, message and fields. */
  readonly logged: string[];
  /** How long attempts were held, in milliseconds. */
  readonly held: number[];
  /** What the clock on the wall says, in milliseconds. */
  now: number;
  /** What the clock that is never set says, in milliseconds. */
  elapsed: number;
  /** The address that requests come from. */
  address: string;
}

export function world(settings: Partial<AccountsSettings> = {}): World {
  const database = emptyDatabase();
  const store = settings.store ?? new SqliteAccountStore(database, OPERATOR);
  const logged: string[] = [];
  const held: number[] = [];
  const report = (level: string) => (message: string, fields: object) =>
    void logged.push(`${level} ${message} ${JSON.stringify(fields)}`);
  const complete: AccountsSettings = {
    store,
    service: 'signet',
    issuer: 'signet-test',
    key: parseTokenKey(generateTokenKey()),
    tokenLifetime: 300,
    ownHosts: ['localhost:5000', 'signet.example.com'],
    publicPull: ['library/*'],
    log: { info: report('info'), warn: report('warning') },
    now: () => made.now,
    elapsed: () => made.elapsed,
    sleep: async (milliseconds) => void held.push(milliseconds),
    ...settings,
  };
  const accounts = createAccounts(complete);
  const made: World = {
    database,
    store,
    settings: complete,
    accounts,
    logged,
    held,
    now: NOON,
    elapsed: 0,
    address: '192.0.2.1',
  };
  return made;
}

export function emptyDatabase(): Database {
  return openDatabase(IN_MEMORY, ACCOUNT_MIGRATIONS);
}

/** The logins of a world, for tests that ask nothing else. */
export function loginsOf({ store, settings }: World): Logins {
  const { log, now, elapsed = () => 0, sleep = async () => {} } = settings;
  return new Logins({ store, log, now, elapsed, sleep });
}

export async function addUser(
  store: AccountStore,
  name: string,
  options: { readonly admin?: boolean; readonly grants?: Readonly<Record<string, Level>> } = {},
): Promise<User> {
  const parsed = parseUserName(name);
  await store.addUser({ name: parsed, passwordHash: PASSWORD_HASH, admin: options.admin ?? false }, NOON);
  for (const [pattern, level] of Object.entries(options.grants ?? {})) {
    await store.grant(parsed, { pattern: parsePattern(pattern), level }, NOON);
  }
  return userIn(store, name);
}

export async function userIn(store: AccountStore, name: string): Promise<User> {
  const user = await store.user(parseUserName(name));
  if (user === undefined) throw new Error(`no user ${name}`);
  return user;
}

/** The SignetError that `work` ends with. */
export async function failure(work: Promise<unknown> | (() => unknown)): Promise<SignetError> {
  try {
    await (typeof work === 'function' ? work() : work);
  } catch (error) {
    if (isSignetError(error)) return error;
    throw error;
  }
  throw new Error('nothing failed');
}

export async function codeOf(work: Promise<unknown> | (() => unknown)): Promise<ErrorCode> {
  return (await failure(work)).code;
}

export function basic(name: string, password: string = PASSWORD): string {
  return `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
}
