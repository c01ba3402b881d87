import { type Gun, parseGun } from '../../core/names/gun.ts';
import { type KeyId, parseKeyId } from '../../core/names/key-id.ts';
import type { Instant } from '../../core/time.ts';
import type { SqlDatabase } from '../../store/sql.ts';
import type { SqlParameters, Statements } from '../../store/sql-connection.ts';
import type { SqlMigrations } from '../../store/sql-migrations.ts';
import { addOrFind } from '../../store/sql-rows.ts';
import type { OnlineKeyStore, OnlineKeyType, OnlineRole, SealedKey } from './online-key-store.ts';

/**
 * The server's own keys. Times are milliseconds since 1970. `last_used` is set when a key signs for the first time.
 * `pending` is 1 until then and null afterwards, so that a GUN has at most one unused key of a role and type.
 */
export const SQL_ONLINE_KEY_MIGRATIONS: SqlMigrations = {
  part: 'trust-keys',
  steps: [
    ({ createTable, integer, name, bytes }) =>
      createTable('signet_online_keys', [
        `key_id ${name(64)} NOT NULL PRIMARY KEY`,
        `created_at ${integer} NOT NULL`,
        `last_used ${integer}`,
        `gun ${name(255)} NOT NULL`,
        `role ${name(16)} NOT NULL`,
        `algorithm ${name(16)} NOT NULL`,
        `public_key ${bytes} NOT NULL`,
        `private_key ${bytes} NOT NULL`,
        `pending ${integer}`,
        'UNIQUE (gun, role, algorithm, pending)',
      ]),
  ],
};

interface KeyRow {
  readonly key_id: string;
  readonly last_used: number | null;
  readonly gun: string;
  readonly role: OnlineRole;
  readonly algorithm: OnlineKeyType;
  readonly public_key: Buffer;
  readonly private_key: Buffer;
}

const KEY = 'SELECT key_id, last_used, gun, role, algorithm, public_key, private_key FROM signet_online_keys';

/**
 * The server's keys in a database server, encrypted with the master key. Needs the migrations
 * `SQL_ONLINE_KEY_MIGRATIONS`.
 */
export class SqlOnlineKeyStore implements OnlineKeyStore {
  private readonly database: SqlDatabase;

  constructor(database: SqlDatabase) {
    this.database = database;
  }

  find(id: KeyId): Promise<SealedKey | undefined> {
    return one(this.database, `${KEY} WHERE key_id = $id`, { id });
  }

  pending(gun: Gun, role: OnlineRole, type: OnlineKeyType): Promise<SealedKey | undefined> {
    return pendingIn(this.database, { gun, role, type });
  }

  add(key: SealedKey, at: Instant): Promise<SealedKey> {
    return addOrFind(this.database, async (statements) => {
      const present = key.used
        ? await one(statements, `${KEY} WHERE key_id = $id`, { id: key.id })
        : await pendingIn(statements, key);
      if (present !== undefined) return present;
      await statements.run(
        `INSERT INTO signet_online_keys
           (key_id, created_at, last_used, gun, role, algorithm, public_key, private_key, pending)
         VALUES ($id, $at, $used, $gun, $role, $type, $publicBytes, $sealed, $pending)`,
        {
          id: key.id,
          at,
          used: key.used ? at : null,
          pending: key.used ? null : 1,
          gun: key.gun,
          role: key.role,
          type: key.type,
          publicBytes: key.publicBytes,
          sealed: key.sealed,
        },
      );
      return key;
    });
  }

  async markUsed(id: KeyId, at: Instant): Promise<void> {
    await this.database.run(
      'UPDATE signet_online_keys SET last_used = $at, pending = NULL WHERE key_id = $id AND last_used IS NULL',
      { id, at },
    );
  }

  sample(): Promise<SealedKey | undefined> {
    return one(this.database, `${KEY} WHERE length(private_key) > 0 LIMIT 1`, {});
  }

  async remove(id: KeyId): Promise<boolean> {
    return (await this.database.run('DELETE FROM signet_online_keys WHERE key_id = $id', { id })) > 0;
  }

  resealAll(reseal: (key: SealedKey) => Buffer): Promise<number> {
    return this.database.transaction(async (statements) => {
      const rows = await statements.all<KeyRow>(`${KEY} WHERE length(private_key) > 0`, {});
      for (const row of rows) {
        const sealed = reseal(keyOf(row));
        await statements.run('UPDATE signet_online_keys SET private_key = $sealed WHERE key_id = $id', {
          id: row.key_id,
          sealed,
        });
      }
      return rows.length;
    });
  }
}

function pendingIn(
  statements: Statements,
  { gun, role, type }: Pick<SealedKey, 'gun' | 'role' | 'type'>,
): Promise<SealedKey | undefined> {
  return one(
    statements,
    `${KEY} WHERE gun = $gun AND role = $role AND algorithm = $type AND last_used IS NULL ORDER BY key_id LIMIT 1`,
    { gun, role, type },
  );
}

async function one(statements: Statements, sql: string, parameters: SqlParameters): Promise<SealedKey | undefined> {
  const row = await statements.first<KeyRow>(sql, parameters);
  return row === undefined ? undefined : keyOf(row);
}

function keyOf(row: KeyRow): SealedKey {
  return {
    id: parseKeyId(row.key_id),
    gun: parseGun(row.gun),
    role: row.role,
    type: row.algorithm,
    publicBytes: row.public_key,
    sealed: row.private_key,
    used: row.last_used !== null,
  };
}
