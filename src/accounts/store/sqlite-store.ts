import type { Database } from 'bun:sqlite';
import { SignetError } from '../../core/errors/index.ts';
import type { Instant } from '../../core/time.ts';
import { isUniqueViolation, type Migrations, note, write } from '../../store/sqlite.ts';
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
import { ACCOUNT_EVENTS_SCHEMA, recordEvent } from './sqlite-account-events.ts';
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

export const ACCOUNT_MIGRATIONS: Migrations = {
  part: 'accounts',
  steps: [
    `CREATE TABLE users (
       name TEXT PRIMARY KEY,
       password_hash TEXT NOT NULL,
       admin INTEGER NOT NULL,
       disabled INTEGER NOT NULL,
       stamp TEXT NOT NULL,
       created INTEGER NOT NULL,
       updated INTEGER NOT NULL
     ) STRICT, WITHOUT ROWID;
     CREATE TABLE grants (
       user TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
       pattern TEXT NOT NULL,
       level TEXT NOT NULL,
       PRIMARY KEY (user, pattern)
     ) STRICT, WITHOUT ROWID;
     CREATE TABLE refresh_tokens (
       id INTEGER PRIMARY KEY,
       hash BLOB NOT NULL UNIQUE,
       user TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
       expires INTEGER NOT NULL
     ) STRICT;
     CREATE INDEX refresh_tokens_user ON refresh_tokens (user);
     CREATE INDEX refresh_tokens_expires ON refresh_tokens (expires);`,
    `CREATE TABLE login_networks (
       user TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
       network BLOB NOT NULL,
       used INTEGER NOT NULL,
       PRIMARY KEY (user, network)
     ) STRICT, WITHOUT ROWID;
     ${ACCOUNT_EVENTS_SCHEMA}`,
  ],
};

/**
 * Accounts in a database that `openDatabase` has opened with `ACCOUNT_MIGRATIONS`. Every change is recorded as an event,
 * as one that `actor` made.
 */
export class SqliteAccountStore implements AccountStore {
  private readonly database: Database;
  private readonly actor: Actor;

  constructor(database: Database, actor: Actor) {
    this.database = database;
    this.actor = actor;
  }

  async addUser(user: NewUser, now: Instant): Promise<void> {
    const { name, passwordHash: hash, admin } = user;
    try {
      await this.transaction(() => {
        this.database
          .query('INSERT INTO users VALUES ($name, $hash, $admin, 0, $stamp, $now, $now)')
          .run({ name, hash, admin: Number(admin), stamp: newStamp(), now });
        this.record('user added', name, admin ? 'role admin' : 'role user', now);
      });
    } catch (cause) {
      if (!isUniqueViolation(cause)) throw cause;
      throw userExists(user.name, cause);
    }
  }

  async user(name: UserName): Promise<User | undefined> {
    const row = this.database.query<UserRow, [string]>('SELECT * FROM users WHERE name = ?').get(name);
    return row === null ? undefined : userOf(row);
  }

  async users(): Promise<readonly User[]> {
    return this.database.query<UserRow, []>('SELECT * FROM users ORDER BY name').all().map(userOf);
  }

  async updateUser(name: UserName, change: UserChange, now: Instant): Promise<void> {
    const { passwordHash, admin, disabled } = change;
    await this.transaction(() => {
      this.touch(name, now);
      this.database
        .query(
          `UPDATE users SET password_hash = coalesce($hash, password_hash), admin = coalesce($admin, admin),
             disabled = coalesce($disabled, disabled) WHERE name = $name`,
        )
        .run({ name, hash: passwordHash ?? null, admin: flagColumn(admin), disabled: flagColumn(disabled) });
      if (passwordHash !== undefined || disabled === true) {
        this.database.query('DELETE FROM refresh_tokens WHERE user = ?').run(name);
      }
      if (passwordHash !== undefined) this.database.query('DELETE FROM login_networks WHERE user = ?').run(name);
      this.record('user changed', name, describeChange(change), now);
    });
  }

  async removeUser(name: UserName, now: Instant): Promise<void> {
    await this.transaction(() => {
      const { changes } = this.database.query('DELETE FROM users WHERE name = ?').run(name);
      if (changes === 0) throw unknownUser(name);
      this.record('user removed', name, '', now);
    });
  }

