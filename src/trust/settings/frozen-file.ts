import { LIMITS } from '../../core/limits.ts';
import type { Instant } from '../../core/time.ts';
import { checkUnwritableByOthers, readSmallFile } from '../../store/files.ts';
import { type FrozenList, parseFrozen } from '../decide/frozen.ts';

/**
 * Reads a frozen list, which must belong to this user or root, with no one else able to write it; undefined if there is
 * none. Throws `configuration-invalid`, `file-unsafe`, `file-unreadable` or `too-large`.
 */
export function readFrozenFile(path: string, now: Instant): FrozenList | undefined {
  const bytes = readSmallFile(path, LIMITS.configFile, true, (stat) => checkUnwritableByOthers(path, stat));
  return bytes === undefined ? undefined : parseFrozen(bytes, path, now);
}
