import { readdirSync, statSync, unlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { HOUR, type Instant } from '../core/time.ts';

/** Specific to Signet, so that no other program's file is taken for a draft. */
const DRAFT = /^\.signet-[0-9a-f-]{36}\.tmp$/;
/** In milliseconds: longer than any write takes. */
const ABANDONED = HOUR;

/** A new name next to `path`, for a file that is to be renamed to it. */
export function draftOf(path: string): string {
  return join(dirname(path), `.signet-${crypto.randomUUID()}.tmp`);
}

/** Whether a file is a draft of another. */
export function isDraft(path: string): boolean {
  return DRAFT.test(basename(path));
}

/**
 * Removes drafts in a folder that killed processes have left: those not written to since `before`, by default an hour
 * ago. They may contain secrets. Ignores failures.
 */
export function removeDrafts(folder: string, before: Instant = Date.now() - ABANDONED): void {
  for (const path of draftsIn(folder)) {
    try {
      if (statSync(path).mtimeMs < before) unlinkSync(path);
    } catch {
      // Another process has removed it, or this user may not.
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
