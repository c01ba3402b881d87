import type { CopiedRole } from '../copy/collection-copy.ts';
import { type VerifiedFiles, verifyFiles } from '../copy/verify-copy.ts';
import { SignetError } from '../errors/index.ts';
import { LIMITS } from '../limits.ts';
import { MAX_VERSION } from '../metadata/common.ts';
import { type Envelope, parseEnvelope, writeEnvelope } from '../metadata/envelope.ts';
import { checkFile } from '../metadata/file-info.ts';
import { readTargets } from '../metadata/targets.ts';
import type { Gun } from '../names/gun.ts';
import { parseRole, type RoleName } from '../names/role.ts';
import { printable } from '../printable.ts';
import type { Instant } from '../time.ts';
import { TRUST_ON_FIRST_USE } from '../verify/pinning.ts';
import { checkRootCurrent, type TrustedRoot, trustCachedRoot, trustNextRoot } from '../verify/root-trust.ts';
import { baseSigners } from '../verify/signers.ts';
import { verifyThreshold } from '../verify/verify.ts';
import { makeSnapshot, makeTimestamp, type OnlineSigner } from './online-files.ts';
import { refuse, refuseAs } from './refusal.ts';
import { type StoredFile, stored } from './stored-file.ts';
import { acceptSnapshot } from './uploaded-snapshot.ts';

/**
 * How far the first timestamp here is above the old server's last one. Until clients use this server, the old one may
 * sign more timestamps, and clients that have seen those accept no lower version.
 */
const TIMESTAMP_ROOM = 100;

/** A collection that moves here from another server, and the root in which its owner states this (protocol I.2). */
export interface Import {
  readonly gun: Gun;
  /** The parts of the request, by the names in protocol I.2.1. Their order does not matter. */
  readonly parts: readonly { readonly role: string; readonly bytes: Buffer }[];
  /** Signs with those of the server's keys that have never signed. */
  readonly signer: OnlineSigner;
  readonly now: Instant;
  /**
   * Awaited before each file is read or verified, with its length in bytes, so that a server can serve others in
   * between.
   */
  readonly pause?: (bytes: number) => Promise<void>;
}

/** The files of an import, by kind. None of them is verified. */
interface Bundle {
  /** By version, lowest first. The last one is the new root. */
  readonly roots: readonly Buffer[];
  /** The other files of the old server. */
  readonly old: ReadonlyMap<CopiedRole, Buffer>;
  /** The new snapshot, if the owner has its key. */
  readonly newSnapshot: Buffer | undefined;
}

const VERSIONED = /^([1-9]\d{0,9})\.(root|snapshot)$/;

/**
 * Decides on an import (protocol I.2.2): every root must lead to the next, the old collection must be one that clients
 * could load under its last root, expired or not, and the new root must make it a collection of this server. Returns
 * all files to store in one transaction, those of the old server byte for byte. The server's new timestamp is the last
 * one.
 *
 * Throws `role-invalid` or `json-*` for parts that cannot be parsed, and otherwise the error of the first rule that
 * fails, with a `RefusalName` in `detail.name`.
 */
export async function acceptImport({
  gun,
  parts,
  signer,
  now,
  pause = async () => {},
}: Import): Promise<readonly StoredFile[]> {
  const bundle = sortParts(parts);
  const { former, next, roots } = await acceptRoots(gun, bundle.roots, now, pause);
  const old = await acceptOldFiles(former, bundle, pause);
  const files = [...roots, ...oldFiles(old, bundle)];
  refuseAs('ErrBadTargets', () => checkTargets(old, next));
  const snapshot = await nextSnapshot(old, next, bundle, signer, now);
  const version = following('timestamp', old.set.timestamp.payload.version, TIMESTAMP_ROOM);
  const timestamp = await makeTimestamp(next.root, version, snapshot.bytes, signer, now);
  return [...files, snapshot, timestamp];
}

