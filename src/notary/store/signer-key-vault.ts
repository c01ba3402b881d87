import { SignetError } from '../../core/errors/index.ts';
import { privateKeyFromRaw } from '../../core/keys/private-key.ts';
import { type Gun, parseGun } from '../../core/names/gun.ts';
import { isKeyId, type KeyId } from '../../core/names/key-id.ts';
import { quoted } from '../../core/printable.ts';
import type { Instant } from '../../core/time.ts';
import type { SqlDatabase } from '../../store/sql.ts';
import type { Statements } from '../../store/sql-connection.ts';
import { decryptKey, encryptKey, isWrongPassphrase, KEY_ENCRYPTION, KEY_WRAPPING } from './key-encryption.ts';
import { NOTARY_DIALECTS, type NotaryDialect, timeText } from './notary-dialect.ts';
import type { OnlineKey, OnlineKeyType, OnlineRole } from './online-key-store.ts';
import type { OnlineKeyVault } from './online-key-vault.ts';
import { passphraseVariable, type SignerPassphrases } from './signer-passphrases.ts';

interface KeyRow {
  readonly key_id: string;
  readonly algorithm: string;
  readonly gun: string;
  readonly role: string;
  readonly public: Uint8Array;
  readonly is_used: number;
}

interface SecretRow {
  readonly passphrase_alias: string;
  readonly private: Uint8Array;
}

/** A key as listed in the table. */
export interface ListedKey {
  readonly id: string;
  readonly gun: string;
  readonly role: string;
  readonly alias: string;
  /** Undefined for a key that the server cannot use. */
  readonly key: OnlineKey | undefined;
}

/** Rows read at once. */
const PAGE = 500;
const KEY = `SELECT key_id, algorithm, gun, role, public, CASE WHEN last_used IS NULL THEN 0 ELSE 1 END AS is_used
             FROM private_keys WHERE deleted_at IS NULL`;
const TYPES: readonly string[] = ['ecdsa', 'ed25519'] satisfies OnlineKeyType[];
const ROLES: readonly string[] = ['snapshot', 'timestamp'] satisfies OnlineRole[];
/** Length in bytes of one half of an Ed25519 key, and of both, as some programs write them. */
const ED25519_HALF = 32;
const ED25519_SHORT = 2 * ED25519_HALF;
/** How long to wait for another process that creates a key for the same role, in seconds. */
const LOCK_SECONDS = 5;

/**
 * The keys of a notary-signer in its own table `private_keys` of PostgreSQL, MySQL or MariaDB (protocol B.14.3). Each
 * is encrypted with the passphrase of its alias, so that a notary-signer can use them again later, including those that
 * Signet adds.
 */
export class SignerKeyVault implements OnlineKeyVault {
  private readonly database: SqlDatabase;
  private readonly dialect: NotaryDialect;
  private readonly passphrases: SignerPassphrases;
  /** The key that `check` has opened. */
  private checked: KeyId | undefined;

  constructor(database: SqlDatabase, passphrases: SignerPassphrases) {
    this.database = database;
    this.dialect = NOTARY_DIALECTS[database.dialect];
    this.passphrases = passphrases;
  }

  async find(id: KeyId): Promise<OnlineKey | undefined> {
    return keyOf(await this.database.first<KeyRow>(`${KEY} AND key_id = $id`, { id }));
  }

  pending(gun: Gun, role: OnlineRole, type: OnlineKeyType): Promise<OnlineKey | undefined> {
    return this.pendingIn(this.database, gun, role, type);
  }

  async open({ id, type }: OnlineKey): Promise<Buffer> {
    const row = await this.database.first<SecretRow>(
      'SELECT passphrase_alias, private FROM private_keys WHERE deleted_at IS NULL AND key_id = $id',
      { id },
    );
    if (row === undefined) throw unreadable(id, 'it is no longer there');
    const secret = inNotarysForm(type, await this.decrypt(id, row));
    if (isPrivateHalf(type, secret, id)) return secret;
    secret.fill(0);
    throw unreadable(id, 'what is stored is not its private half');
  }

