import { Editor } from '../../core/edit/editor.ts';
import { isSignetError, SignetError } from '../../core/errors/index.ts';
import { matchesGun, rootCertificateOf } from '../../core/keys/certificate.ts';
import type { PublicKey } from '../../core/keys/public-key.ts';
import type { KeyId } from '../../core/names/key-id.ts';
import { type DelegationName, isDelegation, isTargetsRole, parentOf, type RoleName } from '../../core/names/role.ts';
import type { Instant } from '../../core/time.ts';
import { canonicalIdIn, unknownDelegation } from '../../core/verify/signers.ts';
import { validSigners } from '../../core/verify/verify.ts';
import type { Publication } from '../publish/publication.ts';
import type { Repository } from '../publish/repository.ts';
import type { Collection } from '../update/collection.ts';
import { type Kept, NOTHING_KEPT, type ResignedRole, resign, resignedRole } from './resigning.ts';

/** What is to change about who signs for a role. */
interface RoleChange {
  /** For the root: certificates for this GUN, each made by the holder of the key. */
  readonly addKeys: readonly PublicKey[];
  /** Canonical IDs. */
  readonly removeKeys: readonly KeyId[];
  readonly threshold: number | undefined;
}

/**
 * Changes the keys and the threshold of `root`, `targets` or a delegation. A file that would no longer be signed enough
 * is signed again in the same change. Throws `role-unknown`, `threshold-invalid`, `root-untrusted`, `change-invalid`.
 */
export function changeRole(
  repository: Repository,
  role: RoleName,
  change: RoleChange,
  shown: readonly ResignedRole[] = [],
  kept: Kept = NOTHING_KEPT,
): Promise<Publication> {
  return repository.publish((editor, collection) => {
    applyRoleChange(repository, editor, collection, role, change);
    if (change.removeKeys.length > 0) {
      resign(editor, resignedBy(editor, collection, role, repository.source.now), shown, kept);
    }
  });
}

/** What a change of a role takes the signatures from by removing keys, for a person to decide what of it stays. */
export async function planRole(
  repository: Repository,
  role: RoleName,
  change: RoleChange,
): Promise<readonly ResignedRole[]> {
  const collection = await repository.present();
  const editor = Editor.of(collection.set, collection.unusable);
  applyRoleChange(repository, editor, collection, role, change);
  return change.removeKeys.length === 0 ? [] : resignedBy(editor, collection, role, repository.source.now);
}

function resignedBy(editor: Editor, { set }: Collection, role: RoleName, now: Instant): readonly ResignedRole[] {
  const published = isTargetsRole(role) ? set.targets.get(role) : undefined;
  if (published === undefined || !isTargetsRole(role)) return [];
  const signers = editor.signersOf(role);
  const isSigned = validSigners(published.envelope, signers).size >= signers.threshold;
  return isSigned ? [] : [resignedRole(editor, set, role, now)];
}

function applyRoleChange(
  repository: Repository,
  editor: Editor,
  { set }: Collection,
  role: RoleName,
  change: RoleChange,
): void {
  const { addKeys, removeKeys, threshold } = change;
  if (isDelegation(role)) changeDelegation(repository, editor, role, change);
  else {
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
      throw new SignetError('threshold-invalid', `${role} would have ${all.length} keys for a threshold of ${needed}`, {
        next: moreKeys(repository, role),
      });
    }
    const isSame = kept.length === keyIds.length && all.length === kept.length && needed === present.threshold;
    if (!isSame) editor.replaceKeys(role, all, needed);
  }
}

function changeDelegation(
  repository: Repository,
  editor: Editor,
  role: DelegationName,
  { addKeys, removeKeys, threshold }: RoleChange,
): void {
  const present = editor.delegationsOf(parentOf(role)).find(({ name }) => name === role);
  if (present === undefined) throw unknownDelegation(role);
  if (addKeys.length > 0) editor.addDelegation(role, addKeys, []);
  if (removeKeys.length > 0) editor.removeDelegationKeys(role, removeKeys);
  try {
    editor.setDelegationThreshold(role, threshold ?? present.threshold);
  } catch (error) {
    if (!isSignetError(error, 'threshold-invalid')) throw error;
    throw error.reworded(error.message, { next: moreKeys(repository, role) });
  }
}

/** What makes up for a threshold that the keys of a role cannot meet. */
function moreKeys({ gun }: Repository, role: RoleName): string {
  return `Add keys in the same command, or name a lower threshold: signet trust role --add-key FILE --threshold NUMBER ${gun} ${role}`;
}

/** Throws `root-untrusted` if a public key is not one that can be a root key of the repository: a certificate for it. */
export function checkRootKey({ gun }: Pick<Repository, 'gun'>, key: PublicKey): void {
  const certificate = rootCertificateOf(key);
  if (certificate !== undefined && matchesGun(certificate, gun)) return;
  throw new SignetError('root-untrusted', `a root key is added as a certificate for ${gun}`, {
    next: `Whoever has the key makes it: signet trust key certificate ${gun}`,
  });
}
