import { SignetError } from './errors/index.ts';
import { canonicalize } from './json/canonical.ts';
import type { JsonValue } from './json/parse.ts';
import { lifetimeOf } from './lifetimes.ts';
import { LIMITS } from './limits.ts';
import { expiryAt, type Metadata, type RoleKeys } from './metadata/common.ts';
import { type Envelope, parseEnvelope, writeEnvelope } from './metadata/envelope.ts';
import { checkFile, type FileInfo, fileInfoOf, sameFile } from './metadata/file-info.ts';
import { baseRoleKeys, type Root } from './metadata/root.ts';
import { readSnapshot, type Snapshot, snapshotJson } from './metadata/snapshot.ts';
import { readTargets, type Targets } from './metadata/targets.ts';
import { readTimestamp, timestampJson } from './metadata/timestamp.ts';
import type { Gun } from './names/gun.ts';
import type { KeyId } from './names/key-id.ts';
import { type DelegationName, isTargetsRole, parseRole, type RoleName, type TargetsRole } from './names/role.ts';
import { TRUST_ON_FIRST_USE } from './pinning.ts';
import { printable } from './printable.ts';
import { checkRootCurrent, type TrustedRoot, trustCachedRoot, trustFirstRoot, trustNextRoot } from './root-trust.ts';
import type { Signature } from './signature.ts';
import { baseSigners, type Signers, targetsSigners } from './signers.ts';
import type { Instant } from './time.ts';
import { checkExpiry, verifyThreshold } from './verify.ts';

/** A file that the server is to store. */
export interface StoredFile {
  readonly role: RoleName;
  readonly version: number;
  readonly bytes: Buffer;
}

/** The server's own keys, for snapshot and timestamp. */
export interface OnlineSigner {
  /** Signs with the key of this ID; undefined where the server does not have it. */
  sign(keyId: KeyId, message: Uint8Array): Promise<Signature | undefined>;
}

export interface Upload {
  readonly gun: Gun;
  /** The parts of the request; of two parts for one role the later counts (protocol B.6.1). */
  readonly parts: readonly { readonly role: string; readonly bytes: Buffer }[];
  /** The files that the current timestamp leads to, that timestamp and its root included. Empty for a new repository. */
  readonly current: ReadonlyMap<RoleName, Buffer>;
  readonly signer: OnlineSigner;
  readonly now: Instant;
  /** Awaited before each file of so many bytes is read or verified: a server sees to others then. */
  readonly pause?: (bytes: number) => Promise<void>;
}

/** The classes of refusal that a Notary client can tell apart (protocol B.6.4); they stand in an error's `detail.name`. */
export type RefusalName = 'ErrValidation' | 'ErrBadHierarchy' | 'ErrBadRoot' | 'ErrBadTargets' | 'ErrBadSnapshot';

/**
 * Decides on a publish (protocol B.6.3): every uploaded file must verify, together with what stays as it is, as a
 * collection that clients can load. Returns all files to store in one transaction: those accepted, and the snapshot
 * and timestamp that the server signs. An uploaded timestamp is dropped (protocol G-45).
 *
 * Throws `role-invalid` and `json-*` for parts that cannot be read, `version-conflict` where something newer is
 * stored, and otherwise the error of the first rule that fails, with a `RefusalName` in `detail.name`.
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
          acceptSnapshot({ root: root.root, envelope: own, previous, current, changed: bytesOf(changed), now }),
        );
  const timestamp = await makeTimestamp(root.root, current, snapshot.bytes, signer, now);
  return [...files, snapshot, timestamp];
}

/**
 * Renews what has expired of the server's own files before they are read (protocol B.7.3): the snapshot if it has
 * expired, the timestamp if it has expired or the snapshot is new. Returns the files to store; none where all is current.
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
  const { root, envelope } = trustCachedRoot(gun, rootBytes);
  const isSnapshotExpired = snapshot.expires.at < now;
  if (!isSnapshotExpired && timestamp.expires.at >= now) return [];
  if (!isSnapshotExpired) return [await makeTimestamp(root, current, snapshotBytes, signer, now)];
  checkExpiry('root', root, now);
  const renewed = await makeSnapshot(root, snapshot, [['root', envelope]], signer, now);
  return [renewed, await makeTimestamp(root, current, renewed.bytes, signer, now)];
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
  const previous = current === undefined ? undefined : trustCachedRoot(gun, current);
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
    if (previous !== undefined && found === known) conflict('root', found, known);
    const root =
      previous === undefined
        ? trustFirstRoot(gun, uploaded.bytes, TRUST_ON_FIRST_USE, now)
        : trustNextRoot(previous, uploaded.bytes, TRUST_ON_FIRST_USE, now, 'last');
    checkRootCurrent(root, TRUST_ON_FIRST_USE, now);
    return root;
  });
}

/** The targets files of the collection as it will be: those uploaded, and of the stored ones those that are asked for. */
class Tree {
  private readonly root: Root;
  private readonly current: ReadonlyMap<RoleName, Buffer>;
  private readonly accepted = new Map<TargetsRole, Targets>();

  constructor(root: Root, current: ReadonlyMap<RoleName, Buffer>) {
    this.root = root;
    this.current = current;
  }

