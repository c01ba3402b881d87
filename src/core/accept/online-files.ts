import { canonicalize } from '../json/canonical.ts';
import type { JsonValue } from '../json/parse.ts';
import { lifetimeOf } from '../lifetimes.ts';
import { expiryAt, type RoleKeys } from '../metadata/common.ts';
import { type Envelope, writeEnvelope } from '../metadata/envelope.ts';
import { type FileInfo, fileInfoOf } from '../metadata/file-info.ts';
import { baseRoleKeys, type Root } from '../metadata/root.ts';
import { type Snapshot, snapshotJson } from '../metadata/snapshot.ts';
import { timestampJson } from '../metadata/timestamp.ts';
import type { KeyId } from '../names/key-id.ts';
import type { RoleName } from '../names/role.ts';
import type { Signature } from '../signature.ts';
import type { Instant } from '../time.ts';
import { refuse } from './refusal.ts';
import { type StoredFile, stored } from './stored-file.ts';

/** The server's own keys, for snapshot and timestamp. */
export interface OnlineSigner {
  /** Signs with the key of this ID. Undefined if the server does not have the key. */
  sign(keyId: KeyId, message: Uint8Array): Promise<Signature | undefined>;
}

/** Builds and signs a snapshot of the previous files and the changed ones (protocol B.7.1). */
export async function makeSnapshot(
  root: Root,
  previous: Snapshot | undefined,
  changed: readonly (readonly [RoleName, Envelope])[],
  signer: OnlineSigner,
  now: Instant,
): Promise<StoredFile> {
  const meta = new Map<string, FileInfo>(previous?.meta);
  for (const [role, { bytes }] of changed) meta.set(role, fileInfoOf(bytes));
  const version = (previous?.version ?? 0) + 1;
  const payload = snapshotJson({ version, expires: expiryAt(now + lifetimeOf('snapshot')), meta });
  const bytes = await sealOnline(payload, baseRoleKeys(root, 'snapshot'), signer);
  return bytes === undefined
    ? refuse(
        'ErrBadHierarchy',
        'online-key-missing',
        'no snapshot was included in update and server does not hold current snapshot key for repository',
        'snapshot',
      )
    : stored('snapshot', version, bytes);
}

/** Builds and signs a timestamp of that version for a snapshot (protocol B.7.2). */
export async function makeTimestamp(
  root: Root,
  version: number,
  snapshot: Buffer,
  signer: OnlineSigner,
  now: Instant,
): Promise<StoredFile> {
  const payload = timestampJson({
    version,
    expires: expiryAt(now + lifetimeOf('timestamp')),
    snapshot: fileInfoOf(snapshot),
  });
  const bytes = await sealOnline(payload, baseRoleKeys(root, 'timestamp'), signer);
  return bytes === undefined
    ? refuse('ErrBadRoot', 'online-key-missing', 'no timestamp keys exist on the server')
    : stored('timestamp', version, bytes);
}

/** Signs with all of the role's keys that the server has. Undefined if they are fewer than the threshold. */
async function sealOnline(
  payload: JsonValue,
  { keyIds, threshold }: RoleKeys,
  signer: OnlineSigner,
): Promise<Buffer | undefined> {
  const message = canonicalize(payload);
  const signatures = (await Promise.all(keyIds.map((id) => signer.sign(id, message)))).filter(
    (signature) => signature !== undefined,
  );
  return signatures.length < threshold ? undefined : writeEnvelope(payload, signatures);
}
