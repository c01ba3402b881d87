import { isSignetError, SignetError } from '../../core/errors/index.ts';
import { printable } from '../../core/printable.ts';
import type { Dialect } from '../../store/database-url.ts';
import type { SqlDatabase } from '../../store/sql.ts';
import type { Statements } from '../../store/sql-connection.ts';
import { migrateSql, type SqlMigrations } from '../../store/sql-migrations.ts';

/** The Notary program that the tables belong to. */
export type NotaryProgram = 'server' | 'signer';

/** What golang-migrate has recorded about migrations (protocol B.12). */
export interface Bookkeeping {
  /** `rows` is the form of versions before 3: one row for each migration. */
  readonly form: 'dirty' | 'rows';
  /** The last migration, 0 for none. */
  readonly version: number;
  /** Whether the last migration failed halfway. */
  readonly dirty: boolean;
}

/** The tables of a database, as far as they show which program they belong to. */
export interface FoundTables {
  /** Columns by tables. */
  readonly columns: ReadonlyMap<string, ReadonlySet<string>>;
  readonly bookkeeping: Bookkeeping | undefined;
}

/** Who created `tuf_files` and `changefeed`. Signet deletes old rows only from tables of its own. */
export type TablesOwner = 'notary' | 'signet';

const COLUMNS: Readonly<Record<NotaryProgram, Readonly<Record<string, readonly string[]>>>> = {
  server: {
    tuf_files: ['id', 'created_at', 'updated_at', 'deleted_at', 'gun', 'role', 'version', 'data', 'sha256'],
    change_category: ['category'],
    changefeed: ['id', 'created_at', 'gun', 'version', 'sha256', 'category'],
  },
  signer: {
    private_keys: [
      'id',
      'created_at',
      'updated_at',
      'deleted_at',
      'key_id',
      'encryption_alg',
      'keywrap_alg',
      'algorithm',
      'passphrase_alias',
      'public',
      'private',
      'gun',
      'role',
      'last_used',
    ],
  },
};
/** The table that every installation of the program has. */
const MAIN_TABLE: Readonly<Record<NotaryProgram, string>> = { server: 'tuf_files', signer: 'private_keys' };
const LAST_MIGRATION: Readonly<Record<NotaryProgram, Readonly<Record<Dialect, number>>>> = {
  server: { postgres: 2, mysql: 5 },
  signer: { postgres: 1, mysql: 2 },
};
/** A statement of each kind that the program's tables are used with, and the right that it takes beside reading. */
const NEEDED: Readonly<Record<NotaryProgram, readonly (readonly [right: string, sql: string])[]>> = {
  server: [
    ['UPDATE on tuf_files', 'SELECT id FROM tuf_files WHERE id = 0 FOR UPDATE'],
    ['INSERT on tuf_files', "INSERT INTO tuf_files (gun, role, version, data) VALUES ('', '', 0, '')"],
    ['DELETE on tuf_files', 'DELETE FROM tuf_files WHERE id = 0'],
    ['INSERT on changefeed', "INSERT INTO changefeed (gun, version, category) VALUES ('', 0, 'update')"],
  ],
  signer: [
    [
      'INSERT on private_keys',
      "INSERT INTO private_keys (key_id, encryption_alg, keywrap_alg, algorithm, passphrase_alias, public, private, gun, role) VALUES ('', '', '', '', '', '', '', '', '')",
    ],
    ['UPDATE on private_keys', 'UPDATE private_keys SET last_used = NULL WHERE id = 0'],
  ],
};
const PART = 'notary-tables';
const OWN_PREFIX = 'signet_';

/**
 * The server's tables exactly as Notary's own migrations create them (protocol B.12), so that a Notary can use them.
 * `tuf_files` is created last: as long as it is missing, the tables are not taken for complete.
 */
const NOTARY_TABLES: SqlMigrations = {
  part: PART,
  steps: [({ dialect }) => (dialect === 'postgres' ? POSTGRES_TABLES : MYSQL_TABLES)],
};

/** The signer's table as its own migrations make it (protocol B.14.3). */
const SIGNER_TABLES: SqlMigrations = {
  part: 'notary-signer-tables',
  steps: [({ dialect }) => (dialect === 'postgres' ? POSTGRES_SIGNER_TABLES : MYSQL_SIGNER_TABLES)],
};

