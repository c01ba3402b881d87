import { SignetError } from '../errors/index.ts';
import type { RootCertificate } from '../keys/certificate.ts';
import { canonicalKeyId } from '../keys/public-key.ts';
import type { Certificate } from '../keys/x509.ts';
import { isIssuedBy } from '../keys/x509-chain.ts';
import type { Gun } from '../names/gun.ts';
import type { KeyId } from '../names/key-id.ts';
import type { Instant } from '../time.ts';

/** The root keys that repositories may have (protocol C.7). */
export interface Pinning {
  /** Acceptable root keys by GUN, or by a prefix of GUNs ending in `*`. */
  readonly certs: ReadonlyMap<string, readonly RootPin[]>;
  /** Authorities that may issue root certificates, by prefix of GUNs, with or without a trailing `*`. */
  readonly ca: ReadonlyMap<string, readonly Certificate[]>;
  /** Whether to trust a repository on first use if no pin applies. */
  readonly tofu: TrustOnFirstUse;
}

/** A root key by its TUF ID or canonical ID (the name of its private key's file), or an exact certificate. */
export type RootPin = KeyId | Certificate;

/** `ask`: a person at the terminal has to agree. `off-in-ci`: nothing is configured, and this is a CI job. */
export type TrustOnFirstUse = 'on' | 'off' | 'ask' | 'off-in-ci';

/** Docker's default: no pins, trust on first use. */
export const TRUST_ON_FIRST_USE: Pinning = { certs: new Map(), ca: new Map(), tofu: 'on' };

/** What the root certificates of one repository must match. */
type Pin = { readonly pattern: string; admits(certificate: RootCertificate, now: Instant): boolean };

/**
 * The pin that applies to a repository (protocol C.7): from `certs` the one for its exact name, else the longest
 * prefix; then from `ca` the longest prefix. Only this one applies. Undefined if there is none.
 */
export function pinFor({ certs, ca }: Pinning, gun: Gun): Pin | undefined {
  const pattern = certs.has(gun) ? gun : longest([...certs.keys()].filter(isWildcard), gun);
  if (pattern !== undefined) {
    const pins = certs.get(pattern) ?? [];
    return { pattern, admits: (certificate) => pins.some((pin) => isPinned(certificate, pin)) };
  }
  const prefix = longest([...ca.keys()], gun);
  if (prefix === undefined) return undefined;
  const authorities = ca.get(prefix) ?? [];
  return { pattern: prefix, admits: (certificate, now) => isIssuedBy(authorities, certificate, now) };
}

/**
 * The certificates that the pins accept at `now`; all of them if no pin applies. Throws `root-pin-mismatch` if none
 * remain.
 */
export function applyPinning(
  pinning: Pinning,
  gun: Gun,
  certificates: readonly RootCertificate[],
  now: Instant,
): readonly RootCertificate[] {
  const pin = pinFor(pinning, gun);
  if (pin === undefined) return certificates;
  const admitted = certificates.filter((certificate) => pin.admits(certificate, now));
  if (admitted.length > 0) return admitted;
  throw new SignetError(
    'root-pin-mismatch',
    'could not validate the path to a trusted root: unable to match any certificates to trust_pinning config',
    { detail: { gun, pattern: pin.pattern, found: certificates.map(({ key }) => canonicalKeyId(key)) } },
  );
}

function isPinned({ keyId, key, leaf }: RootCertificate, pin: RootPin): boolean {
  return typeof pin === 'string' ? pin === keyId || pin === canonicalKeyId(key) : pin.der.equals(leaf.der);
}

function longest(patterns: readonly string[], gun: Gun): string | undefined {
  const matching = patterns.filter((pattern) => gun.startsWith(prefixOf(pattern)));
  return matching.sort((a, b) => prefixOf(b).length - prefixOf(a).length)[0];
}

function isWildcard(pattern: string): boolean {
  return pattern.endsWith('*');
}

function prefixOf(pattern: string): string {
  return isWildcard(pattern) ? pattern.slice(0, -1) : pattern;
}
