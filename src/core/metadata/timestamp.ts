import type { JsonValue } from '../json/parse.ts';
import { commonMembers, type Metadata, malformed, openPayload } from './common.ts';
import { type FileInfo, fileInfoJson, readFileInfo } from './file-info.ts';

/** The timestamp payload (protocol A.10): which snapshot is current. */
export interface Timestamp extends Metadata {
  readonly snapshot: FileInfo;
}

/** Reads a timestamp payload. Throws `metadata-*`, `checksum-missing` or `json-*`. */
export function readTimestamp(signed: JsonValue): Timestamp {
  const { fields, common } = openPayload('timestamp', signed, 'Timestamp', ['meta']);
  const entry = fields.map('meta').get('snapshot');
  if (entry === undefined) malformed('timestamp', 'missing snapshot sha256 checksum information');
  const snapshot = readFileInfo(entry, 'timestamp metadata: snapshot');
  if (!snapshot.hashes.has('sha256')) malformed('timestamp', 'missing snapshot sha256 checksum information');
  return { ...common, snapshot };
}

/** The JSON of a timestamp's payload. */
export function timestampJson(timestamp: Timestamp): JsonValue {
  return new Map<string, JsonValue>([
    ...commonMembers('Timestamp', timestamp),
    ['meta', new Map([['snapshot', new Map(fileInfoJson(timestamp.snapshot))]])],
  ]);
}