function sortParts(parts: Import['parts']): Bundle {
  const roots = new Map<number, Buffer>();
  const old = new Map<CopiedRole, Buffer>();
  let newSnapshot: Buffer | undefined;
  for (const { role: name, bytes } of parts) {
    const [, version, versioned] = VERSIONED.exec(name) ?? [];
    if (versioned === 'root' && !roots.has(Number(version))) roots.set(Number(version), bytes);
    else if (versioned === 'snapshot' && newSnapshot === undefined) newSnapshot = bytes;
    else if (versioned === undefined) addOld(old, parseRole(name), bytes);
    else throw misplaced(name);
  }
  if (roots.size < 2) refuse('ErrValidation', 'upload-incomplete', 'an import has an old root and a new one');
  if (roots.size > LIMITS.rootChain) {
    throw new SignetError('too-large', `an import has at most ${LIMITS.rootChain} roots`, {
      detail: { name: 'ErrValidation' },
    });
  }
  return { roots: [...roots].sort(([a], [b]) => a - b).map(([, bytes]) => bytes), old, newSnapshot };
}

function addOld(old: Map<CopiedRole, Buffer>, role: RoleName, bytes: Buffer): void {
  if (role === 'root' || old.has(role)) throw misplaced(role);
  old.set(role, bytes);
}

function misplaced(name: string): SignetError {
  return new SignetError('role-invalid', `an import has no place for ${printable(name)}`, { detail: { role: name } });
}

/**
 * Verifies the chain of roots. The first one is trusted as on a client's first visit, but must be for the GUN. The new
 * one must be acceptable to clients today.
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

/** A Notary server on the same database looks a root up by the checksum of its own encoding (protocol A.1.2). */
function checkForm({ bytes, signed, signatures }: Envelope): void {
  if (bytes.equals(writeEnvelope(signed, signatures))) return;
  throw new SignetError('metadata-malformed', 'the new root is not written as Notary writes it');
}

/** Loads the old collection as a client would, but accepts expired files: they are expired here as well. */
async function acceptOldFiles(
  root: TrustedRoot,
  { old }: Bundle,
  pause: (bytes: number) => Promise<void>,
): Promise<VerifiedFiles> {
  const steps = verifyFiles({ files: old }, root);
  for (;;) {
    const { done, value } = refuseAs('ErrValidation', () => steps.next());
    if (done === true) return value;
    await pause(value);
  }
}

/**
 * The old server's files with their versions. A file that no role delegates to any more only has to be the listed one.
 */
function oldFiles({ set, unusable, unclaimed }: VerifiedFiles, { old }: Bundle): readonly StoredFile[] {
  const versionOf = (role: CopiedRole, bytes: Buffer): number => {
    if (role === 'timestamp') return set.timestamp.payload.version;
    if (role === 'snapshot') return set.snapshot.payload.version;
    const payload = (set.targets.get(role) ?? unusable.get(role))?.payload;
    if (payload !== undefined) return payload.version;
    const promised = set.promised(role);
    if (promised === undefined || !unclaimed.has(role)) {
      throw new SignetError('role-unknown', `the snapshot does not list ${role}`);
    }
    checkFile(role, bytes, promised);
    return readTargets(role, parseEnvelope(role, bytes).signed).version;
  };
  return [...old].map(([role, bytes]) => {
    const version = refuseAs('ErrValidation', () => versionOf(role, bytes));
    return stored(role, version, bytes);
  });
}

/** The new root must accept the existing signatures of `targets`. */
function checkTargets({ set }: VerifiedFiles, { root }: TrustedRoot): void {
  const targets = set.targets.get('targets');
  if (targets !== undefined) verifyThreshold(targets.envelope, baseSigners(root, 'targets'));
}

async function nextSnapshot(
  { set, unusable }: VerifiedFiles,
  next: TrustedRoot,
  { old, newSnapshot }: Bundle,
  signer: OnlineSigner,
  now: Instant,
): Promise<StoredFile> {
  const previous = set.snapshot.payload;
  following('snapshot', previous.version, 1);
  if (newSnapshot === undefined) return makeSnapshot(next.root, previous, [['root', next.envelope]], signer, now);
  return refuseAs('ErrBadSnapshot', () =>
    acceptSnapshot({
      root: next.root,
      envelope: parseEnvelope('snapshot', newSnapshot),
      previous,
      current: old,
      changed: new Map([['root', next.envelope.bytes]]),
      isDelegated: (role) => set.targets.has(role) || unusable.has(role),
      now,
    }),
  );
}

/**
 * The version this many steps higher. Throws `version-jump` if few are left: an old server that had used up the
 * versions would block the collection here as well.
 */
function following(role: RoleName, version: number, steps: number): number {
  if (version + steps <= MAX_VERSION / 2) return version + steps;
  throw new SignetError('version-jump', `too few versions are left after ${role} version ${version}`, {
    detail: { role, found: version, name: 'ErrBadSnapshot' },
  });
}
