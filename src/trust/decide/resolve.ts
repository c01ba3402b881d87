import { SignetError } from '../../core/errors/index.ts';
import type { Target } from '../../core/metadata/targets.ts';
import { type Digest, digestFromSha256 } from '../../core/names/digest.ts';
import { RELEASES, type TargetsRole } from '../../core/names/role.ts';
import {
  checkUsable,
  DOCKER_ROLES,
  type FoundTarget,
  findTarget,
  listTargets,
  lookupError,
} from '../../core/verify/lookup.ts';
import type { TrustedView } from '../../core/verify/trusted-set.ts';

/** A tag that docker's rules trust: its digest, and who signed it. */
export interface TrustedTag {
  readonly tag: string;
  readonly digest: Digest;
  /** Signed size of the manifest or index in bytes. */
  readonly length: number;
  readonly role: TargetsRole;
}

/**
 * Resolves a tag to its digest by docker's rule (protocol D.3): the entry in `targets/releases`, else the one in
 * `targets`; entries of other delegations do not count.
 *
 * Throws `target-not-found`, `target-role-untrusted` or `target-hash-missing`, with the message that docker's `pull`
 * prints, and `role-unusable` if `targets/releases` has a file that cannot be trusted; docker would fall back to
 * `targets`.
 */
export function resolveTag(set: TrustedView, tag: string): TrustedTag {
  const found = findTarget(set, tag, DOCKER_ROLES);
  if (found === undefined) throw lookupError(set, tag, [RELEASES]);
  if (!DOCKER_ROLES.includes(found.role)) {
    throw new SignetError('target-role-untrusted', `No trust data for ${tag}`, { detail: { tag, role: found.role } });
  }
  return trustedTag(found);
}

/**
 * Every tag that `resolveTag` would resolve; `skipped` are those signed without a SHA-256 digest. Throws
 * `role-unusable` if that cannot be determined.
 */
export function resolveAllTags(set: TrustedView): {
  readonly tags: readonly TrustedTag[];
  readonly skipped: readonly string[];
} {
  checkUsable(set, [RELEASES]);
  const released = [...listTargets(set, DOCKER_ROLES).values()].filter(({ role }) => DOCKER_ROLES.includes(role));
  const usable = released.filter(({ target }) => target.hashes.has('sha256'));
  return {
    tags: usable.map(trustedTag),
    skipped: released.filter((found) => !usable.includes(found)).map(({ name }) => name),
  };
}

/** The digest that a target was signed with. Throws `target-hash-missing`. */
export function targetDigest(target: Target): Digest {
  const sha256 = target.hashes.get('sha256');
  if (sha256 === undefined) throw new SignetError('target-hash-missing', 'no valid hash, expecting sha256');
  return digestFromSha256(sha256);
}

function trustedTag({ name, target, role }: FoundTarget): TrustedTag {
  return { tag: name, digest: targetDigest(target), length: target.length, role };
}
