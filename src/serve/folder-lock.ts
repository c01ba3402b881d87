import { Database } from 'bun:sqlite';
import { chmodSync } from 'node:fs';
import { SignetError } from '../core/errors/index.ts';
import type { DataFolder } from './data-folder.ts';

/** Held by the one process that serves from a data folder. */
export interface FolderLock {
  release(): void;
}

/** Keeps locks from being collected as garbage, which would release them. */
const held = new Set<Database>();

/**
 * Takes the data folder for this process. The lock is a transaction that stays open, so that the system ends it with
 * the process: a number in a file would outlive a crash, and containers give every process the same number.
 * Throws `data-folder-locked`.
 */
export function lockFolder(folder: DataFolder): FolderLock {
  const database = new Database(folder.lock, { create: true });
  try {
    chmodSync(folder.lock, 0o600);
    database.run('BEGIN IMMEDIATE');
    database.run('CREATE TABLE IF NOT EXISTS holder (pid INTEGER NOT NULL) STRICT');
    database.run('DELETE FROM holder');
    database.run('INSERT INTO holder (pid) VALUES (?)', [process.pid]);
    database.run('COMMIT');
    database.run('BEGIN IMMEDIATE');
    held.add(database);
    return {
      release: () => {
        held.delete(database);
        database.close();
      },
    };
  } catch (cause) {
    const holder = describeHolder(database);
    database.close();
    throw new SignetError('data-folder-locked', `${holder} serves from ${folder.path}`, { cause });
  }
}

function describeHolder(database: Database): string {
  try {
    const row = database.query<{ pid: number }, []>('SELECT pid FROM holder').get();
    return row === null ? 'another process' : `process ${row.pid}`;
  } catch {
    return 'another process';
  }
}
