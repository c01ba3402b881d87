import { isSignetError, SignetError } from '../errors/index.ts';
import { LIMITS } from '../limits.ts';
import type { DelegationName, TargetsRole } from '../names/role.ts';
import { formatTime, type Instant, SECOND, UNEXPIRED } from '../time.ts';
import { expiredRoles } from '../verify/expiry-warnings.ts';
import { TRUST_ON_FIRST_USE } from '../verify/pinning.ts';
import { rootUsableUntil, type TrustedRoot, trustCachedRoot, trustNextRoot } from '../verify/root-trust.ts';
import { trustOrPassOver, type UnusableFile } from '../verify/tolerated.ts';
import { TrustedSet, type TrustedView } from '../verify/trusted-set.ts';
import type { CollectionCopy, CopiedRole, ExpiredFile } from './collection-copy.ts';

/**
 * A copy that is valid in itself. Whether its newest root is the right one must be decided by pins, a known root or a
 * person.
 */
export interface VerifiedCopy {
  /** The collection, expired files included. */
  readonly set: TrustedView;
  readonly unusable: ReadonlyMap<TargetsRole, UnusableFile>;
  /** The roots, oldest first, each signed by the one before. */
  readonly roots: readonly TrustedRoot[];
}

/**
 * Verifies a copy from its oldest root to its last delegation as a client would, except expiry: every root follows the
 * one before (protocol A.13.3), every file is the one listed by its predecessor and has enough signatures, and no file
 * is missing or unlisted. The copy's claims about itself must be true as well.
 *
 * Throws `copy-untrusted`, with the failed check as its cause.
 */
export function verifyCopy(copy: CollectionCopy): VerifiedCopy {
  const { gun } = copy;
  try {
    const roots = verifyRoots(copy);
    const { unclaimed, ...files } = drained(verifyFiles(copy, roots.at(-1) as TrustedRoot));
    const [extra] = unclaimed.keys();
    if (extra !== undefined)
      throw new SignetError('role-unknown', `it has a file of ${extra}, which nobody delegates to`);
    const verified = { ...files, roots };
    checkClaims(copy, verified);
    return verified;
  } catch (cause) {
    if (!isSignetError(cause)) throw cause;
    throw cause.within('copy-untrusted', `the copy of ${gun} is not to be trusted: ${cause.message}`, {
      detail: { gun, why: cause.code },
    });
  }
}

/**
 * The files of a verified set that clients refused at `readAt` because they had expired, or in case of a root too many
 * of its certificates. Times are in whole seconds, as in copies.
 */
export function expiredFiles(set: TrustedView, readAt: Instant): readonly ExpiredFile[] {
  const rootEnd = rootUsableUntil(set.root);
  const root: readonly ExpiredFile[] = rootEnd < readAt ? [{ role: 'root', expired: rootEnd }] : [];
  const others = expiredRoles(set, readAt).filter(({ role }) => role !== 'root');
  return [...root, ...others].map(({ role, expired }) => ({ role, expired: Math.floor(expired / SECOND) * SECOND }));
}

/** The last moment at which clients accept the collection unchanged. */
export function usableUntil({ root, timestamp, snapshot, targets }: TrustedView): Instant {
  const files = [timestamp, snapshot, targets.get('targets')].map((file) => file?.payload.expires.at ?? UNEXPIRED);
  return Math.min(rootUsableUntil(root), ...files);
}

/** The delegations that lack signatures, whether or not they have expired. */
export function unsignedRoles(unusable: VerifiedCopy['unusable']): readonly DelegationName[] {
  return [...unusable].filter(([, { why }]) => why === 'unsigned').map(([role]) => role as DelegationName);
}

function verifyRoots({ gun, roots: files }: CollectionCopy): readonly TrustedRoot[] {
  const [oldest, ...others] = files;
  if (oldest === undefined) throw new SignetError('trust-data-missing', 'it has no root');
  const roots = [trustCachedRoot(gun, oldest.bytes)];
  for (const { bytes } of others) {
    roots.push(trustNextRoot(roots.at(-1) as TrustedRoot, bytes, TRUST_ON_FIRST_USE, UNEXPIRED, 'intermediate'));
  }
  const misnamed = roots.findIndex(({ root }, at) => root.version !== files[at]?.version);
  if (misnamed >= 0) {
    throw new SignetError('metadata-malformed', `its root ${files[misnamed]?.version} is of another version`);
  }
  return roots;
}

export interface VerifiedFiles extends Omit<VerifiedCopy, 'roots'> {
  /** The files that were not verified, because no role delegates to them. */
  readonly unclaimed: ReadonlyMap<CopiedRole, Buffer>;
}

/**
 * Verifies the files of a copy under its newest root, ignoring expiry. Yields the length of each file before it is read,
 * so that a server can handle other requests in between.
 */
export function* verifyFiles(
  { files }: Pick<CollectionCopy, 'files'>,
  root: TrustedRoot,
): Generator<number, VerifiedFiles, void> {
  const unread = new Map(files);
  const take = (role: CopiedRole): Buffer => {
    const bytes = unread.get(role);
    if (bytes === undefined) throw new SignetError('trust-data-missing', `it lacks ${role}`);
    unread.delete(role);
    return bytes;
  };
  const set = new TrustedSet(root, UNEXPIRED);
  yield (files.get('timestamp')?.length ?? 0) + (files.get('snapshot')?.length ?? 0);
  set.updateTimestamp(take('timestamp'));
  set.updateSnapshot(take('snapshot'));
  const unusable = new Map<TargetsRole, UnusableFile>();
  let visited = 0;
  for (let level: readonly TargetsRole[] = ['targets']; level.length > 0; ) {
    visited += level.length;
    if (visited > LIMITS.delegations) {
      throw new SignetError('too-large', `it has more than ${LIMITS.delegations} delegations`);
    }
    for (const role of level) {
      // A delegation that was never published has no file.
      if (role !== 'targets' && set.promised(role) === undefined) continue;
      yield files.get(role)?.length ?? 0;
      const passedOver = trustOrPassOver(set, role, take(role));
      if (passedOver !== undefined) unusable.set(role, passedOver.file);
    }
    level = level.flatMap((role) => set.delegationsOf(role).map(({ name }) => name));
  }
  return { set, unusable, unclaimed: unread };
}

/** Runs all steps and returns their result, for callers with nothing else to do in between. */
export function drained<Result>(steps: Generator<unknown, Result, void>): Result {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** People read a copy's claims about itself, so they must match exactly what was verified. */
function checkClaims({ readAt, verification }: CollectionCopy, { set, unusable }: Omit<VerifiedCopy, 'roots'>): void {
  const expiries = (files: readonly ExpiredFile[]) =>
    files.map(({ role, expired }) => `${role} ${formatTime(expired)}`).sort();
  const claimed = expiries(verification.expired);
  const found = expiries(expiredFiles(set, readAt));
  const unsigned = unsignedRoles(unusable);
  if (claimed.join() !== found.join() || [...verification.unsigned].sort().join() !== [...unsigned].sort().join()) {
    throw new SignetError('metadata-malformed', 'what it says of expired and unsigned files is not so');
  }
}
