import { SignetError } from '../../core/errors/index.ts';
import type { Instant } from '../../core/time.ts';
import type { SqlDatabase } from '../../store/sql.ts';
import type { Statements } from '../../store/sql-connection.ts';
import { isUniqueSqlViolation } from '../../store/sql-error.ts';
import type { SqlMigrations } from '../../store/sql-migrations.ts';
import { orNothing } from '../../store/sql-rows.ts';
import { type Grant, type Pattern, parseLevel, parsePattern } from '../identity/grants.ts';
import { parseUserName, type UserName } from '../identity/user-name.ts';
import type { AccountAction, Actor } from './account-events.ts';
import {
  describeChange,
  flagColumn,
  hashOfNetwork,
  newStamp,
  type UserRow,
  unknownUser,
  userOf,
} from './account-rows.ts';
import { accountEventsTable, recordSqlEvent } from './sql-account-events.ts';
import {
  type AccountStore,
  MAX_NETWORKS,
  MAX_REFRESH_TOKENS,
  type NewUser,
  type RefreshToken,
  type User,
  type UserChange,
  userExists,
} from './store.ts';

/** The same tables as in SQLite, with hashes in hexadecimal digits. */
export const SQL_ACCOUNT_MIGRATIONS: SqlMigrations = {
  part: 'accounts',
  steps: [
    ({ createTable, id, integer, name }) => {
      const belongsToUser = 'FOREIGN KEY (user_name) REFERENCES signet_users (name) ON DELETE CASCADE';
      return [
        ...createTable('signet_users', [
          `name ${name(64)} NOT NULL PRIMARY KEY`,
          `password_hash ${name(512)} NOT NULL`,
          `admin ${integer} NOT NULL`,
          `disabled ${integer} NOT NULL`,
          `stamp ${name(64)} NOT NULL`,
          `created ${integer} NOT NULL`,
          `updated ${integer} NOT NULL`,
        ]),
        ...createTable('signet_grants', [
          `user_name ${name(64)} NOT NULL`,
          `pattern ${name(255)} NOT NULL`,
          `level ${name(16)} NOT NULL`,
          'PRIMARY KEY (user_name, pattern)',
          belongsToUser,
        ]),
        ...createTable(
          'signet_refresh_tokens',
          [
            `id ${id}`,
            `hash ${name(64)} NOT NULL UNIQUE`,
            `user_name ${name(64)} NOT NULL`,
            `expires ${integer} NOT NULL`,
            belongsToUser,
          ],
          { signet_refresh_tokens_user: 'user_name', signet_refresh_tokens_expires: 'expires' },
        ),
        ...createTable('signet_login_networks', [
          `user_name ${name(64)} NOT NULL`,
          `network ${name(64)} NOT NULL`,
          `used ${integer} NOT NULL`,
          'PRIMARY KEY (user_name, network)',
          belongsToUser,
        ]),
      ];
    },
    accountEventsTable,
  ],
};

/**
 * Accounts in a database server. Needs the migrations `SQL_ACCOUNT_MIGRATIONS`. Every change locks the user's row, and
 * is recorded as an event by `actor`.
 */
export class SqlAccountStore implements AccountStore {
  private readonly database: SqlDatabase;
  private readonly actor: Actor;

  constructor(database: SqlDatabase, actor: Actor) {
    this.database = database;
    this.actor = actor;
  }

  async addUser({ name, passwordHash: hash, admin }: NewUser, now: Instant): Promise<void> {
    try {
      await this.database.transaction(async (statements) => {
        await statements.run(
          `INSERT INTO signet_users (name, password_hash, admin, disabled, stamp, created, updated)
           VALUES ($name, $hash, $admin, 0, $stamp, $now, $now)`,
          { name, hash, admin: Number(admin), stamp: newStamp(), now },
        );
        await this.record(statements, 'user added', name, admin ? 'role admin' : 'role user', now);
      });
    } catch (cause) {
      if (!isUniqueSqlViolation(cause)) throw cause;
      throw userExists(name, cause);
    }
  }

  async user(name: UserName): Promise<User | undefined> {
    const row = await this.database.first<UserRow>('SELECT * FROM signet_users WHERE name = $name', { name });
    return row && userOf(row);
  }

  async users(): Promise<readonly User[]> {
    return (await this.database.all<UserRow>('SELECT * FROM signet_users ORDER BY name')).map(userOf);
  }

  updateUser(name: UserName, change: UserChange, now: Instant): Promise<void> {
    const { passwordHash, admin, disabled } = change;
    return this.database.transaction(async (statements) => {
      await touch(statements, name, now);
      await statements.run(
        `UPDATE signet_users SET password_hash = coalesce($hash, password_hash), admin = coalesce($admin, admin),
           disabled = coalesce($disabled, disabled) WHERE name = $name`,
        { name, hash: passwordHash ?? null, admin: flagColumn(admin), disabled: flagColumn(disabled) },
      );
      if (passwordHash !== undefined || disabled === true) {
        await statements.run('DELETE FROM signet_refresh_tokens WHERE user_name = $name', { name });
      }
      if (passwordHash !== undefined) {
        await statements.run('DELETE FROM signet_login_networks WHERE user_name = $name', { name });
      }
      await this.record(statements, 'user changed', name, describeChange(change), now);
    });
  }

  removeUser(name: UserName, now: Instant): Promise<void> {
    return this.database.transaction(async (statements) => {
      if ((await statements.run('DELETE FROM signet_users WHERE name = $name', { name })) === 0)
        throw unknownUser(name);
      await this.record(statements, 'user removed', name, '', now);
    });
  }

