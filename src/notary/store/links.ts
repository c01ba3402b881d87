import { parseEnvelope } from '../../core/metadata/envelope.ts';
import type { FileInfo } from '../../core/metadata/file-info.ts';
import { readSnapshot } from '../../core/metadata/snapshot.ts';
import { readTimestamp } from '../../core/metadata/timestamp.ts';
import { isDelegation, type RoleName } from '../../core/names/role.ts';

/** The SHA-256 of the snapshot that a stored timestamp names. */
export function snapshotOf(timestamp: Uint8Array): string {
  return sha256Of(readTimestamp(parseEnvelope('timestamp', timestamp).signed).snapshot);
}

/** Role and SHA-256 of every file that a stored snapshot lists. */
export function filesOf(snapshot: Uint8Array): ReadonlyMap<RoleName, string> {
  const files = new Map<RoleName, string>();
  for (const [role, info] of readSnapshot(parseEnvelope('snapshot', snapshot).signed).meta) {
    if (role === 'root' || role === 'targets' || isDelegation(role)) files.set(role, sha256Of(info));
  }
  return files;
}

/** Hexadecimal digits; empty, so that no file has it, where only other digests are given. */
function sha256Of(info: FileInfo): string {
  return info.hashes.get('sha256')?.toString('hex') ?? '';
}
