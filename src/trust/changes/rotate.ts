import { Editor } from '../../core/edit/editor.ts';
import { keysMissing } from '../../core/edit/signing.ts';
import { SignetError } from '../../core/errors/index.ts';
import { issueRootCertificate } from '../../core/keys/certificate.ts';
import { canonicalKeyId, type PublicKey } from '../../core/keys/public-key.ts';
import type { Signer } from '../../core/keys/signer.ts';
import type { KeyId } from '../../core/names/key-id.ts';
import { BASE_ROLES, type BaseRole } from '../../core/names/role.ts';
import type { Instant } from '../../core/time.ts';
import { allDelegations } from '../../core/verify/lookup.ts';
import { baseSigners, canonicalKeyIds } from '../../core/verify/signers.ts';
import type { TrustedSet } from '../../core/verify/trusted-set.ts';
import type { Publication } from '../publish/publication.ts';
import type { Repository } from '../publish/repository.ts';
import type { Collection } from '../update/collection.ts';
import { type Kept, NOTHING_KEPT, type ResignedRole, resign, resignedRole } from './resigning.ts';

/** Which keys a role gets. */
export interface Rotation {
  readonly role: BaseRole;
  /** Whether the server keeps the role's key from now on. */
  readonly serverManaged: boolean;
  /** Canonical IDs of keys that are here already; a new key is made if there are none. */
  readonly keyIds?: readonly KeyId[];
}

/** What became of a rotation; all IDs are canonical. */
export interface Rotated {
  readonly publication: Publication;
  /** The keys that the role has from now on, or will have. */
  readonly keys: readonly KeyId[];
  /** Keys that the role had, which are here and stay: until the change is in force, or because others may need them. */
  readonly kept: readonly KeyId[];
  /** Keys that the role had, which were here and are of no more use. */
  readonly removed: readonly KeyId[];
}

/**
 * Gives a role new keys, and publishes a root that says so (protocol C.13); its threshold stays. Every key that signs is
 * opened before a new one is made: without their passphrases nothing changes, here or on the server. The repository's own
 * keys that are of no more use are removed once that is in force, never before (G-7); root keys stay, as other
 * repositories have them too. Throws `rotation-unsupported`, `threshold-invalid`, `signing-key-missing`, `trust-data-missing`.
 */
export async function rotateKeys(
  repository: Repository,
  rotation: Rotation,
  shown: readonly ResignedRole[] = [],
  kept: Kept = NOTHING_KEPT,
): Promise<Rotated> {
  const { role, keyIds = [] } = rotation;
  checkRotation({ ...rotation, choosesKeys: keyIds.length > 0 });
  await openRotationKeys(repository, role, Math.max(keyIds.length, 1));
  for (const id of keyIds) await present(repository, id, role);
  return repository.keys.undoing(async () => {
    const publicKeys = await newKeys(repository, rotation);
    const keys = publicKeys.map(canonicalKeyId);
    let former: readonly KeyId[] = [];
    let needed: readonly KeyId[] = [];
    const publication = await repository.publish((editor, collection) => {
      const { set } = collection;
      const { threshold, ...signers } = set.signersOf(role);
      former = canonicalKeyIds(signers).filter((id) => !keys.includes(id));
      needed = otherSigners(set, role);
      editor.replaceKeys(role, publicKeys, threshold);
      resign(editor, resignedBy(editor, collection, role, repository.source.now), shown, kept);
    });
    return { publication, keys, ...(await tidyUp(repository, publication, former, needed)) };
  });
}

/** What a rotation signs again with the new keys, for a person to decide what of it stays. Throws `trust-data-missing`. */
export async function planRotation(repository: Repository, role: BaseRole): Promise<readonly ResignedRole[]> {
  const collection = await repository.present();
  const editor = Editor.of(collection.set, collection.unusable);
  return resignedBy(editor, collection, role, repository.source.now);
}

/** Only `targets` says anything that its former key vouches for alone. */
function resignedBy(editor: Editor, { set }: Collection, role: BaseRole, now: Instant): readonly ResignedRole[] {
  return role === 'targets' ? [resignedRole(editor, set, role, now)] : [];
}

