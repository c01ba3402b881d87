import { SignetError } from '../errors/index.ts';
import { LIMITS } from '../limits.ts';
import { printable } from '../printable.ts';
import type { Named } from './brand.ts';

/** A role of the trust collection: a base role, or a delegation such as `targets/releases`. */
export type RoleName = BaseRole | DelegationName;
export type BaseRole = (typeof BASE_ROLES)[number];
/** A role whose file lists targets. */
export type TargetsRole = 'targets' | DelegationName;
export type DelegationName = Named<'DelegationName'>;

export const BASE_ROLES = ['root', 'targets', 'snapshot', 'timestamp'] as const;

/** The delegation that docker reads first and that every signer signs. */
export const RELEASES = 'targets/releases' as DelegationName;

const DELEGATION = /^targets(?:\/[-a-z0-9_]+)+$/;

/** Parses a role name (protocol A.6). Throws `role-invalid`. */
export function parseRole(text: string): RoleName {
  return isBaseRole(text) ? text : parseDelegation(text);
}

/** Parses a delegation's name: `targets/` and components of `[-a-z0-9_]`, at most 255 characters. Throws `role-invalid`. */
export function parseDelegation(text: string): DelegationName {
  if (!isDelegation(text)) {
    throw new SignetError('role-invalid', `tuf: invalid role ${printable(text, 300)}.`, {
      detail: { role: text.slice(0, 300) },
    });
  }
  return text;
}

/** Parses `targets` or a delegation's name. Throws `role-invalid`. */
export function parseTargetsRole(text: string): TargetsRole {
  return text === 'targets' ? text : parseDelegation(text);
}

/** Whether a text names root, targets, snapshot or timestamp. */
export function isBaseRole(text: string): text is BaseRole {
  return (BASE_ROLES as readonly string[]).includes(text);
}

/** Whether a text is a valid name of a delegation. */
export function isDelegation(text: string): text is DelegationName {
  return text.length <= LIMITS.role && DELEGATION.test(text);
}

/** `targets` or a delegation. */
export function isTargetsRole(role: RoleName): role is TargetsRole {
  return role === 'targets' || !isBaseRole(role);
}

/** The role that delegates to `role`: `targets/a` for `targets/a/b`. */
export function parentOf(role: DelegationName): TargetsRole {
  return parseTargetsRole(role.slice(0, role.lastIndexOf('/')));
}

/** A signer's name is the last part of a direct child of `targets`: `alice` for `targets/alice`. */
export function signerRole(name: string): DelegationName {
  return parseDelegation(`targets/${name}`);
}
