import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { cacheFolder } from '../../../../store/disk-cache.ts';

const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** A folder (0700) for what docker reads instead of the user's files, removed by the end of the process. */
export class PrivateFolder {
  private readonly env: NodeJS.ProcessEnv;
  private made: string | undefined;

  constructor(env: NodeJS.ProcessEnv) {
    this.env = env;
  }

  /** Created on first use, outside of `context` if possible. */
  path(context?: string): string {
    this.made ??= this.make(context);
    return this.made;
  }

  /** From now on signals are handled by someone else, who calls `remove`. */
  leaveSignals(): void {
    for (const signal of ENDING) process.off(signal, this.end);
  }

  remove(): void {
    this.leaveSignals();
    process.off('exit', this.removeFiles);
    this.removeFiles();
    this.made = undefined;
  }

  private make(context: string | undefined): string {
    const parent = [tmpdir(), cacheFolder(this.env)].find((folder) => !isInside(folder, context)) ?? tmpdir();
    mkdirSync(parent, { recursive: true, mode: 0o700 });
    process.on('exit', this.removeFiles);
    for (const signal of ENDING) process.on(signal, this.end);
    const folder = mkdtempSync(join(realpathSync(parent), 'signet-build-'));
    chmodSync(folder, 0o700);
    return folder;
  }

  private readonly removeFiles = () => {
    if (this.made !== undefined) rmSync(this.made, { recursive: true, force: true });
  };

  private readonly end = (signal: NodeJS.Signals) => {
    this.remove();
    process.kill(process.pid, signal);
  };
}

function isInside(folder: string, context: string | undefined): boolean {
  if (context === undefined) return false;
  const outer = `${realpathSync(context)}${sep}`.replace(/\/+$/, sep);
  return `${folder}${sep}`.startsWith(outer);
}
