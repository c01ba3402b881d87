import { closeSync, mkdirSync, openSync, renameSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { SignetError } from '../core/errors/index.ts';
import { printable } from '../core/printable.ts';
import { isErrno, readSmallFile, reason, removeFile, writeDurably } from './files.ts';

const NAME = 'founding.lock';
/** Creating a repository may ask for three passphrases, twice each. */
const PATIENCE_MS = 10 * 60_000;
const PAUSE_MS = 100;
/** The time between creating a lock file and writing its holder into it. */
const WRITING_MS = 1000;
const MAX_HOLDER = 1024;

/** The holder named in a lock file. */
interface Holder {
  readonly pid: number;
  readonly host: string;
}

/** A lock held by this process. */
interface HeldLock {
  /** Whether another process held it before, and may have created the repository that this one is about to create. */
  readonly waited: boolean;
  release(): void;
}

/**
 * Lets one process at a time create a repository with the keys of a trust folder: two at once would each create a root
 * key. Ignores the lock of a dead process, one that does not name its holder, and one that is older than ten minutes.
 */
export class CreationLock {
  private readonly base: string;
  private readonly path: string;

  /** `base` as for `MetadataFolder`. */
  constructor(base: string) {
    this.base = base;
    this.path = join(base, NAME);
  }

  /**
   * Waits for the lock. Calls `onWait` once, with a message about the process it waits for. Throws `file-locked` if it
   * is not released in time, `file-unwritable`.
   */
  async hold(onWait: (message: string) => void = () => undefined): Promise<HeldLock> {
    const own = `${process.pid} ${hostname()}\n`;
    let told: string | undefined;
    for (let waited = 0; waited <= PATIENCE_MS; waited += PAUSE_MS) {
      if (this.take(own)) return { waited: waited > 0, release: () => this.release(own) };
      if (this.removeAbandoned()) continue;
      const holder = nameOf(readHolder(this.holder()));
      if (told === undefined && holder !== undefined) {
        onWait(`waiting for ${holder}, which founds a repository with the keys here and holds ${this.path}`);
      }
      told ??= holder;
      await new Promise((wake) => setTimeout(wake, PAUSE_MS));
    }
    throw new SignetError('file-locked', `${told ?? 'another command'} founds a repository, and holds ${this.path}`, {
      detail: { path: this.path },
    });
  }

  private take(own: string): boolean {
    try {
      mkdirSync(this.base, { recursive: true, mode: 0o700 });
      const descriptor = openSync(this.path, 'wx', 0o600);
      try {
        writeDurably(descriptor, Buffer.from(own));
      } catch (cause) {
        removeFile(this.path);
        throw cause;
      } finally {
        closeSync(descriptor);
      }
      return true;
    } catch (cause) {
      if (isErrno(cause, 'EEXIST')) return false;
      throw new SignetError('file-unwritable', `cannot write ${this.path}: ${reason(cause)}`, { cause });
    }
  }

  private release(own: string): void {
    if (this.holder() === own) removeFile(this.path);
  }

  private holder(): string | undefined {
    return readSmallFile(this.path, MAX_HOLDER, false)?.toString('utf8');
  }

  /**
   * If two processes find the lock abandoned, one moves it away. If the other one then moves a lock that was taken
   * since, it puts it back. Returns whether the lock is gone.
   */
  private removeAbandoned(): boolean {
    const holder = this.holder();
    if (holder === undefined || !this.isAbandoned(holder)) return false;
    const aside = `${this.path}.${process.pid}`;
    try {
      renameSync(this.path, aside);
    } catch (cause) {
      if (isErrno(cause, 'ENOENT')) return false;
      throw new SignetError('file-unwritable', `cannot remove ${this.path}: ${reason(cause)}`, { cause });
    }
    const isStill = readSmallFile(aside, MAX_HOLDER, false)?.toString('utf8') === holder;
    if (isStill) removeFile(aside);
    else renameSync(aside, this.path);
    return isStill;
  }

  private isAbandoned(text: string): boolean {
    const holder = readHolder(text);
    if (holder?.host === hostname() && !isAlive(holder.pid)) return true;
    try {
      const age = Date.now() - statSync(this.path).mtimeMs;
      // The clock of a shared folder may be ahead of this machine's.
      return holder === undefined ? Math.abs(age) > WRITING_MS : age > PATIENCE_MS;
    } catch (cause) {
      if (isErrno(cause, 'ENOENT')) return false;
      throw new SignetError('file-unreadable', `cannot read ${this.path}: ${reason(cause)}`, { cause });
    }
  }
}

/** Parses a lock file; undefined if it is unreadable, as one cut short by a full disk. */
function readHolder(text: string | undefined): Holder | undefined {
  const [, pid, host] = /^([1-9]\d{0,9}) ([^\n]+)\n$/.exec(text ?? '') ?? [];
  return pid === undefined || host === undefined ? undefined : { pid: Number(pid), host };
}

function nameOf(holder: Holder | undefined): string | undefined {
  if (holder === undefined) return undefined;
  const { pid, host } = holder;
  return host === hostname() ? `process ${pid}` : `process ${pid} on ${printable(host, 100)}`;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return isErrno(error, 'EPERM');
  }
}
