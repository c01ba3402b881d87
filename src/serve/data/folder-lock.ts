import { Database, SQLiteError } from 'bun:sqlite';
import { closeSync, openSync, readFileSync, truncateSync } from 'node:fs';
import { SignetError } from '../../core/errors/index.ts';
import { LIMITS } from '../../core/limits.ts';
import { isErrno, readSmallFile, removeFile, writePrivateFile } from '../../store/files.ts';
import { type DataFolder, unusable } from './data-folder.ts';

/** Held by the one process that serves from a data folder. */
interface FolderLock {
  release(): void;
}

/** Keeps locks from being collected as garbage, which would release them. */
const held = new Set<Database>();
/** Where /proc/PID/stat has the time at which the process began, counted behind the name. */
const START_FIELD = 19;

/**
 * Takes the data folder for this process. The lock is one that SQLite holds on an empty file, in a transaction that stays
 * open and writes nothing: the system ends it with the process, it needs no room on the disk, and a file that a crash has
 * damaged is made empty again. Who holds it is said by a file of its own, which is believed only of a process that runs.
 * Throws `data-folder-locked` or `data-folder-unusable`.
 */
export function lockFolder(folder: DataFolder): FolderLock {
  const database = take(folder);
  held.add(database);
  sayWhoHolds(folder);
  return {
    release: () => {
      if (!held.delete(database)) return;
      forget(folder);
      database.close();
    },
  };
}

function take(folder: DataFolder): Database {
  try {
    makeFile(folder.lock);
    return begin(folder.lock);
  } catch (cause) {
    if (!isSqlite(cause, 'SQLITE_BUSY')) throw unusable(folder.path, cause);
    const holder = readHolder(folder);
    const who = holder === undefined ? 'another process' : `process ${holder}`;
    throw new SignetError('data-folder-locked', `${who} serves from ${folder.path}`, { cause });
  }
}

/** Opens no file that is there: closing it again would end the lock that this process holds on it. */
function makeFile(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
  }
}

function begin(path: string): Database {
  try {
    return beginOn(path);
  } catch (error) {
    if (!isSqlite(error, 'SQLITE_NOTADB', 'SQLITE_CORRUPT')) throw error;
    // No one holds a lock on what is no database. The file stays the same one, so that no one can hold another.
    truncateSync(path);
    return beginOn(path);
  }
}

function beginOn(path: string): Database {
  const database = new Database(path, { readwrite: true });
  try {
    // In a file, the journal of even an empty transaction needs room.
    database.run('PRAGMA journal_mode = MEMORY');
    database.run('BEGIN EXCLUSIVE');
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** For the error of the next one only: where it cannot be written, as on a full disk, that one is told less. */
function sayWhoHolds({ holder }: DataFolder): void {
  try {
    writePrivateFile(holder, Buffer.from(`${process.pid} ${startOf(process.pid) ?? ''}\n`));
  } catch {
    // The lock is what counts.
  }
}

function forget({ holder }: DataFolder): void {
  try {
    removeFile(holder);
  } catch {
    // It names a process that has ended, which no one believes.
  }
}

/** The process that holds the lock, undefined if that cannot be told. */
function readHolder({ holder }: DataFolder): number | undefined {
  try {
    const text = readSmallFile(holder, LIMITS.keyFile, false)?.toString('latin1') ?? '';
    const [, pid = '', start = ''] = /^([1-9][0-9]{0,9}) ([0-9]{1,20})\n$/.exec(text) ?? [];
    return pid !== '' && startOf(Number(pid)) === start ? Number(pid) : undefined;
  } catch {
    return undefined;
  }
}

/** When a process began, in ticks since the machine did; undefined if there is no such process, or no way to tell. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[START_FIELD];
  } catch {
    return undefined;
  }
}

function isSqlite(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof SQLiteError && error.code !== undefined && codes.includes(error.code);
}