  async add(key: OnlineKey, secret: Uint8Array, at: Instant): Promise<OnlineKey> {
    const alias = await this.newKeysAlias();
    const passphrase = this.passphraseOf(alias);
    try {
      const encrypted = await encryptKey(secret, passphrase);
      return await this.oneAtATime(`signet-key ${key.gun} ${key.role} ${key.type}`, async (statements) => {
        const pending = await this.pendingIn(statements, key.gun, key.role, key.type);
        if (pending !== undefined) return pending;
        await this.insert(statements, key, alias, encrypted, at);
        return key;
      });
    } finally {
      passphrase.fill(0);
    }
  }

  async markUsed(id: KeyId, at: Instant): Promise<void> {
    // MySQL's two columns have different types: a `datetime` without a time zone, and a `timestamp`.
    const used = this.database.dialect === 'postgres' ? '$at::timestamp' : '$at';
    await this.database.run(
      `UPDATE private_keys SET last_used = ${used}, updated_at = ${this.dialect.writeTime('at')}
       WHERE key_id = $id AND last_used IS NULL`,
      { at: timeText(at), id },
    );
  }

  /** Marks the key as deleted, as notary-signer does. It is ignored from then on. */
  async remove(id: KeyId, at: Instant): Promise<boolean> {
    const time = this.dialect.writeTime('at');
    const removed = await this.database.run(
      `UPDATE private_keys SET deleted_at = ${time}, updated_at = ${time} WHERE key_id = $id AND deleted_at IS NULL`,
      { at: timeText(at), id },
    );
    return removed > 0;
  }

  /**
   * Opens the newest key under the alias for new keys, once. Older keys are not tried: their passphrases may no longer
   * be available, and opening is slow on purpose.
   */
  async check(): Promise<void> {
    const alias = await this.newKeysAlias();
    this.passphraseOf(alias).fill(0);
    const sql = `${KEY} AND passphrase_alias = $alias ORDER BY id DESC LIMIT 1`;
    const key = keyOf(await this.database.first<KeyRow>(sql, { alias }));
    if (key === undefined || key.id === this.checked) return;
    (await this.open(key)).fill(0);
    this.checked = key.id;
  }

  /** Every key that is not deleted, oldest first, including those that the server cannot use. */
  async *all(): AsyncGenerator<ListedKey> {
    let after = 0;
    for (;;) {
      const rows = await this.database.all<KeyRow & { readonly id: number; readonly passphrase_alias: string }>(
        `${KEY.replace('SELECT ', 'SELECT id, passphrase_alias, ')} AND id > $after ORDER BY id LIMIT ${PAGE}`,
        { after },
      );
      for (const row of rows) {
        yield { id: row.key_id, gun: row.gun, role: row.role, alias: row.passphrase_alias, key: keyOf(row) };
        after = row.id;
      }
      if (rows.length < PAGE) return;
    }
  }

  /** The aliases without a passphrase, and how many keys each has. */
  async lockedAliases(): Promise<readonly { readonly alias: string; readonly keys: number }[]> {
    const { exact } = this.dialect;
    const aliases = await this.database.all<{ alias: string; keys_found: number }>(
      `SELECT min(passphrase_alias) AS alias, count(*) AS keys_found FROM private_keys WHERE deleted_at IS NULL
       GROUP BY ${exact('passphrase_alias')}`,
    );
    return aliases
      .filter(({ alias }) => {
        const passphrase = this.passphrases.of(alias);
        passphrase?.fill(0);
        return passphrase === undefined;
      })
      .map(({ alias, keys_found: keys }) => ({ alias, keys }));
  }

  /** The type of the newest key, to be used for new ones. `ecdsa` if there is none. */
  async newKeysType(): Promise<OnlineKeyType> {
    const row = await this.database.first<KeyRow>(`${KEY} ORDER BY id DESC LIMIT 1`);
    return row?.algorithm === 'ed25519' ? 'ed25519' : 'ecdsa';
  }