const POSTGRES_TABLES: readonly string[] = [
  'CREATE TABLE IF NOT EXISTS change_category (category varchar(20) PRIMARY KEY)',
  "INSERT INTO change_category VALUES ('update'), ('deletion') ON CONFLICT DO NOTHING",
  `CREATE TABLE IF NOT EXISTS changefeed (
     id serial PRIMARY KEY,
     created_at timestamp DEFAULT CURRENT_TIMESTAMP,
     gun varchar(255) NOT NULL,
     version integer NOT NULL,
     sha256 char(64) DEFAULT NULL,
     category varchar(20) NOT NULL DEFAULT 'update' REFERENCES change_category
   )`,
  'CREATE INDEX IF NOT EXISTS idx_changefeed_gun ON changefeed (gun)',
  ...noted('boolean', 2),
  `CREATE TABLE IF NOT EXISTS tuf_files (
     id serial PRIMARY KEY,
     created_at timestamp NULL DEFAULT NULL,
     updated_at timestamp NULL DEFAULT NULL,
     deleted_at timestamp NULL DEFAULT NULL,
     gun varchar(255) NOT NULL,
     role varchar(255) NOT NULL,
     version integer NOT NULL,
     data bytea NOT NULL,
     sha256 char(64) DEFAULT NULL,
     UNIQUE (gun, role, version)
   )`,
  'CREATE INDEX IF NOT EXISTS tuf_files_sha256_idx ON tuf_files (sha256)',
];

const MYSQL_TABLES: readonly string[] = [
  'CREATE TABLE IF NOT EXISTS change_category (category varchar(20) NOT NULL, PRIMARY KEY (category)) ENGINE=InnoDB DEFAULT CHARSET=utf8',
  "INSERT IGNORE INTO change_category VALUES ('update'), ('deletion')",
  `CREATE TABLE IF NOT EXISTS changefeed (
     id int(11) NOT NULL AUTO_INCREMENT,
     created_at timestamp DEFAULT CURRENT_TIMESTAMP,
     gun varchar(255) NOT NULL,
     version int(11) NOT NULL,
     sha256 char(64) DEFAULT NULL,
     category varchar(20) NOT NULL DEFAULT 'update',
     PRIMARY KEY (id),
     FOREIGN KEY (category) REFERENCES change_category (category),
     INDEX idx_changefeed_gun (gun)
   ) ENGINE=InnoDB DEFAULT CHARSET=utf8`,
  ...noted('tinyint(1)', 5),
  `CREATE TABLE IF NOT EXISTS tuf_files (
     id int(11) NOT NULL AUTO_INCREMENT,
     created_at timestamp NULL DEFAULT NULL,
     updated_at timestamp NULL DEFAULT NULL,
     deleted_at timestamp NULL DEFAULT NULL,
     gun varchar(255) NOT NULL,
     role varchar(255) NOT NULL,
     version int(11) NOT NULL,
     data longblob NOT NULL,
     sha256 char(64) DEFAULT NULL,
     PRIMARY KEY (id),
     UNIQUE KEY gun (gun, role, version),
     KEY sha256 (sha256)
   ) ENGINE=InnoDB DEFAULT CHARSET=utf8`,
];

const POSTGRES_SIGNER_TABLES: readonly string[] = [
  ...noted('boolean', 1),
  `CREATE TABLE IF NOT EXISTS private_keys (
     id serial PRIMARY KEY,
     created_at timestamp NULL DEFAULT NULL,
     updated_at timestamp NULL DEFAULT NULL,
     deleted_at timestamp NULL DEFAULT NULL,
     key_id varchar(255) NOT NULL,
     encryption_alg varchar(255) NOT NULL,
     keywrap_alg varchar(255) NOT NULL,
     algorithm varchar(50) NOT NULL,
     passphrase_alias varchar(50) NOT NULL,
     public bytea NOT NULL,
     private bytea NOT NULL,
     gun varchar(255) NOT NULL,
     role varchar(255) NOT NULL,
     last_used timestamp NULL DEFAULT NULL,
     CONSTRAINT key_id UNIQUE (key_id),
     CONSTRAINT key_id_2 UNIQUE (key_id, algorithm)
   )`,
];

