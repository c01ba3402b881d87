import { allDelegations } from '../core/lookup.ts';
import type { KeyId } from '../core/names/key-id.ts';
import { RELEASES } from '../core/names/role.ts';
import type { Approval, ProposedFile } from '../core/proposal.ts';
import { baseSigners, canonicalKeyIds } from '../core/signers.ts';
import type { TrustedSet } from '../core/trusted-set.ts';
import { signerName } from './signer-roles.ts';

/** A key that may sign, by the name under which people know it. */
export interface Signatory {
  /** A signer's name; where the key belongs to none, the role that it administers; else empty. */
  readonly name: string;
  /** Canonical. */
  readonly id: KeyId;
}

/** What a waiting file has of the signatures it needs, with the names of those who gave them. */
export interface SignatureCount {
  readonly role: string;
  /** Set where the same file needs the signatures of two groups: a root is signed for its successor and for itself. */
  readonly as: 'former root' | 'new root' | undefined;
  readonly threshold: number;
  readonly signed: readonly Signatory[];
  readonly lacking: readonly Signatory[];
}

/** Who has signed each waiting file, and who still can. */
export function countSignatures(set: TrustedSet, files: readonly ProposedFile[]): readonly SignatureCount[] {
  return files.flatMap(({ role, approvals }) =>
    approvals.map((approval, index) => ({ ...countOne(set, approval), role, as: groupOf(index, approvals.length) })),
  );
}

/** The name under which a key is known in a collection. */
export function signatoryOf(set: TrustedSet, id: KeyId): Signatory {
  const signer = allDelegations(set).find((role) => role.name !== RELEASES && canonicalKeyIds(role).includes(id));
  if (signer !== undefined) return { name: signerName(signer.name), id };
  const admin = (['root', 'targets'] as const).find((role) =>
    canonicalKeyIds(baseSigners(set.root.root, role)).includes(id),
  );
  return { name: admin === undefined ? '' : `${admin} key`, id };
}

function countOne(set: TrustedSet, { threshold, keyIds, signed }: Approval): Omit<SignatureCount, 'role' | 'as'> {
  const known = (ids: readonly KeyId[]) => ids.map((id) => signatoryOf(set, id));
  return { threshold, signed: known(signed), lacking: known(keyIds.filter((id) => !signed.includes(id))) };
}

function groupOf(index: number, groups: number): SignatureCount['as'] {
  if (groups === 1) return undefined;
  return index === 0 ? 'new root' : 'former root';
}
