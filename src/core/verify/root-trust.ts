import { SignetError } from '../errors/index.ts';
import { isCertificateValid, matchesGun, type RootCertificate, rootCertificateOf } from '../keys/certificate.ts';
import { canonicalKeyId } from '../keys/public-key.ts';
import type { RoleKeys } from '../metadata/common.ts';
import { type Envelope, parseEnvelope } from '../metadata/envelope.ts';
import { baseRoleKeys, type Root, readRoot } from '../metadata/root.ts';
import type { Gun } from '../names/gun.ts';
import { formatTime, type Instant, UNEXPIRED } from '../time.ts';
import { unpinnedError } from './first-use.ts';
import { applyPinning, type Pinning, pinFor } from './pinning.ts';
import { checkExpiry, validSigners, verifyThreshold } from './verify.ts';

/** A root trusted for `gun`. Expiry is checked separately (`checkRootCurrent`). */
export interface TrustedRoot {
  readonly gun: Gun;
  readonly root: Root;
  readonly envelope: Envelope;
}

/**
 * Trusts the cached root of an earlier visit: signed by its own keys, with certificates for this GUN. Expiry does not
 * matter here (protocol G-1): a trusted root may have a successor, and otherwise `checkRootCurrent` refuses it. Throws
 * `root-untrusted`, or an error of parsing.
 */
export function trustCachedRoot(gun: Gun, bytes: Uint8Array): TrustedRoot {
  const { envelope, root } = openRoot(bytes);
  verifyBy(envelope, root, certificatesFor(root, gun), baseRoleKeys(root, 'root'));
  return { gun, root, envelope };
}

/**
 * Trusts a repository's first root, by pin or on first use (protocol A.13.1). Throws `root-untrusted`,
 * `root-pin-mismatch`, `root-unpinned` if nothing is pinned and first use is not enough, or an error of parsing.
 */
export function trustFirstRoot(gun: Gun, bytes: Uint8Array, pinning: Pinning, now: Instant): TrustedRoot {
  const { envelope, root } = openRoot(bytes);
  const valid = validCertificates(root, gun, now);
  verifyBy(envelope, root, applyPinning(pinning, gun, valid, now), baseRoleKeys(root, 'root'));
  if (pinning.tofu !== 'on' && pinFor(pinning, gun) === undefined) throw unpinnedError(gun, valid, pinning.tofu);
  return { gun, root, envelope };
}

/** The certificates that a root relies on at `now`: what a person looks at to decide whether to trust it. */
export function currentCertificates({ root, gun }: TrustedRoot, now: Instant): readonly RootCertificate[] {
  return validCertificates(root, gun, now);
}

/**
 * Trusts the successor of a root: exactly the next version, signed by the threshold of the old root's keys and of its
 * own (protocol A.13.1 and A.13.3; TUF 5.3). Throws `version-rollback`, `version-jump`, `root-rotation-invalid`,
 * `root-pin-mismatch`.
 *
 * `step` is `last` for the newest root, and `intermediate` for one before it, whose certificates may have expired.
 */
export function trustNextRoot(
  previous: TrustedRoot,
  bytes: Uint8Array,
  pinning: Pinning,
  now: Instant,
  step: 'intermediate' | 'last',
): TrustedRoot {
  const { envelope, root } = openRoot(bytes);
  checkSuccession(previous.root.version, root.version);
  const { gun } = previous;
  try {
    verifyBy(envelope, previous.root, certificatesFor(previous.root, gun), baseRoleKeys(previous.root, 'root'));
  } catch (cause) {
    throw new SignetError(
      'root-rotation-invalid',
      'could not rotate trust to a new trusted root: failed to validate data with current trusted certificates',
      {
        cause,
        detail: { version: root.version },
        next: `If its owner has founded the repository again, with another root key, forget the old one: signet trust delete ${gun}`,
      },
    );
  }
  if (root.version === previous.root.version) throw repeated(root.version);
  const own = step === 'last' ? validCertificates(root, gun, now) : certificatesFor(root, gun);
  const admitted = applyPinning(pinning, gun, own, step === 'last' ? now : UNEXPIRED);
  verifyBy(envelope, root, admitted, baseRoleKeys(root, 'root'));
  return { gun, root, envelope };
}

