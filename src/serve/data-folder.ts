import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { SignetError } from '../core/errors/index.ts';
import type { Environment } from './read-settings.ts';

/** The files of a server. All are made with mode 0600, all folders with 0700. */
export interface DataFolder {
  readonly path: string;
  readonly settings: string;
  readonly database: string;
  readonly lock: string;
  readonly masterKey: string;
  readonly tokenKey: string;
  readonly blobs: string;
  readonly tls: string;
  readonly authorityCertificate: string;
  readonly authorityKey: string;
  readonly serverCertificate: string;
  readonly serverKey: string;
}

/**
 * Where a server keeps its data if nothing else is said: `$SIGNET_DATA`, else /var/lib/signet for root, else
 * `$XDG_DATA_HOME/signet`, else ~/.local/share/signet.
 */
export function defaultDataFolder(environment: Environment = process.env, isRoot = process.getuid?.() === 0): string {
  const chosen = environment.SIGNET_DATA ?? '';
  if (chosen !== '') return resolve(chosen);
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
    lock: join(path, 'serve.lock'),
    masterKey: join(path, 'master.key'),
    tokenKey: join(path, 'token.key'),
    blobs: join(path, 'registry'),
    tls,
    authorityCertificate: join(tls, 'ca.crt'),
    authorityKey: join(tls, 'ca.key'),
    serverCertificate: join(tls, 'server.crt'),
    serverKey: join(tls, 'server.key'),
  };
}

/** Makes the data folder where it does not exist, and shuts everybody else out of it. Throws `data-folder-unusable`. */
export function openDataFolder(path: string): DataFolder {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const owner = statSync(path).uid;
    const user = process.getuid?.() ?? owner;
    if (owner !== user) throw new Error(`it belongs to user ${owner}, this process runs as user ${user}`);
    chmodSync(path, 0o700);
    return dataFolder(path);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SignetError('data-folder-unusable', `cannot use the data folder ${path}: ${why}`, { cause });
  }
}
