import type { Metadata } from './metadata/common.ts';
import { DAY, type Instant } from './time.ts';
import type { TrustedSet } from './trusted-set.ts';

/** Notary warns six months ahead. */
const AHEAD = 182 * DAY;

/**
 * What a signer should know of files that expire within half a year, in Notary's words (protocol A.12). The timestamp is
 * left out: the server renews it by itself.
 */
export function expiryWarnings(set: TrustedSet, now: Instant): readonly string[] {
  const files: [string, Metadata][] = [
    ['root', set.root.root],
    ...[...set.targets].map(([role, { payload }]): [string, Metadata] => [`${role} metadata`, payload]),
    ['snapshot', set.snapshot.payload],
  ];
  return files
    .filter(([, { expires }]) => expires.at < now + AHEAD)
    .map(([what]) => `${what} is nearing expiry, you should re-sign the role metadata`);
}
