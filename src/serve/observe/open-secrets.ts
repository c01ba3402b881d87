import { realpathSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { shellWord } from '../../core/shell-word.ts';
import { isGivenByRoot } from '../../store/given-secret.ts';
import type { Log } from './log.ts';

const READABLE_BY_ALL = 0o004;
const PASSABLE_BY_ALL = 0o001;

/**
 * Warns of files with secrets that every user of the machine can read, by the names of the settings that name them. They are used
 * all the same, as the files of the data folder are shut and not refused; what is unreadable is for its reader to tell.
 */
export function warnOfOpenSecrets(log: Log, files: Readonly<Record<string, string | undefined>>): void {
  for (const [setting, file] of Object.entries(files)) {
    if (file === undefined || !isOpen(file)) continue;
    log.warn('every user of this machine can read a file with secrets of the server', {
      ...{ setting, file },
      next: `chmod 600 ${shellWord(file)}`,
    });
  }
}

/** A folder that others may not pass through shuts what is in it. */
function isOpen(file: string): boolean {
  try {
    const real = realpathSync(file);
    const stat: Stats = statSync(real);
    if ((stat.mode & READABLE_BY_ALL) === 0 || isGivenByRoot(real, stat)) return false;
    return foldersAbove(real).every((folder) => (statSync(folder).mode & PASSABLE_BY_ALL) !== 0);
  } catch {
    return false;
  }
}

function foldersAbove(path: string): readonly string[] {
  const folder = dirname(path);
  return folder === path ? [] : [folder, ...foldersAbove(folder)];
}
