import { SignetError } from '../core/errors/index.ts';
import type { Gun } from '../core/names/gun.ts';
import { type Change, formatChange, parseChange } from './change.ts';
import { ContainedFolder, type Path } from './contained-folder.ts';
import { collectionPath } from './trust-folder.ts';

/** A change and its file name, which determines the order. */
export interface StagedChange {
  readonly name: string;
  readonly change: Change;
}

const SUFFIX = '.change';
/** Nanoseconds since 1970, at the start of a file name. */
const TIME = /^(\d{20})_/;
/** Nanoseconds in a millisecond. */
const NANOSECONDS = 1_000_000n;
/** In bytes. */
const MAX_CHANGE = 1024 * 1024;

/**
 * The unpublished changes of one collection (protocol C.9), one file each in `<base>/tuf/<GUN>/changelist`, shared with
 * docker's and Notary's own commands.
 */
export class Changelist {
  private readonly folder: ContainedFolder;
  private readonly path: Path;
  private readonly clock: () => number;

  /** `base` as for `MetadataFolder`; `clock` gives milliseconds since 1970. */
  constructor(base: string, gun: Gun, clock: () => number = Date.now) {
    this.folder = new ContainedFolder(base);
    this.path = [...collectionPath(gun), 'changelist'];
    this.clock = clock;
  }

  /** All changes, oldest first. Throws `changelist-invalid` if one cannot be parsed: none may be left out. */
  async read(): Promise<readonly StagedChange[]> {
    return this.names().map((name) => {
      const file = this.folder.read([...this.path, name], MAX_CHANGE) ?? Buffer.alloc(0);
      return { name, change: parseChange(file, `change ${name}`) };
    });
  }

  /** The number of changes, readable or not. */
  async count(): Promise<number> {
    return this.names().length;
  }

  /** Adds a change after all others, even if the clock is behind their names. Throws `too-large`. */
  async append(change: Change): Promise<void> {
    const file = formatChange(change);
    if (file.length > MAX_CHANGE) throw new SignetError('too-large', `a change has more than ${MAX_CHANGE} bytes`);
    const now = BigInt(this.clock()) * NANOSECONDS;
    const [, latest = '0'] = TIME.exec(this.names().at(-1) ?? '') ?? [];
    const time = now > BigInt(latest) ? now : BigInt(latest) + 1n;
    const name = `${time.toString().padStart(20, '0')}_${crypto.randomUUID()}${SUFFIX}`;
    this.folder.write([...this.path, name], file);
  }

  /** Removes these changes, or all of them, readable or not. */
  async clear(changes?: readonly StagedChange[]): Promise<void> {
    for (const name of changes?.map((staged) => staged.name) ?? this.names()) this.folder.remove([...this.path, name]);
  }

  private names(): readonly string[] {
    const files = this.folder.list(this.path).filter((entry) => entry.isFile() && entry.name.endsWith(SUFFIX));
    return files.map(({ name }) => name);
  }
}
