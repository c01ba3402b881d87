import type { Gun } from '../../core/names/gun.ts';
import { gunOf, type Reference } from '../../core/names/reference.ts';
import { isDelegation, parentOf, type TargetsRole } from '../../core/names/role.ts';
import type { Instant } from '../../core/time.ts';
import type { Pinning } from '../../core/verify/pinning.ts';
import { checkRootCurrent } from '../../core/verify/root-trust.ts';
import type { TrustedView } from '../../core/verify/trusted-set.ts';
import { checkExpiry } from '../../core/verify/verify.ts';
import type { ImageRules } from './image-rules.ts';

/**
 * What a decision is based on. Neither keys nor proposals are part of it.
 *
 * @example
 * ```ts
 * import { decide, type Evidence } from 'signet';
 *
 * const nextYear: Evidence = { ...client.evidence(), now: () => Date.now() + 4 * 365 * 24 * 3600 * 1000 };
 * assert.equal((await decide(image, nextYear)).verdict, 'refused'); // expired by then
 * ```
 */
export interface Evidence {
  readonly rules: ImageRules;
  readonly pinning: Pinning;
  /** The updated collection of the reference's repository. Errors count as refusals. */
  collectionOf(reference: Reference): Promise<CollectionView>;
  /** The time of the decision: data that was verified earlier may have expired since. */
  now(): Instant;
}

/**
 * A read-only view of a collection.
 *
 * @example
 * ```ts
 * import { type CollectionView, inspectCollection } from 'signet';
 *
 * const view: CollectionView = await client.evidence().collectionOf(image);
 * assert.ok(view.set.targets.has('targets'));
 * ```
 */
export interface CollectionView {
  readonly set: TrustedView;
}

/** The same evidence, updating each collection only once: for the decisions of one command. */
export function cachingEvidence(evidence: Evidence): Evidence {
  const collections = new Map<Gun, Promise<CollectionView>>();
  const collectionOf = (reference: Reference): Promise<CollectionView> => {
    const gun = gunOf(reference);
    const known = collections.get(gun) ?? evidence.collectionOf(reference);
    collections.set(gun, known);
    return known;
  };
  return { rules: evidence.rules, pinning: evidence.pinning, collectionOf, now: () => evidence.now() };
}

/**
 * Checks that everything a role's entries depend on is still valid: the root and its certificates, the timestamp, the
 * snapshot, the role and its delegators. Throws `metadata-expired`, `root-untrusted` or `root-pin-mismatch`.
 */
export function checkInForce(set: TrustedView, role: TargetsRole, pinning: Pinning, now: Instant): void {
  checkRootCurrent(set.root, pinning, now);
  checkExpiry('timestamp', set.timestamp.payload, now);
  checkExpiry('snapshot', set.snapshot.payload, now);
  for (const speaker of withDelegators(role)) {
    const trusted = set.targets.get(speaker);
    if (trusted !== undefined) checkExpiry(speaker, trusted.payload, now);
  }
}

/** From `targets` down to the role. */
function withDelegators(role: TargetsRole): readonly TargetsRole[] {
  return isDelegation(role) ? [...withDelegators(parentOf(role)), role] : [role];
}
