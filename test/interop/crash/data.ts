import { Database } from 'bun:sqlite';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf } from '../../../src/core/names/digest.ts';

/** What a data folder holds, but for what the registry keeps in its own. */
const KNOWN = [
  'admin-password',
  'master.key',
  'registry',
  'serve.lock',
  'serve.pid',
  'signet.db',
  'signet.db-shm',
  'signet.db-wal',
  'tls',
  'token.key',
];
const LARGEST_JOURNAL = 32 * 1024 * 1024;

/** What is wrong with the data folder of a server, running or not. */
export function faultsIn(data: string): string[] {
  return [...strangeFiles(data), ...databaseFaults(join(data, 'signet.db')), ...openFiles(data)];
}

/** Files of unfinished uploads, of removals and of takeovers. */
export function uploadFiles(data: string): string[] {
  return readdirSync(join(data, 'registry/uploads'));
}

/** Visible blobs whose content is not what their name says. */
export function wrongBlobs(data: string): string[] {
  const root = join(data, 'registry/blobs/sha256');
  const names = existsSync(root) ? (readdirSync(root, { recursive: true }) as string[]) : [];
  const blobs = names.filter((name) => name.includes('/'));
  return blobs.filter((name) => digestOf(readFileSync(join(root, name))) !== `sha256:${name.slice(3)}`);
}

function strangeFiles(data: string): string[] {
  const strange = readdirSync(data).filter((name) => !KNOWN.includes(name));
  const drafts = readdirSync(join(data, 'tls')).filter((name) => name.startsWith('.'));
  return [...strange, ...drafts].map((name) => `${name} is left over`);
}

function databaseFaults(path: string): string[] {
  const journal = `${path}-wal`;
  const isLarge = existsSync(journal) && statSync(journal).size > LARGEST_JOURNAL;
  const database = new Database(path, { readonly: true });
  try {
    const integrity = database.query<{ integrity_check: string }, []>('PRAGMA integrity_check').all();
    const dangling = database.query<{ table: string }, []>('PRAGMA foreign_key_check').all();
    return [
      ...integrity.map(({ integrity_check }) => integrity_check).filter((line) => line !== 'ok'),
      ...dangling.map(({ table }) => `a row of ${table} refers to nothing`),
      ...(isLarge ? ['the journal is not kept short'] : []),
    ];
  } finally {
    database.close();
  }
}

/** Files that somebody else could read or write. */
function openFiles(data: string): string[] {
  const names = readdirSync(data, { recursive: true }) as string[];
  const isOpen = (path: string) => ((statSync(path, { throwIfNoEntry: false })?.mode ?? 0) & 0o077) !== 0;
  return names.filter((name) => isOpen(join(data, name))).map((name) => `${name} is not its owner's alone`);
}