const MYSQL_SIGNER_TABLES: readonly string[] = [
  ...noted('tinyint(1)', 2),
  `CREATE TABLE IF NOT EXISTS private_keys (
     id int(11) NOT NULL AUTO_INCREMENT,
     created_at timestamp NULL DEFAULT NULL,
     updated_at timestamp NULL DEFAULT NULL,
     deleted_at timestamp NULL DEFAULT NULL,
     key_id varchar(255) NOT NULL,
     encryption_alg varchar(255) NOT NULL,
     keywrap_alg varchar(255) NOT NULL,
     algorithm varchar(50) NOT NULL,
     passphrase_alias varchar(50) NOT NULL,
     public blob NOT NULL,
     private blob NOT NULL,
     gun varchar(255) NOT NULL,
     role varchar(255) NOT NULL,
     last_used datetime NULL DEFAULT NULL,
     PRIMARY KEY (id),
     UNIQUE KEY key_id (key_id),
     UNIQUE KEY key_id_2 (key_id, algorithm)
   ) ENGINE=InnoDB DEFAULT CHARSET=utf8`,
];

/** What golang-migrate reads to see that there is nothing to do. In a database of both programs it already exists. */
function noted(boolean: string, version: number): readonly string[] {
  return [
    `CREATE TABLE IF NOT EXISTS schema_migrations (version bigint NOT NULL PRIMARY KEY, dirty ${boolean} NOT NULL)`,
    `INSERT INTO schema_migrations (version, dirty)
     SELECT ${version}, false FROM (SELECT 1 AS one) AS single WHERE NOT EXISTS (SELECT 1 FROM schema_migrations)`,
  ];
}

/**
 * Checks that a database has the tables of notary-server, and creates them in an empty one. Tables of other programs
 * are never changed: a database of another program, of notary-signer, of a Notary before 0.6, or with a failed
 * migration is refused with `database-not-notary` or `database-half-migrated` before anything is changed. `beforeChanges` may
 * refuse more.
 */
export async function openNotaryTables(
  database: SqlDatabase,
  beforeChanges: () => Promise<void> = async () => {},
): Promise<TablesOwner> {
  const found = await findTables(database);
  if (hasNotary(found, 'server')) {
    refuseUnfit(found, 'server');
    await checkRights(database, 'server');
    await beforeChanges();
    return (await isOwn(database, found)) ? 'signet' : 'notary';
  }
  refuseForeign(found);
  await beforeChanges();
  await migrateSql(database, NOTARY_TABLES);
  refuseUnfit(await findTables(database), 'server');
  return 'signet';
}

/**
 * Checks that a database has the table of notary-signer. Creates it in an empty database, or beside those of notary-server.
 * Throws as `openNotaryTables` does.
 */
export async function openSignerTable(database: SqlDatabase): Promise<void> {
  const found = await findTables(database);
  if (!hasNotary(found, 'signer')) {
    if (!hasNotary(found, 'server')) refuseForeign(found);
    await migrateSql(database, SIGNER_TABLES);
  }
  refuseUnfit(await findTables(database), 'signer');
  await checkRights(database, 'signer');
}

/** Checks that the database's user has the rights that Signet needs on the tables. Throws `database-rights-missing`. */
export async function checkRights(database: Statements, program: NotaryProgram): Promise<void> {
  // EXPLAIN checks the rights without running the statement.
  for (const [, sql] of NEEDED[program]) await database.all(`EXPLAIN ${sql}`);
}

/** Whether the user of the database may read the tables. Throws `database-rights-missing`. */
export async function checkReading(database: Statements, program: NotaryProgram): Promise<void> {
  for (const table of Object.keys(COLUMNS[program])) await database.all(`EXPLAIN SELECT * FROM ${table}`);
}

/** The rights of `checkRights` that the user of the database does not have. */
export async function deniedRights(database: Statements, program: NotaryProgram): Promise<readonly string[]> {
  const denied: string[] = [];
  for (const [right, sql] of NEEDED[program]) {
    try {
      await database.all(`EXPLAIN ${sql}`);
    } catch (error) {
      if (!isSignetError(error, 'database-rights-missing')) throw error;
      denied.push(right);
    }
  }
  return denied;
}

