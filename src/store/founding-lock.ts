import { closeSync, mkdirSync, openSync, renameSync, statSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { SignetError } from '../core/errors/index.ts';
import { isErrno, readSmallFile, reason, removeFile } from './files.ts';

const NAME = 'founding.lock';
/** Whoever founds may be asked for three passphrases, twice each. */
const PATIENCE_MS = 10 * 60_000;
const PAUSE_MS = 100;
const MAX_HOLDER = 1024;

/** A lock that is held. */
interface HeldLock {
  /** Whether another process had it before, and may have founded what this one is about to found. */
  readonly waited: boolean;
  release(): void;
}

/**
 * Lets one process at a time found a repository with the keys of a trust folder: two at once would each make a root key.
 * The lock of a process that has died counts for nothing, and neither does one that no one has released for ten minutes.
 */
export class FoundingLock {
  private readonly base: string;
  private readonly path: string;

  /** `base` as for `MetadataFolder`. */
  constructor(base: string) {
    this.base = base;
    this.path = join(base, NAME);
  }

  /** Waits for the lock. Throws `file-locked` where it does not come free, `file-unwritable`. */
  async hold(): Promise<HeldLock> {
    const own = `${process.pid} ${hostname()}\n`;
    for (let waited = 0; waited <= PATIENCE_MS; waited += PAUSE_MS) {
      if (this.take(own)) return { waited: waited > 0, release: () => this.release(own) };
      this.removeAbandoned();
      await new Promise((wake) => setTimeout(wake, PAUSE_MS));
    }
    throw new SignetError('file-locked', `another command founds a repository, and holds ${this.path}`, {
      detail: { path: this.path },
    });
  }

  private take(own: string): boolean {
    try {
      mkdirSync(this.base, { recursive: true, mode: 0o700 });
      const descriptor = openSync(this.path, 'wx', 0o600);
      try {
        writeSync(descriptor, own);
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

  /** Of two processes that find the lock abandoned, one moves it away; what the other moves was taken again, and is put back. */
  private removeAbandoned(): void {
    const holder = this.holder();
    if (holder === undefined || !this.isAbandoned(holder)) return;
    const aside = `${this.path}.${process.pid}`;
    try {
      renameSync(this.path, aside);
    } catch (cause) {
      if (isErrno(cause, 'ENOENT')) return;
      throw new SignetError('file-unwritable', `cannot remove ${this.path}: ${reason(cause)}`, { cause });
    }
    if (readSmallFile(aside, MAX_HOLDER, false)?.toString('utf8') === holder) removeFile(aside);
    else renameSync(aside, this.path);
  }

  private isAbandoned(holder: string): boolean {
    const [, pid = '', host] = /^(\d+) (.+)\n$/.exec(holder) ?? [];
    if (host === hostname() && !isAlive(Number(pid))) return true;
    try {
      return statSync(this.path).mtimeMs < Date.now() - PATIENCE_MS;
    } catch (cause) {
      if (isErrno(cause, 'ENOENT')) return false;
      throw new SignetError('file-unreadable', `cannot read ${this.path}: ${reason(cause)}`, { cause });
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return isErrno(error, 'EPERM');
  }
}