  /**
   * The alias configured for new keys, or else that of the newest key. Throws `online-key-unreadable` if there is none.
   */
  async newKeysAlias(): Promise<string> {
    if (this.passphrases.defaultAlias !== undefined) return this.passphrases.defaultAlias;
    const row = await this.database.first<{ alias: string }>(
      'SELECT passphrase_alias AS alias FROM private_keys WHERE deleted_at IS NULL ORDER BY id DESC LIMIT 1',
    );
    if (row !== undefined) return row.alias;
    throw new SignetError('online-key-unreadable', 'there is no alias of a passphrase for new keys', {
      next: 'Name one as notary-signer does: NOTARY_SIGNER_DEFAULT_ALIAS=ALIAS, and its passphrase NOTARY_SIGNER_ALIAS=PASSPHRASE',
    });
  }

  /**
   * Encrypts every key under another alias with the passphrase of the alias for new keys. Each key is changed on its
   * own: an interrupted rotation keeps what is done, and a signer that has both passphrases may be running. Calls
   * `onRow` after each key with the error that kept it from being opened, if any. Returns how many were changed. Throws
   * `online-key-unreadable` if no alias is configured for new keys, or its passphrase is not given.
   */
  async rotatePassphrases(onRow: (id: string, failure: unknown) => void, now: () => Instant): Promise<number> {
    const alias = this.passphrases.defaultAlias;
    if (alias === undefined) {
      throw new SignetError('online-key-unreadable', 'no alias is set whose passphrase all keys are to have', {
        next: 'Choose a new one: NOTARY_SIGNER_DEFAULT_ALIAS=ALIAS, and its passphrase NOTARY_SIGNER_ALIAS=PASSPHRASE, beside those of the aliases before.',
      });
    }
    const passphrase = this.passphraseOf(alias);
    let changed = 0;
    try {
      for await (const listed of this.all()) {
        if (listed.alias === alias) continue;
        const failure = await this.rotatePassphrase(listed, alias, passphrase, now()).catch((error: unknown) => error);
        if (failure === undefined) changed++;
        onRow(listed.id, failure);
      }
    } finally {
      passphrase.fill(0);
    }
    return changed;
  }

  private async rotatePassphrase(
    { id, alias: former }: ListedKey,
    alias: string,
    passphrase: Buffer,
    at: Instant,
  ): Promise<void> {
    const row = await this.database.first<SecretRow>(
      'SELECT passphrase_alias, private FROM private_keys WHERE deleted_at IS NULL AND key_id = $id',
      { id },
    );
    if (row === undefined || row.passphrase_alias !== former) return;
    const secret = await this.decrypt(id, row);
    try {
      const encrypted = await encryptKey(secret, passphrase);
      const { same, writeTime } = this.dialect;
      await this.database.run(
        `UPDATE private_keys SET private = $encrypted, passphrase_alias = $alias, updated_at = ${writeTime('at')}
         WHERE deleted_at IS NULL AND key_id = $id AND ${same('passphrase_alias', 'former')}`,
        { encrypted, alias, at: timeText(at), id, former },
      );
    } finally {
      secret.fill(0);
    }
  }

  private async decrypt(id: string, { passphrase_alias: alias, private: encrypted }: SecretRow): Promise<Buffer> {
    const passphrase = this.passphraseOf(alias);
    try {
      return await decryptKey(encrypted, passphrase);
    } catch (cause) {
      if (!isWrongPassphrase(cause)) throw unreadable(id, 'it is not encrypted as notary-signer does it', { cause });
      throw unreadable(id, `the passphrase given for the alias ${quoted(alias, 60)} is wrong`, {
        cause,
        next: `Give the right one: ${passphraseVariable(alias)}=PASSPHRASE`,
      });
    } finally {
      passphrase.fill(0);
    }
  }

  private passphraseOf(alias: string): Buffer {
    const passphrase = this.passphrases.of(alias);
    if (passphrase !== undefined) return passphrase;
    throw new SignetError('online-key-unreadable', `the passphrase of the alias ${quoted(alias, 60)} is not given`, {
      next: `Give it as notary-signer takes it: ${passphraseVariable(alias)}=PASSPHRASE, in the environment or in the file of --signer-passphrases`,
    });
  }