/** Lists the tables in the schema of the connection. Changes nothing. */
export async function findTables(database: Statements): Promise<FoundTables> {
  const schema = database.dialect === 'postgres' ? 'current_schema()' : 'database()';
  const rows = await database.all<{ of_table: string; name: string }>(
    `SELECT t.table_name AS of_table, c.column_name AS name FROM information_schema.tables t
     JOIN information_schema.columns c ON c.table_schema = t.table_schema AND c.table_name = t.table_name
     WHERE t.table_schema = ${schema} AND t.table_type = 'BASE TABLE'`,
  );
  const columns = new Map<string, Set<string>>();
  for (const { of_table, name } of rows) {
    const known = columns.get(of_table) ?? new Set();
    columns.set(of_table, known.add(name.toLowerCase()));
  }
  return { columns, bookkeeping: await readBookkeeping(database, columns.get('schema_migrations')) };
}

/** Whether the main table of a Notary program exists. */
export function hasNotary({ columns }: FoundTables, program: NotaryProgram): boolean {
  return columns.has(MAIN_TABLE[program]);
}

/** Whether Signet has been at work on the database. */
export function hasOwnTables({ columns }: Pick<FoundTables, 'columns'>): boolean {
  return columns.has('signet_migrations');
}

/** Whether Signet itself created the tables in an empty database. */
export async function isOwn(database: Statements, { columns }: FoundTables): Promise<boolean> {
  if (!hasOwnTables({ columns })) return false;
  const made = await database.first('SELECT 1 AS made FROM signet_migrations WHERE part = $part', { part: PART });
  return made !== undefined;
}

/** Throws `database-half-migrated` or `database-not-notary` for tables that neither Notary nor Signet can work on. */
export function refuseUnfit({ columns, bookkeeping }: FoundTables, program: NotaryProgram): void {
  if (bookkeeping?.dirty === true) {
    throw new SignetError(
      'database-half-migrated',
      `migration ${bookkeeping.version} of the database broke off: schema_migrations has it as dirty`,
    );
  }
  for (const [table, wanted] of Object.entries(COLUMNS[program])) {
    const present = columns.get(table);
    const missing = wanted.filter((column) => present?.has(column) !== true);
    if (missing.length === 0) continue;
    const what = present === undefined ? `no table ${table}` : `no column ${missing[0]} in ${table}`;
    throw new SignetError('database-half-migrated', `the database has ${MAIN_TABLE[program]}, but ${what}`, {
      next: `Bring it to the schema of Notary 0.6 or 0.7 with Notary's own migrations (notary-${program}: up to ${upTo(program)}), then try again.`,
    });
  }
}

/**
 * Refuses a database that is neither empty nor used only by Signet: Notary's tables in any other one would be a
 * mistake.
 */
export function refuseForeign(found: FoundTables): void {
  if (hasNotary(found, 'signer')) {
    throw new SignetError(
      'database-not-notary',
      'the database is that of notary-signer: it has the table private_keys, but not tuf_files of notary-server',
      { next: "Give the server's database as --database, and this one as --signer-database." },
    );
  }
  const names = [...found.columns.keys()];
  // Signet creates its own tables first, so they may be there alone after an interrupted start.
  if (names.length === 0 || names.some((name) => name.startsWith(OWN_PREFIX))) return;
  const some = names.slice(0, 3).map((name) => printable(name, 64));
  throw new SignetError('database-not-notary', `the database has tables of another program: ${some.join(', ')}`);
}

async function readBookkeeping(
  database: Statements,
  columns: ReadonlySet<string> | undefined,
): Promise<Bookkeeping | undefined> {
  if (columns?.has('version') !== true) return undefined;
  const hasDirty = columns.has('dirty');
  const rows = await database.all<{ version: number | string; dirty?: boolean | number }>(
    `SELECT version${hasDirty ? ', dirty' : ''} FROM schema_migrations`,
  );
  const versions = rows.map(({ version }) => Number(version)).filter(Number.isSafeInteger);
  return {
    form: hasDirty ? 'dirty' : 'rows',
    version: Math.max(0, ...versions),
    dirty: rows.some(({ dirty }) => Boolean(dirty)),
  };
}

function upTo(program: NotaryProgram): string {
  const { postgres, mysql } = LAST_MIGRATION[program];
  return `${postgres} on PostgreSQL, ${mysql} on MySQL and MariaDB`;
}