/**
 * Checks that the root can be relied on now: it has not expired, and enough of the keys that signed it have
 * certificates that are valid now and match the pins. Unlike in Notary, a pin set later therefore applies to the root
 * of an earlier visit too. Throws `metadata-expired`, `root-untrusted` or `root-pin-mismatch`.
 */
export function checkRootCurrent({ envelope, root, gun }: TrustedRoot, pinning: Pinning, now: Instant): void {
  checkExpiry('root', root, now);
  const admitted = applyPinning(pinning, gun, validCertificates(root, gun, now), now);
  verifyBy(envelope, root, admitted, baseRoleKeys(root, 'root'));
}

/**
 * The last moment at which clients may rely on the root: it has not expired, and so many of those who signed it hold
 * certificates that have not, as its threshold demands.
 */
export function rootUsableUntil({ envelope, root, gun }: TrustedRoot): Instant {
  const { threshold, keyIds } = baseRoleKeys(root, 'root');
  const signed = validSigners(envelope, { keys: root.keys, keyIds });
  const ends = certificatesFor(root, gun)
    .filter(({ key }) => signed.has(canonicalKeyId(key)))
    .map(({ notAfter }) => notAfter)
    .sort((one, other) => other - one);
  return Math.min(root.expires.at, ends[threshold - 1] ?? UNEXPIRED);
}

/** The version of a root that is not verified yet: tells how many steps are needed to reach it. */
export function claimedRootVersion(bytes: Uint8Array): number {
  return openRoot(bytes).root.version;
}

function openRoot(bytes: Uint8Array): { envelope: Envelope; root: Root } {
  const envelope = parseEnvelope('root', bytes);
  return { envelope, root: readRoot(envelope.signed) };
}

/** A root of the same version may be someone else's rather than a successor: its signatures tell. */
function checkSuccession(known: number, found: number): void {
  const detail = { role: 'root', found, known };
  if (found < known) {
    throw new SignetError('version-rollback', `version ${found} is lower than current version ${known}`, { detail });
  }
  if (found > known + 1) {
    throw new SignetError('version-jump', `root version ${found} does not follow version ${known}`, { detail });
  }
}

function repeated(version: number): SignetError {
  return new SignetError('version-rollback', `version ${version} is already trusted with other content`, {
    detail: { role: 'root', found: version, known: version },
  });
}

/** Leaf certificates of the root role for this GUN (protocol A.13.1 steps 2 and 3, without expiry). */
function certificatesFor(root: Root, gun: Gun): readonly RootCertificate[] {
  return baseRoleKeys(root, 'root')
    .keyIds.map((id) => root.keys.get(id))
    .map((key) => (key === undefined ? undefined : rootCertificateOf(key)))
    .filter((certificate) => certificate !== undefined)
    .filter((certificate) => matchesGun(certificate, gun));
}

function validCertificates(root: Root, gun: Gun, now: Instant): readonly RootCertificate[] {
  const all = certificatesFor(root, gun);
  const valid = all.filter((certificate) => isCertificateValid(certificate, now));
  if (valid.length > 0) return valid;
  const why = all.map((certificate) => `: ${invalidity(certificate, now)}`).join('');
  throw new SignetError(
    'root-untrusted',
    `could not validate the path to a trusted root: unable to retrieve valid leaf certificates${why}`,
    { detail: { gun }, ...(all.length === 0 ? {} : { next: stepFor(all, gun, now) }) },
  );
}

function invalidity({ keyId, notBefore, notAfter }: RootCertificate, now: Instant): string {
  const what = `the certificate of the root key ${keyId.slice(0, 12)}`;
  return now > notAfter
    ? `${what} expired on ${formatTime(notAfter)}`
    : `${what} is not valid before ${formatTime(notBefore)}`;
}

function stepFor(certificates: readonly RootCertificate[], gun: Gun, now: Instant): string {
  return certificates.some(({ notAfter }) => now > notAfter)
    ? `Its owner renews it: signet trust renew ${gun} root`
    : 'Check the clock of this machine.';
}

function verifyBy(
  envelope: Envelope,
  root: Root,
  certificates: readonly RootCertificate[],
  { threshold }: RoleKeys,
): void {
  try {
    verifyThreshold(envelope, { keys: root.keys, keyIds: certificates.map(({ keyId }) => keyId), threshold });
  } catch (cause) {
    throw new SignetError(
      'root-untrusted',
      'could not validate the path to a trusted root: failed to validate integrity of roots',
      { cause },
    );
  }
}
