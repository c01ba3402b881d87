import { SignetError } from '../errors/index.ts';
import { canonicalKeyId } from '../keys/public-key.ts';
import type { KeyMap, RoleKeys } from '../metadata/common.ts';
import { baseRoleKeys, type Root } from '../metadata/root.ts';
import type { Targets } from '../metadata/targets.ts';
import type { KeyId } from '../names/key-id.ts';
import { type BaseRole, type DelegationName, parentOf, type TargetsRole } from '../names/role.ts';

/** Who may sign for a role: the keys its delegator lists, and the threshold. */
export interface Signers extends RoleKeys {
  readonly keys: KeyMap;
}

/** Returns the payload of a targets file, undefined if there is no trusted one. */
type PayloadOf = (role: TargetsRole) => Targets | undefined;

/** Who may sign for a base role, according to a root. */
export function baseSigners(root: Root, role: BaseRole): Signers {
  return { ...baseRoleKeys(root, role), keys: root.keys };
}

/**
 * Who may sign for `targets`, according to the root, or for a delegation, according to its delegator's file. The only
 * place that looks up a role, and only under its own delegator. Throws `role-unknown` if the delegator does not make
 * the delegation.
 */
export function targetsSigners(role: TargetsRole, root: Root, payloadOf: PayloadOf): Signers {
  if (role === 'targets') return baseSigners(root, 'targets');
  const delegator = payloadOf(parentOf(role));
  const delegation = delegator?.delegations.find(({ name }) => name === role);
  if (delegator === undefined || delegation === undefined) throw unknownDelegation(role);
  return { keyIds: delegation.keyIds, threshold: delegation.threshold, keys: delegator.delegationKeys };
}

/** Canonical IDs of the role's keys: the names of the private key files that can sign for it. */
export function canonicalKeyIds({ keyIds, keys }: Pick<Signers, 'keyIds' | 'keys'>): readonly KeyId[] {
  return keyIds.map((id) => canonicalIdIn(keys, id));
}

/** The canonical ID of a key listed in metadata under `id`; the two differ for a certificate. */
export function canonicalIdIn(keys: KeyMap, id: KeyId): KeyId {
  const key = keys.get(id);
  return key === undefined ? id : canonicalKeyId(key);
}

/** The error for a delegation that does not exist. */
export function unknownDelegation(role: DelegationName): SignetError {
  return new SignetError('role-unknown', `tuf: invalid role ${role}. delegation does not exist`, {
    detail: { role },
    next: 'See which roles there are: signet trust delegation list REPOSITORY',
  });
}
