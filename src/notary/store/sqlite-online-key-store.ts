import type { Database } from 'bun:sqlite';
import { type Gun, parseGun } from '../../core/names/gun.ts';
import { type KeyId, parseKeyId } from '../../core/names/key-id.ts';
import type { Instant } from '../../core/time.ts';
import { type Migrations, write } from '../../store/sqlite.ts';
import type { OnlineKeyStore, OnlineKeyType, OnlineRole, SealedKey } from './online-key-store.ts';

/** The server's own keys. Times are milliseconds since 1970; `last_used` is set when a key signs for the first time. */
export const ONLINE_KEY_MIGRATIONS: Migrations = {
  part: 'trust-keys',
  steps: [
    `CREATE TABLE online_keys (
       key_id TEXT PRIMARY KEY,
       created_at INTEGER NOT NULL,
       last_used INTEGER,
       gun TEXT NOT NULL,
       role TEXT NOT NULL CHECK (role IN ('snapshot', 'timestamp')),
       algorithm TEXT NOT NULL CHECK (algorithm IN ('ecdsa', 'ed25519')),
       public BLOB NOT NULL,
       private BLOB NOT NULL
     ) STRICT;
     CREATE INDEX online_keys_pending ON online_keys (gun, role, algorithm) WHERE last_used IS NULL;`,
  ],
};

interface KeyRow {
  readonly key_id: string;
  readonly last_used: number | null;
  readonly gun: string;
  readonly role: OnlineRole;
  readonly algorithm: OnlineKeyType;
  readonly public: Uint8Array;
  readonly private: Uint8Array;
}

const KEY = 'SELECT key_id, last_used, gun, role, algorithm, public, private FROM online_keys';

/** The server's keys in SQLite, in a database opened with `ONLINE_KEY_MIGRATIONS`. Several processes may share it. */
export class SqliteOnlineKeyStore implements OnlineKeyStore {
  private readonly database: Database;

  constructor(database: Database) {
    this.database = database;
  }

  async find(id: KeyId): Promise<SealedKey | undefined> {
    return this.one(`${KEY} WHERE key_id = ?`, id);
  }

  async pending(gun: Gun, role: OnlineRole, type: OnlineKeyType): Promise<SealedKey | undefined> {
    return this.pendingNow(gun, role, type);
  }

  async add(key: SealedKey, at: Instant): Promise<SealedKey> {
    return write(this.database, (): SealedKey => {
      const pending = this.pendingNow(key.gun, key.role, key.type);
      if (pending !== undefined && !key.used) return pending;
      this.database
        .query(
          `INSERT INTO online_keys (key_id, created_at, last_used, gun, role, algorithm, public, private)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key_id) DO NOTHING`,
        )
        .run(key.id, at, key.used ? at : null, key.gun, key.role, key.type, key.publicBytes, key.sealed);
      return this.one(`${KEY} WHERE key_id = ?`, key.id) ?? key;
    });
  }

  async markUsed(id: KeyId, at: Instant): Promise<void> {
    const mark = this.database.query('UPDATE online_keys SET last_used = ? WHERE key_id = ? AND last_used IS NULL');
    await write(this.database, () => mark.run(at, id));
  }

  async sample(): Promise<SealedKey | undefined> {
    return this.one(`${KEY} WHERE length(private) > 0 LIMIT 1`);
  }

  async remove(id: KeyId): Promise<boolean> {
    const removal = this.database.query('DELETE FROM online_keys WHERE key_id = ?');
    return write(this.database, () => removal.run(id).changes > 0);
  }

  async resealAll(reseal: (key: SealedKey) => Buffer): Promise<number> {
    const update = this.database.query('UPDATE online_keys SET private = ? WHERE key_id = ?');
    return write(this.database, () => {
      const rows = this.database.query<KeyRow, []>(`${KEY} WHERE length(private) > 0`).all();
      for (const row of rows) update.run(reseal(keyOf(row)), row.key_id);
      return rows.length;
    });
  }

  private pendingNow(gun: Gun, role: OnlineRole, type: OnlineKeyType): SealedKey | undefined {
    return this.one(
      `${KEY} WHERE gun = ? AND role = ? AND algorithm = ? AND last_used IS NULL ORDER BY key_id LIMIT 1`,
      gun,
      role,
      type,
    );
  }

  private one(sql: string, ...values: string[]): SealedKey | undefined {
    const row = this.database.query<KeyRow, string[]>(sql).get(...values);
    return row === null ? undefined : keyOf(row);
  }
}

function keyOf(row: KeyRow): SealedKey {
  return {
    id: parseKeyId(row.key_id),
    gun: parseGun(row.gun),
    role: row.role,
    type: row.algorithm,
    publicBytes: Buffer.from(row.public),
    sealed: Buffer.from(row.private),
    used: row.last_used !== null,
  };
}
