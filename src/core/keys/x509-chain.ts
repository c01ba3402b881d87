import { nodeCrypto } from '../crypto.ts';
import type { Instant } from '../time.ts';
import { OID } from './algorithms.ts';
import { checkCertificate, type RootCertificate } from './certificate.ts';
import { readSpki } from './verifying-key.ts';
import type { Certificate } from './x509.ts';

/**
 * What the certificates of a chain may be for. Notary asks for serverAuth alone, which its own certificates do not have
 * (protocol G-60); codeSigning is what they do.
 */
const PURPOSES: readonly string[] = [OID.codeSigning, OID.serverAuth];

/**
 * Whether a root certificate was issued, at any remove, by one of `authorities` (RFC 5280, 6): through its own
 * intermediates, by name and signature, every link an authority that may sign certificates, of enough path length,
 * valid at `now`, with a strong signature and key, and all of them for one accepted purpose.
 */
export function isIssuedBy(
  authorities: readonly Certificate[],
  { leaf, intermediates }: RootCertificate,
  now: Instant,
): boolean {
  return PURPOSES.some((purpose) => {
    const mayStand = (certificate: Certificate) => servesPurpose(certificate, purpose) && isSound(certificate, now);
    return mayStand(leaf) && reaches(authorities.filter(mayStand), leaf, intermediates.filter(mayStand));
  });
}

/**
 * Climbs from the leaf, a link at a time. Every intermediate is visited once, at its least distance, at which
 * its path length forbids least: so all ways are covered, and no number of crosswise signatures makes the search long.
 */
function reaches(
  authorities: readonly Certificate[],
  leaf: Certificate,
  intermediates: readonly Certificate[],
): boolean {
  let reached: readonly Certificate[] = [leaf];
  let waiting = intermediates;
  for (let below = 0; reached.length > 0; below++) {
    const issuesReached = (issuer: Certificate) => reached.some((issued) => isIssuerOf(issuer, issued, below));
    if (authorities.some(issuesReached)) return true;
    reached = waiting.filter(issuesReached);
    waiting = waiting.filter((certificate) => !reached.includes(certificate));
  }
  return false;
}

/** `below` is the number of authorities between `issuer` and the leaf. */
function isIssuerOf(issuer: Certificate, issued: Certificate, below: number): boolean {
  if (!issuer.isAuthority || !issuer.maySignCertificates) return false;
  if (issuer.pathLength !== undefined && issuer.pathLength < below) return false;
  return issuer.subject.equals(issued.issuer) && isSignedBy(issued, issuer);
}

function isSignedBy(issued: Certificate, issuer: Certificate): boolean {
  try {
    return new (nodeCrypto().X509Certificate)(issued.der).verify(readSpki(issuer.spki).handle);
  } catch {
    return false;
  }
}

function servesPurpose({ purposes }: Certificate, purpose: string): boolean {
  return purposes === undefined || purposes.has(purpose) || purposes.has(OID.anyPurpose);
}

function isSound(certificate: Certificate, now: Instant): boolean {
  try {
    checkCertificate(certificate, now);
    return !certificate.hasUnknownCritical;
  } catch {
    return false;
  }
}
