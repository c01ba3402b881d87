import type { JsonValue } from '../json/parse.ts';
import { printable } from '../printable.ts';
import { commonMembers, type Metadata, malformed, openPayload } from './common.ts';
import { type FileInfo, fileInfoJson, readFileInfo } from './file-info.ts';

/** The snapshot payload (protocol A.9): which files belong together. */
export interface Snapshot extends Metadata {
  /** File by role name, without `.json`. Entries of deleted delegations may remain. */
  readonly meta: ReadonlyMap<string, FileInfo>;
}

/** Reads a snapshot payload. Throws `metadata-*`, `checksum-missing` or `json-*`. */
export function readSnapshot(signed: JsonValue): Snapshot {
  const { fields, common } = openPayload('snapshot', signed, 'Snapshot', ['meta']);
  const meta = new Map(
    [...fields.map('meta')].map(([role, value]) => [
      role,
      readFileInfo(value, `snapshot metadata: ${printable(role)}`),
    ]),
  );
  for (const role of ['root', 'targets']) {
    if (!meta.get(role)?.hashes.has('sha256')) malformed('snapshot', `missing ${role} sha256 checksum information`);
  }
  return { ...common, meta };
}

/** The JSON of a snapshot's payload. */
export function snapshotJson(snapshot: Snapshot): JsonValue {
  return new Map<string, JsonValue>([
    ...commonMembers('Snapshot', snapshot),
    ['meta', new Map([...snapshot.meta].map(([role, info]) => [role, new Map(fileInfoJson(info))]))],
  ]);
}