  async grants(name: UserName): Promise<readonly Grant[]> {
    const rows = await this.database.all<{ pattern: string; level: string }>(
      'SELECT pattern, level FROM signet_grants WHERE user_name = $name ORDER BY pattern',
      { name },
    );
    return rows.map(({ pattern, level }) => ({ pattern: parsePattern(pattern), level: parseLevel(level) }));
  }

  grant(name: UserName, { pattern, level }: Grant, now: Instant): Promise<void> {
    return this.database.transaction(async (statements) => {
      await touch(statements, name, now);
      const replace = 'UPDATE signet_grants SET level = $level WHERE user_name = $name AND pattern = $pattern';
      if ((await statements.run(replace, { name, pattern, level })) === 0) {
        const add = 'INSERT INTO signet_grants (user_name, pattern, level) VALUES ($name, $pattern, $level)';
        await statements.run(add, { name, pattern, level });
      }
      await this.record(statements, 'grant given', name, `${level} on ${pattern}`, now);
    });
  }

  revoke(name: UserName, pattern: Pattern, now: Instant): Promise<void> {
    return this.database.transaction(async (statements) => {
      await touch(statements, name, now);
      const sql = 'DELETE FROM signet_grants WHERE user_name = $name AND pattern = $pattern';
      if ((await statements.run(sql, { name, pattern })) === 0) {
        throw new SignetError('grant-unknown', `${name} has no grant on ${pattern}`);
      }
      await this.record(statements, 'grant taken', name, `on ${pattern}`, now);
    });
  }

  async addRefreshToken({ hash, user, expires }: RefreshToken, stamp: string, now: Instant): Promise<boolean> {
    await this.database.run('DELETE FROM signet_refresh_tokens WHERE expires <= $now', { now });
    return this.database.transaction(async (statements) => {
      const unchanged = await statements.first(
        'SELECT name FROM signet_users WHERE name = $user AND stamp = $stamp AND disabled = 0 FOR UPDATE',
        { user, stamp },
      );
      if (unchanged === undefined) return false;
      await statements.insert(
        'INSERT INTO signet_refresh_tokens (hash, user_name, expires) VALUES ($hash, $user, $expires)',
        { hash: hash.toString('hex'), user, expires },
      );
      const surplus = await statements.first<{ id: number }>(
        `SELECT id FROM signet_refresh_tokens WHERE user_name = $user ORDER BY id DESC LIMIT 1 OFFSET ${MAX_REFRESH_TOKENS}`,
        { user },
      );
      if (surplus !== undefined) {
        const sql = 'DELETE FROM signet_refresh_tokens WHERE user_name = $user AND id <= $id';
        await statements.run(sql, { user, id: surplus.id });
      }
      return true;
    });
  }

  async refreshToken(hash: Buffer): Promise<RefreshToken | undefined> {
    const row = await this.database.first<{ user_name: string; expires: number }>(
      'SELECT user_name, expires FROM signet_refresh_tokens WHERE hash = $hash',
      { hash: hash.toString('hex') },
    );
    return row && { hash, user: parseUserName(row.user_name), expires: row.expires };
  }

  async extendRefreshToken(hash: Buffer, expires: Instant): Promise<void> {
    const sql = 'UPDATE signet_refresh_tokens SET expires = $expires WHERE hash = $hash';
    await orNothing(this.database.run(sql, { hash: hash.toString('hex'), expires }));
  }

  async networkUsed(name: UserName, network: string): Promise<Instant | undefined> {
    const row = await this.database.first<{ used: number }>(
      'SELECT used FROM signet_login_networks WHERE user_name = $name AND network = $network',
      { name, network: hashOfNetwork(name, network).toString('hex') },
    );
    return row?.used;
  }

  async useNetwork(name: UserName, network: string, now: Instant): Promise<void> {
    const hash = hashOfNetwork(name, network).toString('hex');
    await orNothing(
      this.database.transaction(async (statements) => {
        const isThere = await statements.first('SELECT name FROM signet_users WHERE name = $name FOR UPDATE', { name });
        if (isThere === undefined) return;
        const note = 'UPDATE signet_login_networks SET used = $now WHERE user_name = $name AND network = $hash';
        if ((await statements.run(note, { name, hash, now })) === 0) {
          const add = 'INSERT INTO signet_login_networks (user_name, network, used) VALUES ($name, $hash, $now)';
          await statements.run(add, { name, hash, now });
        }
        await forgetOldNetworks(statements, name);
      }),
    );
  }

  private record(
    statements: Statements,
    action: AccountAction,
    user: UserName,
    detail: string,
    at: Instant,
  ): Promise<void> {
    return recordSqlEvent(statements, { at, actor: this.actor, action, user, detail });
  }
}

/** Invalidates the user's access tokens, and locks the user's row for the transaction. Throws `user-unknown`. */
async function touch(statements: Statements, name: UserName, now: Instant): Promise<void> {
  const sql = 'UPDATE signet_users SET stamp = $stamp, updated = $now WHERE name = $name';
  if ((await statements.run(sql, { name, stamp: newStamp(), now })) === 0) throw unknownUser(name);
}

async function forgetOldNetworks(statements: Statements, name: UserName): Promise<void> {
  const surplus = await statements.all<{ network: string }>(
    `SELECT network FROM signet_login_networks WHERE user_name = $name
     ORDER BY used DESC, network LIMIT 100 OFFSET ${MAX_NETWORKS}`,
    { name },
  );
  if (surplus.length === 0) return;
  await statements.run('DELETE FROM signet_login_networks WHERE user_name = $name AND network IN ($networks)', {
    name,
    networks: surplus.map(({ network }) => network),
  });
}
