/** Names of the two kinds of database that both Notary and Signet support. */
type Dialect = 'postgres' | 'mysql';

/**
 * How a database records which of Notary's migrations were run. `dirty`: golang-migrate since version 3, one row with a
 * flag for failed migrations. `rows`: before version 3, one row per migration. `none`: created by hand.
 */
export type Bookkeeping = 'dirty' | 'rows' | 'none';

/** The tables created by the migrations of notary-server 0.6 and 0.7, in order (protocol B.12). */
const SERVER: Readonly<Record<Dialect, readonly (readonly string[])[]>> = {
  postgres: [
    [
      `CREATE TABLE tuf_files (
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
      'CREATE INDEX tuf_files_sha256_idx ON tuf_files (sha256)',
    ],
    [
      'CREATE TABLE change_category (category varchar(20) PRIMARY KEY)',
      "INSERT INTO change_category VALUES ('update'), ('deletion')",
      `CREATE TABLE changefeed (
         id serial PRIMARY KEY,
         created_at timestamp DEFAULT CURRENT_TIMESTAMP,
         gun varchar(255) NOT NULL,
         version integer NOT NULL,
         sha256 char(64) DEFAULT NULL,
         category varchar(20) NOT NULL DEFAULT 'update' REFERENCES change_category
       )`,
      'CREATE INDEX idx_changefeed_gun ON changefeed (gun)',
    ],
  ],
  mysql: [
    [
      `CREATE TABLE timestamp_keys (
         id int(11) NOT NULL AUTO_INCREMENT,
         created_at timestamp NULL DEFAULT NULL,
         updated_at timestamp NULL DEFAULT NULL,
         deleted_at timestamp NULL DEFAULT NULL,
         gun varchar(255) NOT NULL,
         cipher varchar(50) NOT NULL,
         public blob NOT NULL,
         PRIMARY KEY (id),
         UNIQUE KEY gun (gun)
       ) ENGINE=InnoDB DEFAULT CHARSET=utf8`,
      `CREATE TABLE tuf_files (
         id int(11) NOT NULL AUTO_INCREMENT,
         created_at timestamp NULL DEFAULT NULL,
         updated_at timestamp NULL DEFAULT NULL,
         deleted_at timestamp NULL DEFAULT NULL,
         gun varchar(255) NOT NULL,
         role varchar(255) NOT NULL,
         version int(11) NOT NULL,
         data longblob NOT NULL,
         PRIMARY KEY (id),
         UNIQUE KEY gun (gun, role, version)
       ) ENGINE=InnoDB DEFAULT CHARSET=utf8`,
    ],
    [
      'ALTER TABLE timestamp_keys ADD COLUMN role varchar(255) NOT NULL, DROP KEY gun, ADD UNIQUE KEY gun_role (gun, role)',
    ],
    ['ALTER TABLE tuf_files ADD COLUMN sha256 char(64) DEFAULT NULL, ADD INDEX sha256 (sha256)'],
    ['DROP TABLE timestamp_keys'],
    [
      `CREATE TABLE change_category (
         category varchar(20) NOT NULL,
         PRIMARY KEY (category)
       ) ENGINE=InnoDB DEFAULT CHARSET=utf8`,
      "INSERT INTO change_category VALUES ('update'), ('deletion')",
      `CREATE TABLE changefeed (
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
    ],
  ],
};

/** The tables created by the migrations of notary-signer (protocol B.14.3). */
const SIGNER: Readonly<Record<Dialect, readonly (readonly string[])[]>> = {
  postgres: [
    [
      `CREATE TABLE private_keys (
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
    ],
  ],
  mysql: [
    [
      `CREATE TABLE private_keys (
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
         PRIMARY KEY (id),
         UNIQUE KEY key_id (key_id),
         UNIQUE KEY key_id_2 (key_id, algorithm)
       ) ENGINE=InnoDB DEFAULT CHARSET=utf8`,
    ],
    [
      `ALTER TABLE private_keys ADD COLUMN gun varchar(255) NOT NULL, ADD COLUMN role varchar(255) NOT NULL,
         ADD COLUMN last_used datetime NULL DEFAULT NULL`,
    ],
  ],
};

/** The statements that create notary-server's schema in an empty database. `upTo` leaves out later migrations. */
export function notaryServerSchema(dialect: Dialect, bookkeeping: Bookkeeping = 'dirty', upTo?: number): string[] {
  return schema(SERVER[dialect], bookkeeping, upTo);
}

/** The statements that create notary-signer's schema in an empty database. `upTo` leaves out later migrations. */
export function notarySignerSchema(dialect: Dialect, bookkeeping: Bookkeeping = 'dirty', upTo?: number): string[] {
  return schema(SIGNER[dialect], bookkeeping, upTo);
}

function schema(migrations: readonly (readonly string[])[], bookkeeping: Bookkeeping, upTo?: number): string[] {
  const run = migrations.slice(0, upTo);
  return [...run.flat(), ...recordOf(run.length, bookkeeping)];
}

function recordOf(version: number, bookkeeping: Bookkeeping): string[] {
  switch (bookkeeping) {
    case 'dirty':
      return [
        'CREATE TABLE schema_migrations (version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL)',
        `INSERT INTO schema_migrations VALUES (${version}, false)`,
      ];
    case 'rows':
      return [
        'CREATE TABLE schema_migrations (version bigint NOT NULL PRIMARY KEY)',
        ...Array.from({ length: version }, (_, index) => `INSERT INTO schema_migrations VALUES (${index + 1})`),
      ];
    case 'none':
      return [];
  }
}
