import { dirname, resolve } from 'node:path';
import { SignetError } from '../../core/errors/index.ts';
import {
  type DatabaseServer,
  type DatabaseUrl,
  formatDatabaseUrl,
  parseDatabaseUrl,
} from '../../store/database-url.ts';
import { readSmallFile, removeFile, writePrivateFile } from '../../store/files.ts';
import { SQL_DEFAULTS, type SqlOptions } from '../../store/sql.ts';
import type { DataFolder } from '../data/data-folder.ts';
import type { Settings } from '../settings/settings.ts';

type DatabaseSettings = Pick<Settings, 'database' | 'databaseFile' | 'databasePool' | 'databaseTimeout'>;
/** The settings that locate a notary-signer's keys. */
export type SignerDatabaseSettings = Pick<
  Settings,
  'signerDatabase' | 'signerDatabaseFile' | 'databasePool' | 'databaseTimeout'
>;

/** In bytes. */
const MAX_URL = 4096;

/**
 * The database given in the settings, by default the file in the data folder. Throws `settings-unreadable` for a file
 * without a URL, and `database-url-invalid`.
 */
export function databaseOf({ database, databaseFile }: DatabaseSettings, folder: DataFolder): DatabaseUrl {
  if (database !== undefined) return database;
  return databaseFile === undefined ? { kind: 'sqlite', path: folder.database } : readDatabaseUrl(databaseFile);
}

/**
 * The notary-signer database given in the settings, undefined if there is none. Throws what `databaseOf` throws, and
 * `setting-invalid` for a database that a notary-signer cannot use.
 */
export function signerDatabaseOf({
  signerDatabase,
  signerDatabaseFile,
}: Pick<SignerDatabaseSettings, 'signerDatabase' | 'signerDatabaseFile'>): DatabaseServer | undefined {
  const url = signerDatabaseFile === undefined ? signerDatabase : readDatabaseUrl(signerDatabaseFile);
  if (url?.kind !== 'sqlite') return url;
  throw new SignetError('setting-invalid', 'setting signerDatabase must be postgres://… or mysql://…', {
    next: 'Name the database of the notary-signer whose keys are to go on, or leave the setting out.',
  });
}

/** The connection options given in the settings. */
export function sqlOptionsOf({
  databasePool,
  databaseTimeout,
}: Pick<DatabaseSettings, 'databasePool' | 'databaseTimeout'>): SqlOptions {
  return { ...SQL_DEFAULTS, poolSize: databasePool, statementTimeout: databaseTimeout };
}

/** Records in the data folder where its database is, without a password, unless it is the folder's own file. */
export function noteDatabase(folder: DataFolder, url: DatabaseUrl): void {
  const isUsual = url.kind === 'sqlite' && url.path === folder.database;
  if (isUsual) removeFile(folder.databaseNote);
  else writePrivateFile(folder.databaseNote, Buffer.from(`${formatDatabaseUrl(url)}\n`));
}

/**
 * Refuses to work on another database than the folder's server used last: the server got its database from a flag or
 * variable that this command was not given. Throws `settings-conflict`.
 */
export function refuseOtherDatabase(folder: DataFolder, url: DatabaseUrl): void {
  const noted = readSmallFile(folder.databaseNote, MAX_URL, true)?.toString('utf8').trim();
  const found = formatDatabaseUrl(url);
  if (noted === undefined ? url.kind === 'sqlite' && url.path === folder.database : noted === found) return;
  throw new SignetError(
    'settings-conflict',
    `the server of ${folder.path} keeps its accounts in ${noted ?? `sqlite:${folder.database}`}, but the settings here name ${found}`,
    {
      next: `Set SIGNET_DATABASE or SIGNET_DATABASE_FILE as the server has it, or "databaseFile" in ${folder.settings}.`,
    },
  );
}

/** Reads a URL from a file. Throws `settings-unreadable` or `database-url-invalid`. */
export function readDatabaseUrl(file: string): DatabaseUrl {
  const text = readSmallFile(file, MAX_URL, true);
  if (text === undefined) {
    throw new SignetError('settings-unreadable', `there is no file ${file} with the URL of a database`, {
      next: 'Write the URL of the database into it, readable for the user of the server alone.',
    });
  }
  const url = parseDatabaseUrl(text.toString('utf8').trim());
  text.fill(0);
  return url.kind === 'sqlite' ? { ...url, path: resolve(dirname(file), url.path) } : url;
}
