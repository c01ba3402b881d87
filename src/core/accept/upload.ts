import { SignetError } from '../errors/index.ts';
import { type Envelope, parseEnvelope } from '../metadata/envelope.ts';
import { readSnapshot } from '../metadata/snapshot.ts';
import { readTimestamp } from '../metadata/timestamp.ts';
import type { Gun } from '../names/gun.ts';
import { isTargetsRole, parseRole, type RoleName, type TargetsRole } from '../names/role.ts';
import type { Instant } from '../time.ts';
import { TRUST_ON_FIRST_USE } from '../verify/pinning.ts';
import {
  checkRootCurrent,
  type TrustedRoot,
  trustCachedRoot,
  trustFirstRoot,
  trustNextRoot,
} from '../verify/root-trust.ts';
import { checkExpiry } from '../verify/verify.ts';
import { makeSnapshot, makeTimestamp, type OnlineSigner } from './online-files.ts';
import { refuse, refuseAs } from './refusal.ts';
import { ofStored, readCurrent, type StoredFile, stored } from './stored-file.ts';
import { Tree } from './upload-tree.ts';
import { acceptSnapshot } from './uploaded-snapshot.ts';
import { refuseConflict } from './version-step.ts';

export interface Upload {
  readonly gun: Gun;
  /** The parts of the request. If two have the same role, the later one counts (protocol B.6.1). */
  readonly parts: readonly { readonly role: string; readonly bytes: Buffer }[];
  /** The current timestamp, its root, and the files they lead to. Empty for a new repository. */
  readonly current: ReadonlyMap<RoleName, Buffer>;
  readonly signer: OnlineSigner;
  readonly now: Instant;
  /**
   * Awaited before each file is read or verified, with its length in bytes, so that a server can serve others in
   * between.
   */
  readonly pause?: (bytes: number) => Promise<void>;
}

/**
 * Decides on a publish (protocol B.6.3): every uploaded file must verify and, together with the files that stay, form a
 * collection that clients can load. Returns all files to store in one transaction: the accepted ones, and the snapshot
 * and timestamp that the server signs. An uploaded timestamp is dropped (protocol G-45).
 *
 * Throws `role-invalid` or `json-*` for parts that cannot be parsed, `version-conflict` if something newer is stored,
 * and otherwise the error of the first rule that fails, with a `RefusalName` in `detail.name`.
 */
export async function acceptUpload(upload: Upload): Promise<readonly StoredFile[]> {
  const { gun, parts, current, signer, now, pause = async () => {} } = upload;
  const uploaded = await readParts(parts, pause);
  const root = acceptRoot(gun, uploaded.get('root'), current.get('root'), now);
  const tree = new Tree(root.root, current);
  for (const [role, envelope] of targetsInOrder(uploaded)) {
    await pause(envelope.bytes.length);
    refuseAs('ErrBadTargets', () => tree.accept(role, envelope, now));
  }
  if (!uploaded.has('targets') && !current.has('targets')) {
    refuse('ErrValidation', 'upload-incomplete', 'targets must be loaded first');
  }
  refuseAs('ErrBadTargets', () => tree.checkTop());

  const changed = [...uploaded].filter(([role]) => role === 'root' || isTargetsRole(role));
  const files = changed.map(([role, envelope]) =>
    stored(role, role === 'root' ? root.root.version : tree.versionOf(role), envelope.bytes),
  );
  const previous = readCurrent('snapshot', current, readSnapshot);
  const own = uploaded.get('snapshot');
  const snapshot =
    own === undefined
      ? await makeSnapshot(root.root, previous, changed, signer, now)
      : refuseAs('ErrBadSnapshot', () =>
          acceptSnapshot({
            root: root.root,
            envelope: own,
            previous,
            current,
            changed: bytesOf(changed),
            isDelegated: (role) => tree.isDelegated(role),
            now,
          }),
        );
  const timestamp = await makeTimestamp(root.root, nextTimestamp(current), snapshot.bytes, signer, now);
  return [...files, snapshot, timestamp];
}

