import { baseRoleKeys } from '../../core/metadata/root.ts';
import { digestHex } from '../../core/names/digest.ts';
import type { KeyId } from '../../core/names/key-id.ts';
import { RELEASES, type TargetsRole } from '../../core/names/role.ts';
import { allDelegations, allTargets, isUnanswered } from '../../core/verify/lookup.ts';
import { canonicalKeyIds } from '../../core/verify/signers.ts';
import type { TrustedSet } from '../../core/verify/trusted-set.ts';
import { validSigners } from '../../core/verify/verify.ts';
import { type Adoption, readAdoption } from '../adopt/adoption.ts';
import { targetDigest } from '../decide/resolve.ts';
import { signatoryOf } from '../keys/signatories.ts';
import { signerName } from '../keys/signer-roles.ts';
import { naturalCompare } from './natural-order.ts';

/** What docker calls signers without a name. */
const ADMIN = 'Repo Admin';

/** A tag with one digest that is released under it, and that no one may have replaced since, and who vouches for just that digest. */
interface SignedTagRow {
  readonly tag: string;
  /** Hexadecimal, without the algorithm. */
  readonly digest: string;
  /** Signers in tree order; none if only the repository's administrator signed. */
  readonly signers: readonly string[];
  /** On whose word it was vouched for; undefined for a tag that was not adopted. */
  readonly adoption?: Adoption;
}

interface SignerKeys {
  readonly name: string;
  readonly keys: readonly KeyId[];
}

/**
 * What `docker trust inspect` prints about a repository (protocol D.16).
 *
 * @example
 * ```ts
 * import { type Inspection, inspectCollection } from 'signet';
 *
 * const inspection: Inspection = inspectCollection((await repository.read()).set, '1.0');
 * assert.deepEqual(inspection.tags.map(({ tag, signers }) => [tag, signers]), [['1.0', []]]);
 * ```
 */
export interface Inspection {
  /** In natural order of tags. */
  readonly tags: readonly SignedTagRow[];
  /** In tree order. */
  readonly signers: readonly SignerKeys[];
  readonly rootKeys: readonly KeyId[];
  readonly repositoryKeys: readonly KeyId[];
}

/**
 * Describes a collection, with one tag or all.
 *
 * @example
 * ```ts
 * import { inspectCollection } from 'signet';
 *
 * const { set } = await repository.read();
 * for (const { tag, digest, signers } of inspectCollection(set).tags) {
 *   console.log(tag, digest, signers.join(', ') || 'Repo Admin');
 * }
 * ```
 */
export function inspectCollection(set: TrustedSet, tag?: string): Inspection {
  return {
    tags: signedTags(set, tag),
    signers: allDelegations(set)
      .filter(({ name }) => name !== RELEASES)
      .map((delegation) => ({ name: signerName(delegation.name), keys: canonicalKeyIds(delegation) })),
    rootKeys: baseRoleKeys(set.root.root, 'root').keyIds,
    repositoryKeys: baseRoleKeys(set.root.root, 'targets').keyIds,
  };
}

function signedTags(set: TrustedSet, tag: string | undefined): readonly SignedTagRow[] {
  const rows = new Map<
    string,
    { tag: string; digest: string; isReleased: boolean; signers: string[]; adoption?: Adoption | undefined }
  >();
  const together = agreeing(set);
  for (const { name, target, role } of allTargets(set, tag)) {
    if (!target.hashes.has('sha256')) continue;
    const digest = digestHex(targetDigest(target));
    const key = JSON.stringify([name, digest]);
    const row = rows.get(key) ?? { tag: name, digest, isReleased: false, signers: [] };
    rows.set(key, row);
    if (isReleasing(role)) row.isReleased = !isUnanswered(set, name);
    if (isReleasing(role)) row.adoption ??= readAdoption(target.custom);
    const names = role === RELEASES ? together : isReleasing(role) ? [] : [role.slice('targets/'.length)];
    row.signers.push(...names.filter((each) => !row.signers.includes(each)));
  }
  return [...rows.values()]
    .filter(({ isReleased }) => isReleased)
    .map(({ tag: name, digest, signers, adoption }) => ({
      ...{ tag: name, digest, signers },
      ...(adoption === undefined ? {} : { adoption }),
    }))
    .sort((a, b) => naturalCompare(a.tag, b.tag));
}

/**
 * Who signed a release together: if several must, each of them vouches for all that is in it, also one who has a role
 * of their own that says nothing of it. If one is enough, the last to sign the file may have meant another tag.
 */
function agreeing(set: TrustedSet): readonly string[] {
  const envelope = set.targets.get(RELEASES)?.envelope;
  const signers = set.delegationsOf('targets').find(({ name }) => name === RELEASES);
  if (envelope === undefined || signers === undefined || signers.threshold < 2) return [];
  return [...validSigners(envelope, signers)].map((id) => {
    const { name } = signatoryOf(set, id);
    return name === '' || name.endsWith(' key') ? ADMIN : name;
  });
}

function isReleasing(role: TargetsRole): boolean {
  return role === 'targets' || role === RELEASES;
}