  private async pendingIn(
    statements: Statements,
    gun: Gun,
    role: OnlineRole,
    type: OnlineKeyType,
  ): Promise<OnlineKey | undefined> {
    const { same } = this.dialect;
    const sql = `${KEY} AND ${same('gun', 'gun')} AND role = $role AND algorithm = $type AND last_used IS NULL
                 ORDER BY key_id LIMIT 1`;
    return keyOf(await statements.first<KeyRow>(sql, { gun, role, type }));
  }

  private async insert(
    statements: Statements,
    { id, type, publicBytes, gun, role }: OnlineKey,
    alias: string,
    encrypted: Buffer,
    at: Instant,
  ): Promise<void> {
    const time = this.dialect.writeTime('at');
    await statements.run(
      `INSERT INTO private_keys (created_at, updated_at, key_id, encryption_alg, keywrap_alg, algorithm, passphrase_alias,
         public, private, gun, role)
       VALUES (${time}, ${time}, $id, $encryption, $wrapping, $type, $alias, $publicBytes, $encrypted, $gun, $role)`,
      {
        ...{ at: timeText(at), id, encryption: KEY_ENCRYPTION, wrapping: KEY_WRAPPING, type, alias },
        ...{ publicBytes, encrypted, gun, role },
      },
    );
  }

  /** Runs `work` under a lock of this name, because no unique key in the table prevents two keys for one role. */
  private oneAtATime<T>(name: string, work: (statements: Statements) => Promise<T>): Promise<T> {
    if (this.database.dialect === 'postgres') {
      return this.database.transaction(async (statements) => {
        await statements.all('SELECT pg_advisory_xact_lock(hashtext($name))', { name });
        return work(statements);
      });
    }
    return this.database.reserved(async (statements) => {
      const lock = await statements.first<{ held: number | null }>(
        `SELECT get_lock(concat('signet-', sha1($name)), ${LOCK_SECONDS}) AS held`,
        { name },
      );
      if (lock?.held !== 1) throw new SignetError('database-busy', 'the database is busy, try again soon');
      try {
        return await work(statements);
      } finally {
        await statements.run("DO release_lock(concat('signet-', sha1($name)))", { name });
      }
    });
  }
}

/** Undefined for a key that the server cannot use: for another role, of another type, or without a repository. */
function keyOf(row: KeyRow | undefined): OnlineKey | undefined {
  if (row === undefined || !isKeyId(row.key_id) || !TYPES.includes(row.algorithm) || !ROLES.includes(row.role)) {
    return undefined;
  }
  const gun = gunOf(row.gun);
  if (gun === undefined) return undefined;
  return {
    id: row.key_id,
    gun,
    role: row.role as OnlineRole,
    type: row.algorithm as OnlineKeyType,
    publicBytes: Buffer.from(row.public),
    used: row.is_used === 1,
  };
}

/** Undefined if it is not a GUN: the oldest keys have none. */
function gunOf(text: string): Gun | undefined {
  try {
    return parseGun(text);
  } catch {
    return undefined;
  }
}

/** Wipes what it does not return. */
function inNotarysForm(type: OnlineKeyType, secret: Buffer): Buffer {
  if (type !== 'ed25519' || secret.length !== ED25519_SHORT) return secret;
  const long = Buffer.concat([secret.subarray(ED25519_HALF), secret]);
  secret.fill(0);
  return long;
}

function isPrivateHalf(type: OnlineKeyType, secret: Buffer, id: KeyId): boolean {
  try {
    const key = privateKeyFromRaw(type, secret);
    key.wipe();
    return key.id === id;
  } catch {
    return false;
  }
}

function unreadable(id: string, why: string, options: { cause?: unknown; next?: string } = {}): SignetError {
  return new SignetError('online-key-unreadable', `cannot open the key ${id}: ${why}`, options);
}