  /** Accepts an uploaded file; its delegators are accepted or stored already. */
  accept(role: TargetsRole, envelope: Envelope, now: Instant): void {
    const payload = readTargets(role, envelope.signed);
    verifyThreshold(envelope, this.signersOf(role));
    const known = readCurrent(role, this.current, (signed) => readTargets(role, signed))?.version;
    checkStep(role, payload.version, known);
    checkExpiry(role, payload, now);
    this.accepted.set(role, payload);
  }

  /** The collection needs a `targets` file that the root's keys vouch for: a root that changed them alone would brick it. */
  checkTop(): void {
    this.load('targets');
  }

  versionOf(role: RoleName): number {
    return this.load(role as TargetsRole).version;
  }

  private load(role: TargetsRole): Targets {
    const accepted = this.accepted.get(role);
    if (accepted !== undefined) return accepted;
    const bytes = this.current.get(role);
    if (bytes === undefined) throw new SignetError('upload-incomplete', `${role} must be loaded first`);
    const envelope = parseEnvelope(role, bytes);
    verifyThreshold(envelope, this.signersOf(role));
    const payload = readTargets(role, envelope.signed);
    this.accepted.set(role, payload);
    return payload;
  }

  private signersOf(role: TargetsRole): Signers {
    return targetsSigners(role, this.root, (delegator) => this.load(delegator));
  }
}

interface UploadedSnapshot {
  readonly root: Root;
  readonly envelope: Envelope;
  readonly previous: Snapshot | undefined;
  readonly current: ReadonlyMap<RoleName, Buffer>;
  readonly changed: ReadonlyMap<RoleName, Buffer>;
  readonly now: Instant;
}

/** A snapshot must list every file that comes with it, and of those that are stored none but the current ones. */
function acceptSnapshot({ root, envelope, previous, current, changed, now }: UploadedSnapshot): StoredFile {
  const snapshot = readSnapshot(envelope.signed);
  verifyThreshold(envelope, baseSigners(root, 'snapshot'));
  checkStep('snapshot', snapshot.version, previous?.version);
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
  checkExpiry('snapshot', snapshot, now);
  return stored('snapshot', snapshot.version, envelope.bytes);
}

async function makeSnapshot(
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

async function makeTimestamp(
  root: Root,
  current: ReadonlyMap<RoleName, Buffer>,
  snapshot: Buffer,
  signer: OnlineSigner,
  now: Instant,
): Promise<StoredFile> {
  const version = (readCurrent('timestamp', current, readTimestamp)?.version ?? 0) + 1;
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

/** Signs with all keys of the role that the server has; undefined where they are fewer than the threshold. */
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

/** Delegators come before the roles they delegate to, and siblings in their order of names (protocol B.6.3 step 3). */
function targetsInOrder(uploaded: ReadonlyMap<RoleName, Envelope>): readonly (readonly [TargetsRole, Envelope])[] {
  const depth = (role: string) => role.split('/').length;
  return [...uploaded]
    .filter((entry): entry is [TargetsRole, Envelope] => isTargetsRole(entry[0]))
    .sort(([a], [b]) => depth(a) - depth(b) || (a < b ? -1 : 1));
}

/** A version follows the stored one, by no more than a bounded step. */
function checkStep(role: RoleName, found: number, known: number | undefined): void {
  if (known !== undefined && found <= known) conflict(role, found, known);
  if (found > (known ?? 0) + LIMITS.versionStep) {
    throw new SignetError('version-jump', `${role} version ${found} is too far from version ${known ?? 0}`, {
      detail: { role, found },
    });
  }
}

function conflict(role: RoleName, found: number, known: number): never {
  throw new SignetError('version-conflict', `${role} version ${found} does not follow version ${known}`, {
    detail: { role, found, known },
  });
}

/** Reads a file that the server itself stored. It was verified when it was accepted. */
function readCurrent<Payload extends Metadata>(
  role: DelegationName | RoleName,
  current: ReadonlyMap<RoleName, Buffer>,
  read: (signed: JsonValue) => Payload,
): Payload | undefined {
  const bytes = current.get(role);
  return bytes === undefined ? undefined : read(parseEnvelope(role, bytes).signed);
}

function claimedVersion(envelope: Envelope): number {
  const version = envelope.signed instanceof Map ? envelope.signed.get('version') : undefined;
  return typeof version === 'number' ? version : 0;
}

function bytesOf(files: readonly (readonly [RoleName, Envelope])[]): ReadonlyMap<RoleName, Buffer> {
  return new Map(files.map(([role, { bytes }]) => [role, bytes]));
}

function stored(role: RoleName, version: number, bytes: Buffer): StoredFile {
  return { role, version, bytes };
}

function refuse(
  name: RefusalName,
  code: 'upload-incomplete' | 'online-key-missing',
  message: string,
  missing?: string,
): never {
  throw new SignetError(code, message, { detail: missing === undefined ? { name } : { name, missing } });
}

/** Runs a check; what it throws is a refusal of this class, except for conflicts, which every class reports alike. */
function refuseAs<T>(name: RefusalName, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof SignetError) || error.code === 'version-conflict') throw error;
    throw new SignetError(error.code, error.message, { cause: error, detail: { ...error.detail, name } });
  }
}
