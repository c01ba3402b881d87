import { SignetError } from '../errors/index.ts';
import type { PrivateKey } from '../keys/private-key.ts';
import type { KeyId } from '../names/key-id.ts';
import type { RoleName } from '../names/role.ts';
import type { Signature } from '../signature.ts';
import { canonicalIdIn, canonicalKeyIds, type Signers } from '../verify/signers.ts';

/** Where private keys come from: a key folder that asks for passphrases, a token, a test. */
export interface SigningKeys {
  /** The private key with this canonical ID, undefined where it is not here. Throws where it is here but cannot be opened. */
  find(id: KeyId, role: RoleName): Promise<PrivateKey | undefined>;
}

/** Signs a payload's canonical bytes with every available key of the role (protocol A.5.2), be they enough or not. */
export async function signWith(
  role: RoleName,
  message: Buffer,
  { keyIds, keys }: Signers,
  ring: SigningKeys,
): Promise<readonly Signature[]> {
  const signatures: Signature[] = [];
  for (const id of keyIds) {
    const privateKey = await ring.find(canonicalIdIn(keys, id), role);
    // The signature names the key as the metadata lists it, which for a certificate is not the private key's own ID.
    if (privateKey !== undefined) signatures.push({ ...privateKey.sign(message), keyId: id });
  }
  return signatures;
}

/** Whether a key of the role is here. One after the other: two may both ask for their passphrase. */
export async function canSign(role: RoleName, signers: Signers, ring: SigningKeys): Promise<boolean> {
  for (const id of canonicalKeyIds(signers)) if ((await ring.find(id, role)) !== undefined) return true;
  return false;
}

/** That fewer keys are here than the role's threshold asks for, in Notary's words (protocol A.5.2). */
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
