import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { devNull } from 'node:os';
import { join } from 'node:path';
import { type JsonValue, parseJson } from '../core/json/parse.ts';
import { draftOf, removeDrafts } from './drafts.ts';
import { homeFolder } from './home.ts';

const MAX_FILE = 256 * 1024;
const MAX_NAME = 200;

/**
 * Caches what programs report about themselves, so that each is asked once. Ignores entries that are damaged, that
 * another user could have written, or that have another `stamp`. If the folder is not writable, everything works
 * without the cache.
 */
export class DiskCache {
  private readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** The value stored under `name` with the same `stamp`, if any. */
  read(name: string, stamp: string): JsonValue | undefined {
    try {
      const entry = parseJson(readOwnFile(this.pathOf(name)));
      const [storedName, storedStamp, value] = Array.isArray(entry) ? entry : [];
      return storedName === name && storedStamp === stamp ? value : undefined;
    } catch {
      return undefined;
    }
  }

  write(name: string, stamp: string, value: JsonValue): void {
    const path = this.pathOf(name);
    const draft = draftOf(path);
    try {
      mkdirSync(this.folder, { recursive: true, mode: 0o700 });
      const file = openSync(draft, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
      try {
        writeSync(file, JSON.stringify([name, stamp, value]));
      } finally {
        closeSync(file);
      }
      renameSync(draft, path);
    } catch {
      removeQuietly(draft);
    }
    removeDrafts(this.folder);
  }

  private pathOf(name: string): string {
    return join(this.folder, `${name.replace(/[^A-Za-z0-9.]+/g, '-').slice(-MAX_NAME)}.json`);
  }
}

/**
 * `$XDG_CACHE_HOME/signet`, or `~/.cache/signet`. For users without a home, a folder in docker's configuration folder
 * if the environment names one; otherwise undefined.
 */
export function cacheFolder(env: NodeJS.ProcessEnv): string {
  if (env.XDG_CACHE_HOME) return join(env.XDG_CACHE_HOME, 'signet');
  const home = homeFolder(env);
  return home === undefined ? join(env.DOCKER_CONFIG || devNull, 'signet-cache') : join(home, '.cache', 'signet');
}

function readOwnFile(path: string): Buffer {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const { uid, mode, size } = fstatSync(file);
    if (uid !== process.getuid?.() || (mode & 0o022) !== 0 || size > MAX_FILE) throw new Error(`${path} is not ours`);
    const bytes = Buffer.alloc(size);
    return bytes.subarray(0, readSync(file, bytes, 0, size, 0));
  } finally {
    closeSync(file);
  }
}

function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It does not exist.
  }
}
