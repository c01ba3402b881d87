import { SignetError } from '../../core/errors/index.ts';
import type { KeyId } from '../../core/names/key-id.ts';
import { type DelegationName, parentOf, RELEASES, type TargetsRole } from '../../core/names/role.ts';
import { admits, allDelegations } from '../../core/verify/lookup.ts';
import { canonicalKeyIds } from '../../core/verify/signers.ts';
import type { DelegatedRole, TrustedSet } from '../../core/verify/trusted-set.ts';
import type { KeyRing } from './key-ring.ts';

const NO_SIGNER =
  'The repository has no signer any more. Whoever has its key adds one: signet trust signer add --key NAME.pub NAME REPOSITORY';

/** All delegations of the collection, without `releases`: the roles of signers, and what those delegate to others. */
export function signersOf(set: TrustedSet): readonly DelegatedRole[] {
  return allDelegations(set).filter(({ name }) => name !== RELEASES);
}

/** A signer's name as docker shows it: the role without `targets/`. */
export function signerName(role: DelegationName): string {
  return role.slice('targets/'.length);
}

/**
 * The roles into which this person signs a tag (protocol D.8): `targets` while there are no delegations; else every
 * direct child of `targets` whose paths admit the tag and of whose keys one is here. Throws `signing-key-missing`.
 */
export async function signableRoles(set: TrustedSet, tag: string, keys: KeyRing): Promise<readonly TargetsRole[]> {
  const delegations = allDelegations(set);
  if (delegations.length === 0) return ['targets'];
  const signable: TargetsRole[] = [];
  for (const delegation of delegations) {
    const isCandidate = parentOf(delegation.name) === 'targets' && admits(set, delegation.name, tag);
    if (isCandidate && (await countHere(keys, canonicalKeyIds(delegation))) > 0) signable.push(delegation.name);
  }
  if (signable.length > 0) return signable;
  const hasSigner = delegations.some(({ name, keyIds }) => parentOf(name) === 'targets' && keyIds.length > 0);
  throw new SignetError('signing-key-missing', 'no valid signing keys for delegation roles', {
    ...(hasSigner ? {} : { next: NO_SIGNER }),
  });
}

/** How many of the keys are here. */
export async function countHere(keys: Pick<KeyRing, 'has'>, ids: readonly KeyId[]): Promise<number> {
  let count = 0;
  for (const id of ids) if (await keys.has(id)) count++;
  return count;
}
