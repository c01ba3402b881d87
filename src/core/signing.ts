import { SignetError } from './errors/index.ts';
import type { PrivateKey } from './keys/private-key.ts';
import { canonicalKeyId } from './keys/public-key.ts';
import type { KeyMap, RoleKeys } from './metadata/common.ts';
import type { KeyId } from './names/key-id.ts';
import type { RoleName } from './names/role.ts';
import type { Signature } from './signature.ts';

/** Where private keys come from: a key folder that asks for passphrases, a token, a test. */
export interface SigningKeys {
  /** The private key with this canonical ID, undefined where it is not here. Throws where it is here but cannot be opened. */
  find(id: KeyId, role: RoleName): Promise<PrivateKey | undefined>;
}

/** The keys of a role, with what its metadata says about them. */
export interface Signers extends RoleKeys {
  readonly keys: KeyMap;
}

/**
 * Signs a payload's canonical bytes with every available key of the role (protocol A.5.2).
 * Throws `signing-key-missing` when fewer are available than the threshold asks for.
 */
export async function signWith(
  role: RoleName,
  message: Buffer,
  { keyIds, threshold, keys }: Signers,
  ring: SigningKeys,
): Promise<Signature[]> {
  const signatures: Signature[] = [];
  const missing: KeyId[] = [];
  for (const id of keyIds) {
    const key = keys.get(id);
    const canonical = key === undefined ? id : canonicalKeyId(key);
    const privateKey = await ring.find(canonical, role);
    // The signature names the key as the metadata lists it, which for a certificate is not the private key's own ID.
    if (privateKey === undefined) missing.push(canonical);
    else signatures.push({ ...privateKey.sign(message), keyId: id });
  }
  if (signatures.length < threshold)
    throw new SignetError('signing-key-missing', shortfall(signatures.length, threshold, missing), {
      detail: { role, missing },
    });
  return signatures;
}

function shortfall(found: number, needed: number, missing: readonly KeyId[]): string {
  return found === 0
    ? `signing keys not available: need ${needed} keys from ${missing.length} possible keys (${missing.join(', ')})`
    : `not enough signing keys: found ${found} of ${needed} needed keys - ${missing.length} other possible keys (${missing.join(', ')})`;
}
