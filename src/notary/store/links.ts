import { isSignetError } from '../../core/errors/index.ts';
import { parseEnvelope } from '../../core/metadata/envelope.ts';
import type { FileInfo } from '../../core/metadata/file-info.ts';
import { readSnapshot } from '../../core/metadata/snapshot.ts';
import { readTimestamp } from '../../core/metadata/timestamp.ts';
import { isDelegation, type RoleName } from '../../core/names/role.ts';

/** The SHA-256 of the snapshot that a stored timestamp names; empty if it names none. */
export function snapshotOf(timestamp: Uint8Array): string {
  const strict = () => sha256Of(readTimestamp(parseEnvelope('timestamp', timestamp).signed).snapshot);
  return readAnyhow(strict, () => looseChecksums(timestamp).get('snapshot') ?? '');
}

/** Role and SHA-256 of every file that a stored snapshot lists. */
export function filesOf(snapshot: Uint8Array): ReadonlyMap<RoleName, string> {
  const listed = readAnyhow(
    () => checksumsOf(readSnapshot(parseEnvelope('snapshot', snapshot).signed).meta),
    () => looseChecksums(snapshot),
  );
  const files = new Map<RoleName, string>();
  for (const [role, sha256] of listed) {
    if (role === 'root' || role === 'targets' || isDelegation(role)) files.set(role, sha256);
  }
  return files;
}

/**
 * What another server has stored may be something that Signet takes from no one and that clients accept, and is served as
 * it is. To find out what belongs together, such a file is read as leniently as they read it; nothing else is taken from it.
 */
function readAnyhow<T>(strict: () => T, loose: () => T): T {
  try {
    return strict();
  } catch (error) {
    if (isSignetError(error)) return loose();
    throw error;
  }
}

function looseChecksums(file: Uint8Array): ReadonlyMap<string, string> {
  const checksums = new Map<string, string>();
  for (const [name, info] of Object.entries(objectIn(objectIn(looseJson(file), 'signed'), 'meta'))) {
    const sha256 = objectIn(info, 'hashes').sha256;
    if (typeof sha256 === 'string') checksums.set(name, Buffer.from(sha256, 'base64').toString('hex'));
  }
  return checksums;
}

function looseJson(file: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(file).toString('utf8'));
  } catch {
    return undefined;
  }
}

function objectIn(value: unknown, member: string): Record<string, unknown> {
  const found = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[member] : undefined;
  return typeof found === 'object' && found !== null ? (found as Record<string, unknown>) : {};
}

function checksumsOf(meta: ReadonlyMap<string, FileInfo>): ReadonlyMap<string, string> {
  return new Map([...meta].map(([name, info]) => [name, sha256Of(info)]));
}

/** Hexadecimal digits; empty, so that no file has it, if only other digests are given. */
function sha256Of(info: FileInfo): string {
  return info.hashes.get('sha256')?.toString('hex') ?? '';
}
