import { readdirSync, statSync, unlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { HOUR, type Instant } from '../core/time.ts';

/** Signet's own, so that nothing of anyone else's is taken for one. */
const DRAFT = /^\.signet-[0-9a-f-]{36}\.tmp$/;
/** No one writes to a file for as long as this, in milliseconds. */
const ABANDONED = HOUR;

/** A new name beside `path`, for what is to be renamed to it. */
export function draftOf(path: string): string {
  return join(dirname(path), `.signet-${crypto.randomUUID()}.tmp`);
}

/** Whether a file is the draft of another. */
export function isDraft(path: string): boolean {
  return DRAFT.test(basename(path));
}

/**
 * Removes what processes that were killed have left of files they were writing in a folder: drafts that no one has
 * written to since `before`, an hour ago if absent. They may hold secrets that were meant to go. What cannot be
 * removed stays; no error.
 */
export function removeDrafts(folder: string, before: Instant = Date.now() - ABANDONED): void {
  for (const path of draftsIn(folder)) {
    try {
      if (statSync(path).mtimeMs < before) unlinkSync(path);
    } catch {
      // Another process has removed it, or no one here may.
    }
  }
}

function draftsIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter(isDraft)
      .map((name) => join(folder, name));
  } catch {
    return [];
  }
}
