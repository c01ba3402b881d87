import type { Approval, ProposedFile } from '../../core/edit/proposal.ts';
import type { KeyId } from '../../core/names/key-id.ts';
import { RELEASES } from '../../core/names/role.ts';
import { allDelegations } from '../../core/verify/lookup.ts';
import { canonicalKeyIds } from '../../core/verify/signers.ts';
import type { TrustedSet } from '../../core/verify/trusted-set.ts';
import { signerName } from './signer-roles.ts';

/** A key that may sign, by the name under which people know it. */
export interface Signatory {
  /** A signer's name; if the key belongs to none, the role that it administers; else empty. */
  readonly name: string;
  /** Canonical. */
  readonly id: KeyId;
}

/** What a waiting file has of the signatures it needs, with the names of those who gave them. */
export interface SignatureCount {
  readonly role: string;
  /** Set if the same file needs the signatures of two groups: a root is signed for its successor and for itself. */
  readonly as: 'former root' | 'new root' | undefined;
  readonly threshold: number;
  readonly signed: readonly Signatory[];
  readonly lacking: readonly Signatory[];
}

/**
 * Who has signed each waiting file, and who still can: by groups if a file has several and
 * lacks signatures of one, once if it lacks none or the groups are the same.
 */
export function countSignatures(set: TrustedSet, files: readonly ProposedFile[]): readonly SignatureCount[] {
  return files.flatMap((file) => countGroups(set, file));
}

/** The name under which a key is known in a collection. */
export function signatoryOf(set: TrustedSet, id: KeyId): Signatory {
  const signer = allDelegations(set).find((role) => role.name !== RELEASES && canonicalKeyIds(role).includes(id));
  if (signer !== undefined) return { name: signerName(signer.name), id };
  const admin = (['root', 'targets'] as const).find((role) => canonicalKeyIds(set.signersOf(role)).includes(id));
  return { name: admin === undefined ? '' : `${admin} key`, id };
}

function countGroups(set: TrustedSet, { role, approvals }: ProposedFile): readonly SignatureCount[] {
  const [own, former] = approvals.map((approval) => ({ ...countOne(set, approval), role, as: undefined }));
  if (own === undefined) return [];
  if (former === undefined || isSameGroup(own, former) || !(lacks(own) || lacks(former))) return [own];
  const counts: readonly SignatureCount[] = [
    { ...own, as: 'new root' },
    { ...former, as: 'former root' },
  ];
  return counts.filter(lacks);
}

function countOne(set: TrustedSet, { threshold, keyIds, signed }: Approval): Omit<SignatureCount, 'role' | 'as'> {
  const known = (ids: readonly KeyId[]) => ids.map((id) => signatoryOf(set, id));
  return { threshold, signed: known(signed), lacking: known(keyIds.filter((id) => !signed.includes(id))) };
}

function lacks({ signed, threshold }: SignatureCount): boolean {
  return signed.length < threshold;
}

function isSameGroup(one: SignatureCount, other: SignatureCount): boolean {
  const idsOf = ({ signed, lacking }: SignatureCount) => [...signed, ...lacking].map(({ id }) => id).sort();
  return one.threshold === other.threshold && idsOf(one).join() === idsOf(other).join();
}
