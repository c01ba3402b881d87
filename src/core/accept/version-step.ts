import { SignetError } from '../errors/index.ts';
import { LIMITS } from '../limits.ts';
import type { RoleName } from '../names/role.ts';

/** Requires a version above the stored one, by no more than a bounded step. */
export function checkVersionStep(role: RoleName, found: number, known: number | undefined): void {
  if (known !== undefined && found <= known) refuseConflict(role, found, known);
  if (found > (known ?? 0) + LIMITS.versionStep) {
    throw new SignetError('version-jump', `${role} version ${found} is too far from version ${known ?? 0}`, {
      detail: { role, found },
    });
  }
}

/** Refuses a version if a newer one is stored. Throws `version-conflict`. */
export function refuseConflict(role: RoleName, found: number, known: number): never {
  throw new SignetError('version-conflict', `${role} version ${found} does not follow version ${known}`, {
    detail: { role, found, known },
  });
}
