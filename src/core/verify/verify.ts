import { SignetError } from '../errors/index.ts';
import { canonicalKeyId } from '../keys/public-key.ts';
import type { Metadata } from '../metadata/common.ts';
import type { Envelope } from '../metadata/envelope.ts';
import type { KeyId } from '../names/key-id.ts';
import type { RoleName } from '../names/role.ts';
import { verifySignature } from '../signature.ts';
import { formatTime, type Instant } from '../time.ts';
import type { Signers } from './signers.ts';

const REMEDY = 'The metadata must be signed again by its owner; nothing is trusted until then';

/**
 * Checks that enough of the role's keys signed the payload (protocol A.5.1). Signatures by other keys and invalid ones
 * do not count, and neither do two signatures of one public key, whatever certificates it is in. Throws
 * `signatures-missing` or `threshold-not-met`.
 */
export function verifyThreshold(envelope: Envelope, signers: Signers): void {
  if (envelope.signatures.length === 0) throw new SignetError('signatures-missing', 'tuf: data has no signatures');
  const valid = validSigners(envelope, signers);
  const { threshold } = signers;
  if (valid.size < threshold) {
    throw new SignetError('threshold-not-met', `valid signatures did not meet threshold for ${envelope.role}`, {
      detail: { role: envelope.role, valid: valid.size, threshold },
    });
  }
}

/** The canonical IDs of the signers whose signatures over the payload are valid. */
export function validSigners(
  envelope: Envelope,
  { keyIds, keys }: Pick<Signers, 'keyIds' | 'keys'>,
): ReadonlySet<KeyId> {
  const signers = new Set<KeyId>();
  for (const signature of envelope.signatures) {
    const key = keyIds.includes(signature.keyId) ? keys.get(signature.keyId) : undefined;
    if (key === undefined) continue;
    const id = canonicalKeyId(key);
    if (!signers.has(id) && verifySignature(key, signature, envelope.message)) signers.add(id);
  }
  return signers;
}

/** The only expiry check, the same for every role. Throws `metadata-expired` once `now` is past the expiry. */
export function checkExpiry(role: RoleName, { expires }: Metadata, now: Instant): void {
  if (expires.at < now) {
    throw new SignetError('metadata-expired', `${role} expired at ${goDate(expires.at)}`, {
      detail: { role, expires: expires.text },
      next: `${REMEDY}. If that cannot be, check the clock of this machine: it says ${formatTime(now)}`,
    });
  }
}

/** The only rollback check: `found` must not be below `known`. Throws `version-rollback`. */
export function checkVersion(role: RoleName, found: number, known: number): void {
  if (found < known) {
    throw new SignetError('version-rollback', `version ${found} is lower than current version ${known}`, {
      detail: { role, found, known },
    });
  }
}

/** Go's layout `Mon Jan 2 15:04:05 MST 2006`, in UTC. */
function goDate(instant: Instant): string {
  const [weekday, day, month, year, time] = new Date(instant).toUTCString().replace(',', '').split(' ');
  return `${weekday} ${month} ${Number(day)} ${time} UTC ${year}`;
}
