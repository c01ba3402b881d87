import type { Editor } from '../../core/edit/editor.ts';
import { SignetError } from '../../core/errors/index.ts';
import { matchesGun, rootCertificateOf } from '../../core/keys/certificate.ts';
import type { PublicKey } from '../../core/keys/public-key.ts';
import type { KeyId } from '../../core/names/key-id.ts';
import { type DelegationName, isDelegation, parentOf, type RoleName } from '../../core/names/role.ts';
import { canonicalIdIn, unknownDelegation } from '../../core/verify/signers.ts';
import type { Publication } from '../publish/publication.ts';
import type { Repository } from '../publish/repository.ts';

/** What is to change about who signs for a role. */
export interface RoleChange {
  /** For the root: certificates for this GUN, each made by whoever has the key. */
  readonly addKeys: readonly PublicKey[];
  /** Canonical IDs. */
  readonly removeKeys: readonly KeyId[];
  readonly threshold: number | undefined;
}

/**
 * Changes the keys and the threshold of `root`, `targets` or a delegation. A file that would no longer be signed enough
 * is signed anew in the same change. Throws `role-unknown`, `threshold-invalid`, `root-untrusted`, `change-invalid`.
 */
export function changeRole(repository: Repository, role: RoleName, change: RoleChange): Promise<Publication> {
  const { addKeys, removeKeys, threshold } = change;
  return repository.publish((editor, { set }) => {
    if (isDelegation(role)) return changeDelegation(editor, role, change);
    if (role === 'snapshot' || role === 'timestamp') {
      throw new SignetError('change-invalid', `the keys of ${role} are changed by rotating them`, {
        next: `signet trust key rotate ${repository.gun} ${role}`,
      });
    }
    if (role === 'root') for (const key of addKeys) checkRootKey(repository, key);
    const present = set.signersOf(role);
    const { keyIds, keys } = present;
    const kept = keyIds
      .filter((id) => !removeKeys.includes(canonicalIdIn(keys, id)))
      .flatMap((id) => keys.get(id) ?? []);
    const all = [...kept, ...addKeys.filter(({ id }) => !kept.some((key) => key.id === id))];
    const needed = threshold ?? present.threshold;
    if (needed < 1 || needed > all.length) {
      throw new SignetError('threshold-invalid', `${role} would have ${all.length} keys for a threshold of ${needed}`);
    }
    const isSame = kept.length === keyIds.length && all.length === kept.length && needed === present.threshold;
    if (!isSame) editor.replaceKeys(role, all, needed);
  });
}

function changeDelegation(editor: Editor, role: DelegationName, { addKeys, removeKeys, threshold }: RoleChange): void {
  const present = editor.delegationsOf(parentOf(role)).find(({ name }) => name === role);
  if (present === undefined) throw unknownDelegation(role);
  if (addKeys.length > 0) editor.addDelegation(role, addKeys, []);
  if (removeKeys.length > 0) editor.removeDelegationKeys(role, removeKeys);
  editor.setDelegationThreshold(role, threshold ?? present.threshold);
}

/** Throws `root-untrusted` where a public key is not one that can be a root key of the repository: a certificate for it. */
export function checkRootKey({ gun }: Pick<Repository, 'gun'>, key: PublicKey): void {
  const certificate = rootCertificateOf(key);
  if (certificate !== undefined && matchesGun(certificate, gun)) return;
  throw new SignetError('root-untrusted', `a root key is added as a certificate for ${gun}`, {
    next: `Whoever has the key makes it: signet trust key certificate ${gun}`,
  });
}
