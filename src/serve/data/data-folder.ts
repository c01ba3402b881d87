import { chmodSync, lstatSync, mkdirSync, type Stats, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { SignetError } from '../../core/errors/index.ts';
import { quoted } from '../../core/printable.ts';
import type { Environment } from '../../core/variables.ts';
import { isErrno } from '../../store/files.ts';
import { isPath } from '../settings/setting-types.ts';

/** The files of a server. All are made with mode 0600, all folders with 0700. */
export interface DataFolder {
  readonly path: string;
  readonly settings: string;
  readonly database: string;
  /** Where the database is, if it is not in the folder. */
  readonly databaseNote: string;
  readonly lock: string;
  /** Who holds the lock. */
  readonly holder: string;
  readonly masterKey: string;
  readonly tokenKey: string;
  /** The administrator's first password, until it is changed. */
  readonly firstPassword: string;
  readonly blobs: string;
  readonly tls: string;
  readonly authorityCertificate: string;
  readonly authorityKey: string;
  readonly serverCertificate: string;
  readonly serverKey: string;
}

/**
 * The data folder that a flag `--data` names, from the current folder, or the usual one without it. Throws
 * `setting-invalid` for a name that no one means: empty, or nothing but blanks.
 */
export function chosenDataFolder(flag: string | undefined, environment: Environment = process.env): string {
  return flag === undefined ? defaultDataFolder(environment) : folderNamed(flag, '--data');
}

/**
 * Where a server keeps its data if nothing else is said: `$SIGNET_DATA`, else /var/lib/signet for root, else
 * `$XDG_DATA_HOME/signet`, else ~/.local/share/signet. Throws `setting-invalid` for a variable of nothing but blanks.
 */
export function defaultDataFolder(environment: Environment = process.env, isRoot = process.getuid?.() === 0): string {
  const chosen = environment.SIGNET_DATA ?? '';
  if (chosen !== '') return folderNamed(chosen, 'SIGNET_DATA');
  if (isRoot) return '/var/lib/signet';
  const shared = environment.XDG_DATA_HOME ?? '';
  return shared.startsWith('/') ? join(shared, 'signet') : join(homedir(), '.local', 'share', 'signet');
}

/** The paths below a data folder, whether or not anything exists. */
export function dataFolder(path: string): DataFolder {
  const tls = join(path, 'tls');
  return {
    path,
    settings: join(path, 'signet.json'),
    database: join(path, 'signet.db'),
    databaseNote: join(path, 'database'),
    lock: join(path, 'serve.lock'),
    holder: join(path, 'serve.pid'),
    masterKey: join(path, 'master.key'),
    tokenKey: join(path, 'token.key'),
    firstPassword: join(path, 'admin-password'),
    blobs: join(path, 'registry'),
    tls,
    authorityCertificate: join(tls, 'ca.crt'),
    authorityKey: join(tls, 'ca.key'),
    serverCertificate: join(tls, 'server.crt'),
    serverKey: join(tls, 'server.key'),
  };
}

/**
 * Creates the data folder if it does not exist, and closes it and the secrets in it to other users.
 *
 * A folder that another user owns is used if this process may write to it through its group and no one outside the
 * group may: a volume that an orchestrator hands over (root:GID, 2775). Its mode stays; the secrets in it are shut all the
 * same. Throws `data-folder-unusable`.
 */
export function openDataFolder(path: string): DataFolder {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const stat = statSync(path);
    if (stat.uid === (process.getuid?.() ?? stat.uid)) chmodSync(path, 0o700);
    else checkShared(stat);
    const folder = dataFolder(path);
    shutSecrets(folder);
    return folder;
  } catch (cause) {
    throw unusable(path, cause);
  }
}

/**
 * Whether a server has made this file of its data folder. Throws `data-folder-unusable` if that cannot be seen: a folder
 * that this user may not enter is no missing one.
 */
export function isMade(folder: DataFolder, file: string): boolean {
  try {
    statSync(file);
    return true;
  } catch (cause) {
    if (isErrno(cause, 'ENOENT', 'ENOTDIR')) return false;
    throw unusable(folder.path, cause);
  }
}

/** The error of a data folder that cannot be used. */
export function unusable(path: string, cause: unknown): SignetError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new SignetError('data-folder-unusable', `cannot use the data folder ${path}: ${why}`, { cause });
}

function folderNamed(text: string, source: string): string {
  if (isPath(text)) return resolve(text);
  throw new SignetError('setting-invalid', `the data folder (${source}) must be a folder, got ${quoted(text)}`, {
    next: 'Name a folder: --data FOLDER',
  });
}

function checkShared({ uid, gid, mode }: Stats): void {
  const owner = `it belongs to user ${uid}, this process runs as user ${process.getuid?.()}`;
  if ((mode & 0o002) !== 0) throw new Error(`${owner}, and everybody may write to it (chmod o-w)`);
  const groups = [process.getegid?.(), ...(process.getgroups?.() ?? [])];
  if (!groups.includes(gid)) throw new Error(owner);
  if ((mode & 0o070) !== 0o070) throw new Error(`${owner}, and its group ${gid} may not write to it (chmod g+rwx)`);
}

/** An orchestrator opens every file of a volume to its group, each time that it mounts it. */
function shutSecrets(folder: DataFolder): void {
  const { database, masterKey, tokenKey, firstPassword, authorityKey, serverKey } = folder;
  const journals = [`${database}-wal`, `${database}-shm`];
  for (const path of [database, ...journals, masterKey, tokenKey, firstPassword, authorityKey, serverKey]) {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    const isOurs = stat?.isFile() === true && stat.uid === (process.getuid?.() ?? stat.uid);
    if (isOurs && (stat.mode & 0o077) !== 0) chmodSync(path, 0o600);
  }
}
