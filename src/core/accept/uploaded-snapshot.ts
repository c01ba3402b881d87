import { SignetError } from '../errors/index.ts';
import type { Envelope } from '../metadata/envelope.ts';
import { checkFile, sameFile } from '../metadata/file-info.ts';
import type { Root } from '../metadata/root.ts';
import { readSnapshot, type Snapshot } from '../metadata/snapshot.ts';
import { isDelegation, type RoleName, type TargetsRole } from '../names/role.ts';
import { printable } from '../printable.ts';
import type { Instant } from '../time.ts';
import { baseSigners } from '../verify/signers.ts';
import { roleWithheld } from '../verify/trusted-set.ts';
import { checkExpiry, verifyThreshold } from '../verify/verify.ts';
import { type StoredFile, stored } from './stored-file.ts';
import { checkVersionStep } from './version-step.ts';

interface UploadedSnapshot {
  readonly root: Root;
  readonly envelope: Envelope;
  readonly previous: Snapshot | undefined;
  readonly current: ReadonlyMap<RoleName, Buffer>;
  readonly changed: ReadonlyMap<RoleName, Buffer>;
  readonly isDelegated: (role: TargetsRole) => boolean;
  readonly now: Instant;
}

/**
 * A snapshot must list every file uploaded with it, only the current versions of stored files, and everything listed
 * before that is still delegated to. Clients refuse any other (`TrustedSet.checkUnlisted`).
 */
export function acceptSnapshot(upload: UploadedSnapshot): StoredFile {
  const { root, envelope, previous, current, changed, isDelegated, now } = upload;
  const snapshot = readSnapshot(envelope.signed);
  verifyThreshold(envelope, baseSigners(root, 'snapshot'));
  checkVersionStep('snapshot', snapshot.version, previous?.version);
  const omitted = [...changed.keys()].find((role) => !snapshot.meta.has(role));
  if (omitted !== undefined)
    throw new SignetError('checksum-missing', `missing ${omitted} sha256 checksum information`);
  const files: ReadonlyMap<string, Buffer> = new Map([...current, ...changed]);
  for (const [role, info] of snapshot.meta) {
    const bytes = files.get(role);
    const kept = previous?.meta.get(role);
    if (bytes !== undefined) checkFile(role, bytes, info);
    else if (kept === undefined || !sameFile(kept, info)) {
      throw new SignetError(
        'checksum-missing',
        `snapshot lists ${printable(role)}, which is neither stored nor uploaded`,
      );
    }
  }
  const dropped = [...(previous?.meta.keys() ?? [])].filter(isDelegation).filter((role) => !snapshot.meta.has(role));
  const missed = dropped.find(isDelegated);
  if (missed !== undefined) throw roleWithheld(missed);
  checkExpiry('snapshot', snapshot, now);
  return stored('snapshot', snapshot.version, envelope.bytes);
}
