import { type Dirent, lstatSync, mkdirSync, readdirSync, rmdirSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { SignetError } from '../core/errors/index.ts';
import { quoted } from '../core/printable.ts';
import { type Exchange, exchangeFile } from './exchange.ts';
import { isErrno, readSmallFile, removeFile, unreadable, unsafe, unwritable, writePrivateFile } from './files.ts';

/** The path from a base folder to a file or folder below it, one name per element. */
export type Path = readonly string[];

const MAX_ENTRIES = 100_000;

/**
 * Files below one base folder. Each name is foreign and checked, and no component below the base may be a symbolic
 * link: `file-unsafe`. Folders are created with mode 0700 on the first write, files with 0600.
 */
export class ContainedFolder {
  /** The base itself may be a link: where it is, is the user's choice. */
  readonly base: string;

  constructor(base: string) {
    this.base = base;
  }

  /**
   * Reads a file of at most `limit` bytes; undefined if there is none. Throws `file-unsafe`, `file-unreadable` or
   * `too-large`.
   */
  read(path: Path, limit: number): Buffer | undefined {
    const folder = this.folder(path.slice(0, -1));
    return folder === undefined ? undefined : readSmallFile(join(folder, checkedLast(path)), limit, false);
  }

  /** Writes a file atomically, and creates the folders above it. Throws `file-unsafe` or `file-unwritable`. */
  write(path: Path, bytes: Uint8Array): void {
    const file = join(this.makeFolder(path.slice(0, -1)), checkedLast(path));
    if (statOf(file)?.isDirectory()) throw unsafe(file, 'is a folder, not a file');
    writePrivateFile(file, bytes);
  }

  /** `exchangeFile` for a file below the base. Creates the folders above it, or removes those left empty. */
  exchange(path: Path, exchange: Exchange): boolean {
    const parents = path.slice(0, -1);
    const folder = exchange.next === undefined ? this.folder(parents) : this.makeFolder(parents);
    if (folder === undefined) return true;
    try {
      return exchangeFile(join(folder, checkedLast(path)), exchange);
    } finally {
      this.removeEmpty(parents);
    }
  }

  /** Removes a file and the folders left empty, up to the base. Returns whether the file existed. */
  remove(path: Path): boolean {
    const folder = this.folder(path.slice(0, -1));
    const found = folder !== undefined && removeFile(join(folder, checkedLast(path)));
    if (found) this.removeEmpty(path.slice(0, -1));
    return found;
  }

  /** The files and folders in a folder, sorted by name. Leaves out links and everything else. */
  list(path: Path): readonly Dirent[] {
    const folder = this.folder(path);
    if (folder === undefined) return [];
    const entries = readEntries(folder).filter((entry) => entry.isFile() || entry.isDirectory());
    if (entries.length > MAX_ENTRIES) throw unsafe(folder, `holds more than ${MAX_ENTRIES} entries`);
    return entries.sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  /** Removes a folder and those above it that are empty. */
  removeEmpty(path: Path): void {
    for (let depth = path.length; depth > 0; depth--) {
      try {
        rmdirSync(join(this.base, ...path.slice(0, depth)));
      } catch {
        return;
      }
    }
  }

  /** The folder's full path; undefined if it or one above it does not exist. */
  private folder(path: Path): string | undefined {
    let folder = this.base;
    for (const name of path) {
      folder = join(folder, checked(name));
      const stat = statOf(folder);
      if (stat === undefined) return undefined;
      if (!stat.isDirectory()) throw unsafe(folder, stat.isSymbolicLink() ? 'is a symbolic link' : 'is not a folder');
    }
    return folder;
  }

  private makeFolder(path: Path): string {
    let folder = this.base;
    makeIfAbsent(folder, true);
    for (const name of path) {
      folder = join(folder, checked(name));
      if (statOf(folder) === undefined) makeIfAbsent(folder, false);
      const stat = statOf(folder);
      if (!stat?.isDirectory()) throw unsafe(folder, stat?.isSymbolicLink() ? 'is a symbolic link' : 'is not a folder');
    }
    return folder;
  }
}

function checkedLast(path: Path): string {
  return checked(path.at(-1) ?? '');
}

function checked(name: string): string {
  if (name === '' || name === '.' || name === '..' || /[/\\\u0000]/.test(name)) {
    throw new SignetError('file-unsafe', `${quoted(name, 100)} cannot be the name of a file`);
  }
  return name;
}

function statOf(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch (cause) {
    if (isErrno(cause, 'ENOENT', 'ENOTDIR')) return undefined;
    throw unreadable(path, cause);
  }
}

function readEntries(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (cause) {
    if (isErrno(cause, 'ENOENT', 'ENOTDIR')) return [];
    throw unreadable(folder, cause);
  }
}

function makeIfAbsent(folder: string, parents: boolean): void {
  try {
    mkdirSync(folder, { mode: 0o700, recursive: parents });
  } catch (cause) {
    if (isErrno(cause, 'EEXIST')) return;
    throw unwritable(`cannot make the folder ${folder}`, cause);
  }
}