  async grants(name: UserName): Promise<readonly Grant[]> {
    return this.database
      .query<{ pattern: string; level: string }, [string]>(
        'SELECT pattern, level FROM grants WHERE user = ? ORDER BY pattern',
      )
      .all(name)
      .map(({ pattern, level }) => ({ pattern: parsePattern(pattern), level: parseLevel(level) }));
  }

  async grant(name: UserName, grant: Grant, now: Instant): Promise<void> {
    await this.transaction(() => {
      this.touch(name, now);
      this.database.query('INSERT OR REPLACE INTO grants VALUES (?, ?, ?)').run(name, grant.pattern, grant.level);
      this.record('grant given', name, `${grant.level} on ${grant.pattern}`, now);
    });
  }

  async revoke(name: UserName, pattern: Pattern, now: Instant): Promise<void> {
    await this.transaction(() => {
      this.touch(name, now);
      const { changes } = this.database.query('DELETE FROM grants WHERE user = ? AND pattern = ?').run(name, pattern);
      if (changes === 0) throw new SignetError('grant-unknown', `${name} has no grant on ${pattern}`);
      this.record('grant taken', name, `on ${pattern}`, now);
    });
  }

  async addRefreshToken(token: RefreshToken, stamp: string, now: Instant): Promise<boolean> {
    const { hash, user, expires } = token;
    return this.transaction(() => {
      this.database.query('DELETE FROM refresh_tokens WHERE expires <= ?').run(now);
      const { changes } = this.database
        .query(
          `INSERT INTO refresh_tokens (hash, user, expires)
             SELECT $hash, name, $expires FROM users WHERE name = $user AND stamp = $stamp AND NOT disabled`,
        )
        .run({ hash, user, expires, stamp });
      this.database
        .query(
          `DELETE FROM refresh_tokens WHERE user = $user AND id NOT IN
             (SELECT id FROM refresh_tokens WHERE user = $user ORDER BY id DESC LIMIT $kept)`,
        )
        .run({ user, kept: MAX_REFRESH_TOKENS });
      return changes === 1;
    });
  }

  async refreshToken(hash: Buffer): Promise<RefreshToken | undefined> {
    const row = this.database
      .query<{ user: string; expires: number }, [Buffer]>('SELECT user, expires FROM refresh_tokens WHERE hash = ?')
      .get(hash);
    return row === null ? undefined : { hash, user: parseUserName(row.user), expires: row.expires };
  }

  async extendRefreshToken(hash: Buffer, expires: Instant): Promise<void> {
    const extend = this.database.query('UPDATE refresh_tokens SET expires = ? WHERE hash = ?');
    note(this.database, () => extend.run(expires, hash));
  }

  async networkUsed(name: UserName, network: string): Promise<Instant | undefined> {
    const row = this.database
      .query<{ used: number }, [string, Buffer]>('SELECT used FROM login_networks WHERE user = ? AND network = ?')
      .get(name, hashOfNetwork(name, network));
    return row?.used;
  }

  async useNetwork(name: UserName, network: string, now: Instant): Promise<void> {
    note(this.database, () => {
      this.database
        .query(
          `INSERT OR REPLACE INTO login_networks (user, network, used)
             SELECT name, $network, $now FROM users WHERE name = $user`,
        )
        .run({ user: name, network: hashOfNetwork(name, network), now });
      this.database
        .query(
          `DELETE FROM login_networks WHERE user = $user AND network NOT IN
             (SELECT network FROM login_networks WHERE user = $user ORDER BY used DESC, network LIMIT $kept)`,
        )
        .run({ user: name, kept: MAX_NETWORKS });
    });
  }

  private record(action: AccountAction, user: UserName, detail: string, at: Instant): void {
    recordEvent(this.database, { at, actor: this.actor, action, user, detail });
  }

  private touch(name: UserName, now: Instant): void {
    const { changes } = this.database
      .query('UPDATE users SET stamp = ?, updated = ? WHERE name = ?')
      .run(newStamp(), now, name);
    if (changes === 0) throw unknownUser(name);
  }

  private transaction<T>(work: () => T): Promise<T> {
    return write(this.database, work);
  }
}
