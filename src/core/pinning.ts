import { SignetError } from './errors/index.ts';
import type { RootCertificate } from './keys/certificate.ts';
import type { Gun } from './names/gun.ts';
import type { KeyId } from './names/key-id.ts';

/** Which root keys a repository may have (protocol C.7). */
export interface Pinning {
  /** GUN, or a prefix of GUNs ending in `*`, to the TUF IDs of acceptable root keys. */
  readonly certs: ReadonlyMap<string, readonly KeyId[]>;
  /** Whether a repository that no pin applies to may be trusted on first use. */
  readonly tofu: boolean;
}

/** Docker's own setting: no pins, trust on first use. */
export const TRUST_ON_FIRST_USE: Pinning = { certs: new Map(), tofu: true };

/**
 * The certificates that the pins admit. `first` tells that no root of the repository is trusted yet.
 * Throws `root-pin-mismatch` where none is left, or where nothing is pinned and trust on first use is off.
 */
export function applyPinning(
  pinning: Pinning,
  gun: Gun,
  certificates: readonly RootCertificate[],
  first: boolean,
): readonly RootCertificate[] {
  const pins = pinning.certs.get(gun) ?? longestWildcard(pinning.certs, gun);
  if (pins === undefined) {
    if (first && !pinning.tofu)
      throw new SignetError(
        'root-pin-mismatch',
        `invalid trust pinning specified: nothing is pinned for ${gun}, and trust on first use is off`,
      );
    return certificates;
  }
  const admitted = certificates.filter(({ keyId }) => pins.includes(keyId));
  if (admitted.length === 0) {
    throw new SignetError(
      'root-pin-mismatch',
      'could not validate the path to a trusted root: unable to match any certificates to trust_pinning config',
      { detail: { gun } },
    );
  }
  return admitted;
}

function longestWildcard(certs: Pinning['certs'], gun: Gun): readonly KeyId[] | undefined {
  const matching = [...certs.keys()].filter((pattern) => pattern.endsWith('*') && gun.startsWith(pattern.slice(0, -1)));
  const longest = matching.sort((a, b) => b.length - a.length)[0];
  return longest === undefined ? undefined : certs.get(longest);
}
