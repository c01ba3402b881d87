import { canonicalKeyId } from '../../core/keys/public-key.ts';
import type { Gun } from '../../core/names/gun.ts';
import type { KeyId } from '../../core/names/key-id.ts';
import type { Instant } from '../../core/time.ts';
import { currentCertificates, type TrustedRoot } from '../../core/verify/root-trust.ts';

/**
 * A valid root without a pin: what a person decides on.
 *
 * @example
 * ```ts
 * import type { FirstRoot } from 'signet';
 *
 * const question = ({ gun, server, keys }: FirstRoot) =>
 *   `Trust ${gun} of ${server}, with the root key ${keys.map(({ canonicalId }) => canonicalId).join(', ')}?`;
 * ```
 */
export interface FirstRoot {
  readonly gun: Gun;
  /** The host of the trust server that sent it. */
  readonly server: string;
  readonly keys: readonly FirstRootKey[];
}

/**
 * A root key with its certificate, which is valid now.
 *
 * @example
 * ```ts
 * import type { FirstRootKey } from 'signet';
 *
 * const describe = ({ canonicalId, commonName, notAfter }: FirstRootKey) =>
 *   `${canonicalId} of ${commonName}, until ${new Date(notAfter).toISOString()}`;
 * ```
 */
export interface FirstRootKey {
  /** The ID in the metadata, of the key with its certificate: what `trust inspect` shows. */
  readonly id: KeyId;
  /** The ID of the bare key: the name of its owner's private key file. */
  readonly canonicalId: KeyId;
  readonly commonName: string;
  readonly notBefore: Instant;
  readonly notAfter: Instant;
}

/**
 * Asks someone to agree to trust on first use. Nothing is stored before the answer.
 *
 * @example
 * ```ts
 * import { type ApproveFirstRoot, openTrust } from 'signet';
 *
 * const known = ['5f1c…']; // canonical IDs of root keys, from a trusted source
 * const approveFirstRoot: ApproveFirstRoot = async ({ keys }) => keys.every(({ canonicalId }) => known.includes(canonicalId));
 * await openTrust({ approveFirstRoot });
 * ```
 */
export type ApproveFirstRoot = (root: FirstRoot) => Promise<boolean>;

/** Describes a root's keys for someone who decides whether to trust it. */
export function describeFirstRoot(root: TrustedRoot, server: string, now: Instant): FirstRoot {
  const keys = currentCertificates(root, now).map(({ keyId, key, commonName, notBefore, notAfter }) => ({
    id: keyId,
    canonicalId: canonicalKeyId(key),
    commonName,
    notBefore,
    notAfter,
  }));
  return { gun: root.gun, server, keys };
}
