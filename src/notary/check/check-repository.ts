import { drained, expiredFiles, type VerifiedFiles, verifyFiles } from '../../core/copy/verify-copy.ts';
import { isSignetError, type SignetError } from '../../core/errors/index.ts';
import { LIMITS } from '../../core/limits.ts';
import { baseRoleKeys, type Root } from '../../core/metadata/root.ts';
import type { Gun } from '../../core/names/gun.ts';
import type { KeyId } from '../../core/names/key-id.ts';
import { DAY, formatTime, type Instant } from '../../core/time.ts';
import { rootUsableUntil, trustCachedRoot } from '../../core/verify/root-trust.ts';
import type { CurrentFiles } from '../store/metadata-store.ts';
import type { OnlineRole } from '../store/online-key-store.ts';
import type { Finding } from './report.ts';

/** What is known about a key that a root may list. */
export interface KnownKey {
  readonly gun: string;
  /** Why it does not open. Undefined if it does. */
  readonly trouble: string | undefined;
}

interface RepositoryToCheck {
  readonly gun: Gun;
  readonly files: CurrentFiles['files'];
  /** The keys of the signer. Undefined if they were not checked. */
  readonly keys: ReadonlyMap<KeyId, KnownKey> | undefined;
  readonly now: Instant;
}

/** How long before an expiry it is reported. */
const NOTICE = 30 * DAY;

/** Checks the current files of a repository as clients do, and whether Signet could continue with them. */
export function checkRepository(repository: RepositoryToCheck): readonly Finding[] {
  const { gun, files } = repository;
  if (files.size === 0) {
    const message = 'it has files, but no timestamp: Notary serves nothing of it but old versions, and so does Signet';
    return [{ level: 'warning', code: 'timestamp-missing', about: gun, message }];
  }
  return [...verification(repository), ...sizes(repository)];
}

function verification({ gun, files, keys, now }: RepositoryToCheck): readonly Finding[] {
  try {
    const [root, ...missing] = [files.get('root'), files.get('snapshot'), files.get('targets')].filter(
      (file) => file !== undefined,
    );
    if (root?.role !== 'root' || missing.length < 2) return [incomplete(gun, files)];
    const trusted = trustCachedRoot(gun, root.bytes);
    const others = new Map(
      [...files].flatMap(([role, { bytes }]) => (role === 'root' ? [] : [[role, bytes] as const])),
    );
    const verified = drained(verifyFiles({ files: others }, trusted));
    return [...expiries(gun, verified, now), ...passedOver(gun, verified), ...onlineKeys(gun, trusted.root, keys)];
  } catch (error) {
    if (!isSignetError(error)) throw error;
    return [refused(gun, error)];
  }
}

function incomplete(gun: Gun, files: CurrentFiles['files']): Finding {
  const missing = (['root', 'snapshot', 'targets'] as const).filter((role) => !files.has(role));
  const message = `no client accepts it: what its timestamp leads to is not stored (${missing.join(', ')})`;
  return { level: 'warning', code: 'trust-data-missing', about: gun, message };
}

/**
 * Clients parse more leniently than Signet, so a file that Signet cannot parse may work for them. Parsed files are
 * judged alike.
 */
function refused(gun: Gun, error: SignetError): Finding {
  const isUnread = /^(?:json|metadata|time|key|certificate|checksum-missing)/.test(error.code);
  if (!isUnread || error.code === 'metadata-expired') {
    return { level: 'warning', code: error.code, about: gun, message: `no client accepts it: ${error.message}` };
  }
  return {
    level: 'warning',
    code: error.code,
    about: gun,
    message: `Signet cannot read it, serves it as it is, and takes no publish onto it: ${error.message}`,
    next: 'If clients accept it, let its owner publish that role once more with Notary before the change.',
  };
}

function expiries(gun: Gun, { set }: VerifiedFiles, now: Instant): readonly Finding[] {
  // The server itself renews its timestamp, and its snapshot if it has the key.
  const expired = expiredFiles(set, now).filter(({ role }) => role !== 'timestamp');
  if (expired.length > 0) {
    return expired.map(({ role, expired: at }) => ({
      level: 'warning',
      code: 'metadata-expired',
      about: gun,
      message: `${role} expired on ${formatTime(at)}`,
      next: `Its owner signs it again: signet trust renew ${gun}`,
    }));
  }
  const signed = [set.snapshot, ...set.targets.values()].map(({ payload }) => payload.expires.at);
  const until = Math.min(rootUsableUntil(set.root), ...signed);
  if (until > now + NOTICE) return [];
  const message = `something of it expires on ${formatTime(until)}`;
  return [{ level: 'note', code: 'metadata-expires', about: gun, message, next: `signet trust renew ${gun}` }];
}

function passedOver(gun: Gun, { unusable }: VerifiedFiles): readonly Finding[] {
  return [...unusable].map(([role, { why }]) => ({
    level: 'warning',
    code: why === 'expired' ? 'metadata-expired' : 'threshold-not-met',
    about: gun,
    message: `clients pass over ${role}: it ${why === 'expired' ? 'has expired' : 'lacks signatures'}`,
  }));
}

function onlineKeys(gun: Gun, root: Root, keys: RepositoryToCheck['keys']): readonly Finding[] {
  if (keys === undefined) return [];
  return (['timestamp', 'snapshot'] as const).flatMap((role) => {
    const { keyIds, threshold } = baseRoleKeys(root, role);
    const known = keyIds.map((id) => [id, keys.get(id)] as const).filter(([, key]) => key !== undefined);
    // The owner may have kept the snapshot key.
    if (known.length === 0 && role === 'snapshot') return [];
    const usable = known.filter(([, key]) => key?.gun === gun && key.trouble === undefined);
    if (usable.length >= threshold) return [];
    return [{ level: 'error', code: 'online-key-missing', about: gun, message: whyNot(gun, role, known) } as const];
  });
}

function whyNot(gun: Gun, role: OnlineRole, known: readonly (readonly [KeyId, KnownKey | undefined])[]): string {
  const [id, key] = known[0] ?? [];
  const consequence =
    role === 'timestamp' ? 'its timestamp could not be renewed' : 'only its owner could sign its snapshot';
  if (id === undefined || key === undefined) return `the signer does not have its ${role} key: ${consequence}`;
  if (key.gun !== gun) return `its ${role} key ${id} belongs to ${key.gun || 'no repository'}: ${consequence}`;
  return `${consequence}: ${key.trouble}`;
}

function sizes({ gun, files }: RepositoryToCheck): readonly Finding[] {
  const findings: Finding[] = [];
  let total = 0;
  for (const { role, bytes } of files.values()) {
    total += bytes.length;
    const limit = role === 'timestamp' ? LIMITS.timestamp : LIMITS.metadata;
    if (bytes.length <= limit) continue;
    const message = `${role} has ${bytes.length} bytes, and Signet's own clients read ${limit} at most`;
    findings.push({ level: 'warning', code: 'too-large', about: gun, message });
  }
  if (total > LIMITS.published) {
    const message = `its files have ${total} bytes together: Signet serves them, but takes no publish that leaves more than ${LIMITS.published}`;
    findings.push({ level: 'warning', code: 'upload-too-large', about: gun, message });
  }
  return findings;
}
