import { SignetError } from '../errors/index.ts';
import { LIMITS } from '../limits.ts';
import { MAX_VERSION } from '../metadata/common.ts';
import { type Envelope, parseEnvelope, writeEnvelope } from '../metadata/envelope.ts';
import { checkFile } from '../metadata/file-info.ts';
import type { Gun } from '../names/gun.ts';
import { parseRole, type RoleName, type TargetsRole } from '../names/role.ts';
import { printable } from '../printable.ts';
import { type Instant, UNEXPIRED } from '../time.ts';
import { TRUST_ON_FIRST_USE } from '../verify/pinning.ts';
import { checkRootCurrent, type TrustedRoot, trustCachedRoot, trustNextRoot } from '../verify/root-trust.ts';
import { baseSigners } from '../verify/signers.ts';
import { trustOrPassOver } from '../verify/tolerated.ts';
import { TrustedSet } from '../verify/trusted-set.ts';
import { verifyThreshold } from '../verify/verify.ts';
import { makeSnapshot, makeTimestamp, type OnlineSigner } from './online-files.ts';
import { refuse, refuseAs } from './refusal.ts';
import { type StoredFile, stored } from './stored-file.ts';
import { acceptSnapshot } from './uploaded-snapshot.ts';

/**
 * How far the first timestamp here is above the last one of the old server. Until clients are pointed here, that server
 * may sign further ones, and clients that have seen those take no lower version.
 */
const TIMESTAMP_ROOM = 100;

/** A collection that moves here from another server, and the root by which its owner says so (protocol I.2). */
export interface Import {
  readonly gun: Gun;
  /** The parts of the request, by the names of protocol I.2.1. Their order does not matter. */
  readonly parts: readonly { readonly role: string; readonly bytes: Buffer }[];
  /** Signs with those of the server's keys that have signed nothing yet. */
  readonly signer: OnlineSigner;
  readonly now: Instant;
  /** Awaited before each file of so many bytes is read or verified: a server sees to others then. */
  readonly pause?: (bytes: number) => Promise<void>;
}

/** The files of an import, in their places; nothing of them is verified. */
interface Bundle {
  /** By version, lowest first; the last one is the new root. */
  readonly roots: readonly Buffer[];
  readonly timestamp: Buffer;
  readonly snapshot: Buffer;
  readonly targets: ReadonlyMap<TargetsRole, Buffer>;
  /** The new snapshot, if the owner has its key. */
  readonly newSnapshot: Buffer | undefined;
}

const VERSIONED = /^([1-9]\d{0,9})\.(root|snapshot)$/;

/**
 * Decides on an import (protocol I.2.2): every root must lead to the next, the old collection must be one that clients could
 * load under its last root, be it expired or not, and the new root must make it one of this server. Returns all files to
 * store in one transaction, those of the old server byte for byte; the server's new timestamp is the last one.
 *
 * Throws `role-invalid` or `json-*` for what cannot be read, and otherwise the error of the first rule that fails, with a
 * `RefusalName` in `detail.name`.
 */
export async function acceptImport({ gun, parts, signer, now, pause = async () => {} }: Import): Promise<StoredFile[]> {
  const bundle = sortParts(parts);
  const { former, next, roots } = await acceptRoots(gun, bundle.roots, now, pause);
  const old = await acceptOldFiles(former, bundle, pause);
  const targets = old.targets.get('targets')?.envelope;
  refuseAs('ErrBadTargets', () => targets !== undefined && verifyThreshold(targets, baseSigners(next.root, 'targets')));

  const files = [...roots, ...oldFiles(old, bundle)];
  const snapshot = await nextSnapshot(old, next, bundle, signer, now);
  const version = following('timestamp', old.timestamp.payload.version, TIMESTAMP_ROOM);
  const timestamp = await makeTimestamp(next.root, version, snapshot.bytes, signer, now);
  return [...files, snapshot, timestamp];
}

function sortParts(parts: Import['parts']): Bundle {
  const roots = new Map<number, Buffer>();
  const others = new Map<RoleName, Buffer>();
  let newSnapshot: Buffer | undefined;
  for (const { role: name, bytes } of parts) {
    const [, version, role] = VERSIONED.exec(name) ?? [];
    if (role === 'root' && !roots.has(Number(version))) roots.set(Number(version), bytes);
    else if (role === 'snapshot' && newSnapshot === undefined) newSnapshot = bytes;
    else if (role === undefined && name !== 'root' && !others.has(parseRole(name))) others.set(parseRole(name), bytes);
    else
      throw new SignetError('role-invalid', `an import cannot have ${printable(name)} there`, {
        detail: { role: name },
      });
  }
  const [timestamp, snapshot] = [others.get('timestamp'), others.get('snapshot')];
  if (timestamp === undefined) return missing('timestamp');
  if (snapshot === undefined) return missing('snapshot');
  others.delete('timestamp');
  others.delete('snapshot');
  if (roots.size < 2) refuse('ErrValidation', 'upload-incomplete', 'an import has an old root and a new one');
  if (roots.size > LIMITS.rootChain) {
    throw new SignetError('too-large', `an import has at most ${LIMITS.rootChain} roots`, {
      detail: { name: 'ErrValidation' },
    });
  }
  const ordered = [...roots].sort(([a], [b]) => a - b).map(([, bytes]) => bytes);
  return { roots: ordered, timestamp, snapshot, targets: others as ReadonlyMap<TargetsRole, Buffer>, newSnapshot };
}