/**
 * Renews the server's own files before they are served (protocol B.7.3): the snapshot if it has expired, the timestamp
 * if it has expired or the snapshot is new. Returns the files to store, none if all are current.
 */
export async function refreshOnline({
  gun,
  current,
  signer,
  now,
}: Omit<Upload, 'parts'>): Promise<readonly StoredFile[]> {
  const rootBytes = current.get('root');
  const snapshotBytes = current.get('snapshot');
  const snapshot = readCurrent('snapshot', current, readSnapshot);
  const timestamp = readCurrent('timestamp', current, readTimestamp);
  if (rootBytes === undefined || snapshotBytes === undefined || snapshot === undefined || timestamp === undefined)
    return [];
  const { root, envelope } = ofStored('root', () => trustCachedRoot(gun, rootBytes));
  const isSnapshotExpired = snapshot.expires.at < now;
  if (!isSnapshotExpired && timestamp.expires.at >= now) return [];
  if (!isSnapshotExpired) return [await makeTimestamp(root, timestamp.version + 1, snapshotBytes, signer, now)];
  checkExpiry('root', root, now);
  const renewed = await makeSnapshot(root, snapshot, [['root', envelope]], signer, now);
  return [renewed, await makeTimestamp(root, timestamp.version + 1, renewed.bytes, signer, now)];
}

async function readParts(
  parts: Upload['parts'],
  pause: (bytes: number) => Promise<void>,
): Promise<ReadonlyMap<RoleName, Envelope>> {
  const files = new Map(parts.map(({ role, bytes }) => [parseRole(role), bytes] as const));
  files.delete('timestamp');
  const envelopes = new Map<RoleName, Envelope>();
  for (const [role, bytes] of files) {
    await pause(bytes.length);
    envelopes.set(role, parseEnvelope(role, bytes));
  }
  return envelopes;
}

function acceptRoot(gun: Gun, uploaded: Envelope | undefined, current: Buffer | undefined, now: Instant): TrustedRoot {
  const previous = current === undefined ? undefined : ofStored('root', () => trustCachedRoot(gun, current));
  if (uploaded === undefined) {
    return (
      previous ?? refuse('ErrValidation', 'upload-incomplete', 'no pre-existing root and no root provided in update.')
    );
  }
  return refuseAs('ErrBadRoot', () => {
    const known = previous?.root.version ?? 1;
    const found = claimedVersion(uploaded);
    if (found !== known && found !== known + 1) {
      throw new SignetError(
        'version-jump',
        `Root modifications must increment the version. Current ${known}, new ${found}`,
      );
    }
    if (previous !== undefined && found === known) refuseConflict('root', found, known);
    const root =
      previous === undefined
        ? trustFirstRoot(gun, uploaded.bytes, TRUST_ON_FIRST_USE, now)
        : trustNextRoot(previous, uploaded.bytes, TRUST_ON_FIRST_USE, now, 'last');
    checkRootCurrent(root, TRUST_ON_FIRST_USE, now);
    return root;
  });
}

/** Sorts delegators before their delegations, and siblings by name (protocol B.6.3 step 3). */
function targetsInOrder(uploaded: ReadonlyMap<RoleName, Envelope>): readonly (readonly [TargetsRole, Envelope])[] {
  const depth = (role: string) => role.split('/').length;
  return [...uploaded]
    .filter((entry): entry is [TargetsRole, Envelope] => isTargetsRole(entry[0]))
    .sort(([a], [b]) => depth(a) - depth(b) || (a < b ? -1 : 1));
}

function claimedVersion(envelope: Envelope): number {
  const version = envelope.signed instanceof Map ? envelope.signed.get('version') : undefined;
  return typeof version === 'number' ? version : 0;
}

function nextTimestamp(current: ReadonlyMap<RoleName, Buffer>): number {
  return (readCurrent('timestamp', current, readTimestamp)?.version ?? 0) + 1;
}

function bytesOf(files: readonly (readonly [RoleName, Envelope])[]): ReadonlyMap<RoleName, Buffer> {
  return new Map(files.map(([role, { bytes }]) => [role, bytes]));
}
