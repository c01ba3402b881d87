import type { Metadata } from '../metadata/common.ts';
import type { RoleName } from '../names/role.ts';
import { DAY, type Instant } from '../time.ts';
import type { TrustedSet, TrustedView } from './trusted-set.ts';

/** Notary warns six months ahead. */
export const EXPIRY_NOTICE = 182 * DAY;

/**
 * Warnings about files that expire within six months, in Notary's words (protocol A.12). The timestamp is left out: the
 * server renews it.
 */
export function expiryWarnings(set: TrustedSet, now: Instant): readonly string[] {
  const files: [string, Metadata][] = [
    ['root', set.root.root],
    ...[...set.targets].map(([role, { payload }]): [string, Metadata] => [`${role} metadata`, payload]),
    ['snapshot', set.snapshot.payload],
  ];
  return files
    .filter(([, { expires }]) => expires.at < now + EXPIRY_NOTICE)
    .map(([what]) => `${what} is nearing expiry, you should re-sign the role metadata`);
}

/** A role's file that has expired, and when. */
interface ExpiredRole {
  readonly role: RoleName;
  readonly expired: Instant;
}

/** The expired files of a collection, in the order in which a client reads them. */
export function expiredRoles(
  { root, timestamp, snapshot, targets }: TrustedView,
  now: Instant,
): readonly ExpiredRole[] {
  const files: [RoleName, Metadata][] = [
    ['root', root.root],
    ['timestamp', timestamp.payload],
    ['snapshot', snapshot.payload],
    ...[...targets].map(([role, { payload }]): [RoleName, Metadata] => [role, payload]),
  ];
  return files
    .filter(([, { expires }]) => expires.at < now)
    .map(([role, { expires }]) => ({ role, expired: expires.at }));
}