/**
 * The chain of roots. The first one has nobody to vouch for it but itself, as on a first visit; what it must be for is the
 * GUN. The new one must be good enough for clients that come today.
 */
async function acceptRoots(
  gun: Gun,
  chain: readonly Buffer[],
  now: Instant,
  pause: (bytes: number) => Promise<void>,
): Promise<{ former: TrustedRoot; next: TrustedRoot; roots: readonly StoredFile[] }> {
  const [first = Buffer.of(), ...successors] = chain;
  await pause(first.length);
  let former = refuseAs('ErrBadRoot', () => trustCachedRoot(gun, first));
  let next = former;
  const roots: StoredFile[] = [stored('root', next.root.version, first)];
  for (const [at, bytes] of successors.entries()) {
    await pause(bytes.length);
    const step = at === successors.length - 1 ? 'last' : 'intermediate';
    former = next;
    next = refuseAs('ErrBadRoot', () => trustNextRoot(former, bytes, TRUST_ON_FIRST_USE, now, step));
    roots.push(stored('root', next.root.version, bytes));
  }
  refuseAs('ErrBadRoot', () => {
    checkRootCurrent(next, TRUST_ON_FIRST_USE, now);
    checkForm(next.envelope);
  });
  return { former, next, roots };
}

/** A Notary server on the same database finds a root by the checksum of what it writes itself (protocol A.1.2). */
function checkForm({ bytes, signed, signatures }: Envelope): void {
  if (bytes.equals(writeEnvelope(signed, signatures))) return;
  throw new SignetError('metadata-malformed', 'the new root is not written as Notary writes it');
}

/** The old collection as a client would load it, but for expiry: what had expired there is no better here. */
async function acceptOldFiles(
  root: TrustedRoot,
  { timestamp, snapshot, targets }: Bundle,
  pause: (bytes: number) => Promise<void>,
): Promise<TrustedSet> {
  const set = new TrustedSet(root, UNEXPIRED);
  await pause(timestamp.length + snapshot.length);
  refuseAs('ErrBadSnapshot', () => {
    set.updateTimestamp(timestamp);
    set.updateSnapshot(snapshot);
  });
  let level: readonly TargetsRole[] = ['targets'];
  while (level.length > 0) {
    for (const role of level) {
      const bytes = targets.get(role);
      if (bytes === undefined && (role === 'targets' || set.promised(role) !== undefined)) missing(role);
      if (bytes === undefined) continue;
      await pause(bytes.length);
      // Clients pass over a delegation that lost its signatures: it is imported as it is.
      refuseAs('ErrBadTargets', () => trustOrPassOver(set, role, bytes));
    }
    level = level.flatMap((role) => set.delegationsOf(role).map(({ name }) => name));
  }
  return set;
}

/** What the old server had, versions and all. A file that no role delegates to any more need only be the listed one. */
function oldFiles(set: TrustedSet, { timestamp, snapshot, targets }: Bundle): readonly StoredFile[] {
  const files = [...targets].map(([role, bytes]) => {
    const version = refuseAs('ErrBadTargets', () => {
      const promised = set.promised(role);
      if (promised === undefined) throw new SignetError('role-unknown', `the snapshot does not list ${role}`);
      checkFile(role, bytes, promised);
      return set.targets.get(role)?.payload.version ?? claimedVersion(parseEnvelope(role, bytes));
    });
    return stored(role, version, bytes);
  });
  return [
    ...files,
    stored('snapshot', set.snapshot.payload.version, snapshot),
    stored('timestamp', set.timestamp.payload.version, timestamp),
  ];
}

async function nextSnapshot(
  old: TrustedSet,
  next: TrustedRoot,
  { newSnapshot, targets }: Bundle,
  signer: OnlineSigner,
  now: Instant,
): Promise<StoredFile> {
  const previous = old.snapshot.payload;
  following('snapshot', previous.version, 1);
  if (newSnapshot === undefined) return makeSnapshot(next.root, previous, [['root', next.envelope]], signer, now);
  return refuseAs('ErrBadSnapshot', () =>
    acceptSnapshot({
      root: next.root,
      envelope: parseEnvelope('snapshot', newSnapshot),
      previous,
      current: targets,
      changed: new Map([['root', next.envelope.bytes]]),
      isDelegated: (role) => old.targets.has(role) || old.passedOver.has(role),
      now,
    }),
  );
}

/** A version some steps on. Throws `version-jump` where there are none left. */
function following(role: RoleName, version: number, steps: number): number {
  if (version + steps <= MAX_VERSION) return version + steps;
  throw new SignetError('version-jump', `no ${role} can follow version ${version}`, {
    detail: { role, found: version, name: 'ErrBadSnapshot' },
  });
}

function claimedVersion({ role, signed }: Envelope): number {
  const version = signed instanceof Map ? signed.get('version') : undefined;
  if (typeof version === 'number' && Number.isInteger(version) && version >= 1 && version <= MAX_VERSION)
    return version;
  throw new SignetError('metadata-malformed', `${role} has no version`);
}

function missing(role: RoleName): never {
  refuse('ErrValidation', 'upload-incomplete', `the import has no ${role}`, role);
}
