import { SignetError } from '../errors/index.ts';
import { canonicalKeyId } from '../keys/public-key.ts';
import type { KeyMap, RoleKeys } from '../metadata/common.ts';
import { baseRoleKeys, type Root } from '../metadata/root.ts';
import type { Targets } from '../metadata/targets.ts';
import type { KeyId } from '../names/key-id.ts';
import { type BaseRole, type DelegationName, parentOf, type TargetsRole } from '../names/role.ts';

/** Who may sign for a role: its keys as its delegator lists them, and how many of them must sign. */
export interface Signers extends RoleKeys {
  readonly keys: KeyMap;
}

/** Gives the payload of a targets file, undefined if there is none to rely on. */
type PayloadOf = (role: TargetsRole) => Targets | undefined;

/** Who may sign for a base role, by a root. */
export function baseSigners(root: Root, role: BaseRole): Signers {
  return { ...baseRoleKeys(root, role), keys: root.keys };
}

/**
 * Who may sign for `targets`, by the root, or for a delegation, by the file of its delegator: the one place where a role
 * is looked up, under its own delegator only. Throws `role-unknown` for a delegation that its delegator does not make.
 */
export function targetsSigners(role: TargetsRole, root: Root, payloadOf: PayloadOf): Signers {
  if (role === 'targets') return baseSigners(root, 'targets');
  const delegator = payloadOf(parentOf(role));
  const delegation = delegator?.delegations.find(({ name }) => name === role);
  if (delegator === undefined || delegation === undefined) throw unknownDelegation(role);
  return { keyIds: delegation.keyIds, threshold: delegation.threshold, keys: delegator.delegationKeys };
}

/** The names of the private key files that can sign for a role. */
export function canonicalKeyIds({ keyIds, keys }: Pick<Signers, 'keyIds' | 'keys'>): readonly KeyId[] {
  return keyIds.map((id) => canonicalIdIn(keys, id));
}

/** The canonical ID of a key that metadata lists under `id`, which for a certificate is another. */
export function canonicalIdIn(keys: KeyMap, id: KeyId): KeyId {
  const key = keys.get(id);
  return key === undefined ? id : canonicalKeyId(key);
}

export function unknownDelegation(role: DelegationName): SignetError {
  return new SignetError('role-unknown', `tuf: invalid role ${role}. delegation does not exist`, {
    detail: { role },
    next: 'See which roles there are: signet trust delegation list REPOSITORY',
  });
}
