import type { Stats } from 'node:fs';
import { sep } from 'node:path';

/** Where container engines mount secrets, readable for every user of the container by default. */
const MOUNTED_SECRETS = '/run/secrets';
const ROOT = 0;

/**
 * Whether a file of secrets is one that root gives to this user, so that others may read it: below `/run/secrets`, or to a
 * process that is not root's. `real` is its path without links.
 */
export function isGivenByRoot(real: string, { uid }: Stats, user = process.geteuid?.()): boolean {
  return uid === ROOT && (user !== ROOT || real.startsWith(`${MOUNTED_SECRETS}${sep}`));
}
