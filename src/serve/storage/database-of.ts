import { dirname, resolve } from 'node:path';
import { isSignetError, SignetError } from '../../core/errors/index.ts';
import { shellWord } from '../../core/shell-word.ts';
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
 * Refuses to serve from another database than the server that used the folder last, as when the setting that named it was
 * forgotten: what it has would seem to be gone, and what is published would be missing there. A folder without a note is
 * free to begin with any. Throws `settings-conflict`.
 */
export function refuseForgottenDatabase(folder: DataFolder, url: DatabaseUrl): void {
  const noted = readNote(folder);
  const found = formatDatabaseUrl(url);
  if (noted === undefined || placeIn(noted) === placeIn(found)) return;
  const flag = url.kind === 'sqlite' ? `--database ${shellWord(found)}` : '--database-file FILE';
  throw new SignetError(
    'settings-conflict',
    `the server of ${folder.path} keeps its data in ${noted}, but the settings here name ${found}`,
    {
      next: `Name that database again: --database-file FILE, SIGNET_DATABASE_FILE, or "databaseFile" in the settings file. If the folder is to go on with the other one from now on, say so by a flag, once: signet serve --data ${shellWord(folder.path)} ${flag}`,
    },
  );
}

/**
 * Refuses to work on another database than the folder's server used last: the server got its database from a flag or
 * variable that this command was not given. Throws `settings-conflict`.
 */
export function refuseOtherDatabase(folder: DataFolder, url: DatabaseUrl): void {
  const noted = readNote(folder) ?? `sqlite:${folder.database}`;
  const found = formatDatabaseUrl(url);
  if (placeIn(noted) === placeIn(found)) return;
  throw new SignetError(
    'settings-conflict',
    `the server of ${folder.path} keeps its accounts in ${noted}, but the settings here name ${found}`,
    {
      next: `Set SIGNET_DATABASE or SIGNET_DATABASE_FILE as the server has it, or "databaseFile" in ${folder.settings}.`,
    },
  );
}

/** What is larger than any URL is no file of one, and may well be the database itself. */
function readUrlFile(file: string): Buffer | undefined {
  try {
    return readSmallFile(file, MAX_URL, true);
  } catch (cause) {
    if (!isSignetError(cause, 'too-large')) throw cause;
    throw new SignetError('settings-unreadable', `${file} does not hold the URL of a database: it is too large`, {
      cause,
      next: `If it is a database itself, name it as sqlite:${file}`,
    });
  }
}

function readNote({ databaseNote }: DataFolder): string | undefined {
  return readSmallFile(databaseNote, MAX_URL, true)?.toString('utf8').trim() || undefined;
}

/** A database is the same one for every user of it. */
function placeIn(url: string): string {
  return url.replace(/^([a-z]+:\/\/)[^@/]*@/, '$1');
}

/** Reads a URL from a file. Throws `settings-unreadable` or `database-url-invalid`. */
export function readDatabaseUrl(file: string): DatabaseUrl {
  const text = readUrlFile(file);
  if (text === undefined) {
    throw new SignetError('settings-unreadable', `there is no file ${file} with the URL of a database`, {
      next: `Write the URL of the database into it, readable for the user of the server alone. A database in a file of this machine is named as sqlite:${file}`,
    });
  }
  const url = parseDatabaseUrl(text.toString('utf8').trim());
  text.fill(0);
  return url.kind === 'sqlite' ? { ...url, path: resolve(dirname(file), url.path) } : url;
}
