import { lifetimeOf } from '../lifetimes.ts';
import { DAY, type Instant } from '../time.ts';
import type { ProposedFile, Standing } from './proposal.ts';

/** How far the clocks of two people who sign may be apart. */
const CLOCKS_APART = DAY;

/**
 * What about a proposal no honest change needs, a line each: a version more than one above the published one, which uses
 * up those in between, and an expiry outside the lifetime of the role (`lifetimeOf`), which keeps the file in force for
 * as long. No one signs it without a word of their own.
 */
export function unusualIn(files: readonly ProposedFile[], standing: Standing, now: Instant): readonly string[] {
  return files.flatMap((file) => [...unusualVersion(file, standing), ...unusualExpiry(file, now)]);
}

function unusualVersion({ role, metadata: { version } }: ProposedFile, standing: Standing): readonly string[] {
  const published = standing.versionOf(role);
  if (version === published + 1) return [];
  return [`the version of ${role} rises by ${version - published}, from ${published} to ${version}`];
}

function unusualExpiry({ role, metadata: { expires } }: ProposedFile, now: Instant): readonly string[] {
  if (expires.at <= now) return [`${role} would be expired: ${expires.text}`];
  const days = (duration: number) => Math.ceil(duration / DAY);
  const lifetime = lifetimeOf(role);
  if (expires.at <= now + lifetime + CLOCKS_APART) return [];
  return [
    `${role} would expire in ${days(expires.at - now)} days, on ${expires.text}; its lifetime is ${days(lifetime)} days`,
  ];
}
