import { SignetError } from '../errors/index.ts';
import type { Signer } from '../keys/signer.ts';
import type { KeyId } from '../names/key-id.ts';
import type { RoleName } from '../names/role.ts';
import type { Signature } from '../signature.ts';
import { canonicalIdIn, canonicalKeyIds, type Signers } from '../verify/signers.ts';

/** Where signers come from: a key folder that asks for passphrases, a token, a test. */
export interface SigningKeys {
  /**
   * The key with this canonical ID, ready to sign for `role`; undefined if it is not here. Throws if it is here but cannot
   * be opened.
   */
  find(id: KeyId, role: RoleName): Promise<Signer | undefined>;
}

/**
 * Signs a payload's canonical bytes with every available key of the role (protocol A.5.2), whether they are enough or not.
 * One after the other: two may both ask for their passphrase. Throws what `keys.find` and the keys throw.
 */
export async function signWith(
  role: RoleName,
  message: Buffer,
  { keyIds, keys }: Signers,
  available: SigningKeys,
): Promise<readonly Signature[]> {
  const signatures: Signature[] = [];
  for (const id of keyIds) {
    const signer = await available.find(canonicalIdIn(keys, id), role);
    // The signature names the key as the metadata lists it, which for a certificate is not the signer's own ID.
    if (signer !== undefined) signatures.push({ ...(await signer.sign(message)), keyId: id });
  }
  return signatures;
}

/** Whether a key of the role is here. One after the other: two may both ask for their passphrase. */
export async function canSign(role: RoleName, signers: Signers, available: SigningKeys): Promise<boolean> {
  for (const id of canonicalKeyIds(signers)) if ((await available.find(id, role)) !== undefined) return true;
  return false;
}

/** The error if fewer keys are here than the role's threshold asks for, in Notary's words (protocol A.5.2). */
export function keysMissing(role: RoleName, signers: Signers, signatures: readonly Signature[]): SignetError {
  const { keyIds, keys, threshold } = signers;
  const signed = new Set(signatures.map(({ keyId }) => canonicalIdIn(keys, keyId)));
  const missing = keyIds.map((id) => canonicalIdIn(keys, id)).filter((id) => !signed.has(id));
  const found = new Set(keyIds.map((id) => canonicalIdIn(keys, id)).filter((id) => signed.has(id))).size;
  const others = `${missing.length} ${found === 0 ? '' : 'other '}possible keys (${missing.join(', ')})`;
  const message =
    found === 0
      ? `signing keys not available: need ${threshold} keys from ${others}`
      : `not enough signing keys: found ${found} of ${threshold} needed keys - ${others}`;
  return new SignetError('signing-key-missing', message, { detail: { role, missing } });
}