/** Refuses what Notary knows no rotation for (protocol C.13). Throws `rotation-unsupported`. */
export function checkRotation({
  role,
  serverManaged,
  choosesKeys,
}: Pick<Rotation, 'role' | 'serverManaged'> & { readonly choosesKeys: boolean }): void {
  if (serverManaged && (role === 'root' || role === 'targets')) {
    throw new SignetError('rotation-unsupported', `notary does not permit the server managing the ${role} key`);
  }
  if (!serverManaged && role === 'timestamp') {
    throw new SignetError('rotation-unsupported', 'notary does not permit the client managing the timestamp key', {
      next: 'Let the server make it: signet trust key rotate --server-managed REPOSITORY timestamp',
    });
  }
  if (serverManaged && choosesKeys) {
    throw new SignetError('rotation-unsupported', 'a key that the server manages cannot be chosen here');
  }
}

/**
 * Opens the keys of the roles that sign again, those of the root and of a snapshot that is signed here, for a role that gets
 * `count` keys. Throws `threshold-invalid`, `signing-key-missing`, `trust-data-missing`, and what opening keys throws.
 */
export async function openRotationKeys(repository: Repository, role: BaseRole, count: number): Promise<void> {
  const collection = await repository.current();
  if (collection === undefined) throw new SignetError('trust-data-missing', `${repository.gun} has no trust data yet`);
  const { root } = collection.set.root;
  const { threshold } = baseSigners(root, role);
  if (count < threshold) {
    throw new SignetError('threshold-invalid', `${role} would have ${count} keys for a threshold of ${threshold}`, {
      next: `Name as many keys: --key ID, or change one of them: signet trust role ${repository.gun} ${role}`,
    });
  }
  const rootSigners = baseSigners(root, 'root');
  if ((await open(repository, 'root', canonicalKeyIds(rootSigners))) === 0) throw keysMissing('root', rootSigners, []);
  if (role !== 'snapshot') await open(repository, 'snapshot', canonicalKeyIds(baseSigners(root, 'snapshot')));
}

/** Opens the keys that are here; how many that are. */
async function open({ keys }: Repository, role: BaseRole, ids: readonly KeyId[]): Promise<number> {
  let count = 0;
  for (const id of ids) if ((await keys.find(id, role)) !== undefined) count++;
  return count;
}

async function newKeys(repository: Repository, { role, serverManaged, keyIds = [] }: Rotation): Promise<PublicKey[]> {
  const { keys, gun, source } = repository;
  if (serverManaged && (role === 'snapshot' || role === 'timestamp')) return [await source.server.rotateKey(gun, role)];
  const own: Signer[] = [];
  // The passphrase that opened the former key may be why it is replaced.
  if (keyIds.length === 0) own.push(await keys.create(role, role === 'root' ? undefined : gun, 'its own'));
  for (const id of keyIds) own.push(await present(repository, id, role));
  return Promise.all(own.map((key) => (role === 'root' ? issueRootCertificate(key, gun, source.now) : key.publicKey)));
}

async function present({ keys }: Repository, id: KeyId, role: BaseRole): Promise<Signer> {
  const key = await keys.find(id, role);
  if (key === undefined) throw new SignetError('signing-key-missing', `unable to find key: ${id}`, { detail: { id } });
  return key;
}

/** The canonical IDs of all keys that sign for any other role of the collection. */
function otherSigners(set: TrustedSet, role: BaseRole): readonly KeyId[] {
  const base = BASE_ROLES.filter((other) => other !== role).map((other) => set.signersOf(other));
  return [...base, ...allDelegations(set)].flatMap(canonicalKeyIds);
}

/** Removes what was this repository's alone and is of no more use. */
async function tidyUp(
  { keys, gun }: Repository,
  { kind }: Publication,
  former: readonly KeyId[],
  needed: readonly KeyId[],
): Promise<Pick<Rotated, 'kept' | 'removed'>> {
  const here = (await keys.list()).filter(({ id }) => former.includes(id));
  const removed = here
    .filter((key) => kind === 'published' && key.gun === gun && !needed.includes(key.id))
    .map(({ id }) => id);
  for (const id of removed) await keys.remove(id);
  return { removed, kept: here.map(({ id }) => id).filter((id) => !removed.includes(id)) };
}
