import type { Editor } from '../../core/edit/editor.ts';
import { canSign, keysMissing } from '../../core/edit/signing.ts';
import { SignetError } from '../../core/errors/index.ts';
import type { PublicKey } from '../../core/keys/public-key.ts';
import { sameFile } from '../../core/metadata/file-info.ts';
import type { Target } from '../../core/metadata/targets.ts';
import { type Digest, digestHex } from '../../core/names/digest.ts';
import type { KeyId } from '../../core/names/key-id.ts';
import { type BaseRole, type DelegationName, RELEASES, signerRole, type TargetsRole } from '../../core/names/role.ts';
import { allTargets, DOCKER_ROLES } from '../../core/verify/lookup.ts';
import { baseSigners, canonicalKeyIds } from '../../core/verify/signers.ts';
import type { DelegatedRole, TrustedSet } from '../../core/verify/trusted-set.ts';
import { validSigners } from '../../core/verify/verify.ts';
import type { Change } from '../../store/change.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import { countHere, signableRoles } from '../keys/signer-roles.ts';
import type { Publication } from '../publish/publication.ts';
import { isRenewedBy, type Repository } from '../publish/repository.ts';
import type { Collection } from '../update/collection.ts';

/**
 * A manifest or index to be signed under a tag.
 *
 * @example
 * ```ts
 * import type { SignedImage } from 'signet';
 *
 * const { digest, size } = await client.manifest(image);
 * const release: SignedImage = { tag: '2.0', digest, size };
 * ```
 */
export interface SignedImage {
  readonly tag: string;
  readonly digest: Digest;
  /** Size of the manifest or index in bytes. */
  readonly size: number;
}

/**
 * Signs images into every role for which the key store has a key, all in one publish (protocol D.8). A role that
 * already has the image is signed again, which renews its expiry. The repository must exist: see
 * `initializeWithImages`.
 *
 * @example
 * ```ts
 * import { signImages } from 'signet';
 *
 * const { digest, size } = await client.manifest(image);
 * const { kind } = await signImages(repository, [
 *   { tag: '1.1', digest, size },
 *   { tag: 'latest', digest, size },
 * ]);
 * assert.equal(kind, 'published');
 * ```
 */
export function signImages(repository: Repository, images: readonly SignedImage[]): Promise<Publication> {
  return repository.publish(async (editor, { set }) => {
    for (const image of images) {
      for (const role of await signableRoles(set, image.tag, repository.keys)) {
        editor.addTarget(role, image.tag, targetOf(image));
        editor.witness(role);
      }
    }
  });
}

/**
 * Opens the keys with which this person signs a tag, so that later steps cannot fail because a key is missing. Throws
 * `signing-key-missing` if there is none, and the errors of `KeyRing.find`.
 */
export async function openSigningKeys({ keys, source }: Repository, { set }: Collection, tag: string): Promise<void> {
  for (const role of await signableRoles(set, tag, keys)) {
    const signers = set.signersOf(role);
    if (!(await canSign(role, signers, keys))) throw keysMissing(role, signers, []);
    for (const id of canonicalKeyIds(signers)) await keys.find(id, role);
  }
  const others: BaseRole[] = isRenewedBy(set.root.root.expires.at, source.now) ? ['root', 'snapshot'] : ['snapshot'];
  for (const role of others) for (const id of canonicalKeyIds(set.signersOf(role))) await keys.find(id, role);
}

/** What became of a revocation. */
interface Revocation {
  readonly publication: Publication;
  /** Tags that are released all the same, by others. */
  readonly remaining: readonly string[];
}

/**
 * Creates a repository as `docker push` does: the images are signed by the new repository key. Throws
 * `trust-data-exists` if someone else has just created it.
 *
 * @example
 * ```ts
 * import { initializeWithImages, parseReference } from 'signet';
 *
 * const { digest, size } = await client.manifest(image);
 * const created = client.repository(parseReference('registry.example.com/team/new'), ['pull', 'push']);
 * await initializeWithImages(created, [{ tag: '1.0', digest, size }]);
 * assert.equal((await created.read()).set.targets.get('targets')?.payload.targets.size, 1);
 * ```
 */
export function initializeWithImages(repository: Repository, images: readonly SignedImage[]): Promise<void> {
  return repository.initialize((editor) => {
    for (const image of images) editor.addTarget('targets', image.tag, targetOf(image));
  });
}

/** Lets a signer sign every tag, and release what they sign (protocol D.12 step 3). */
export function addSigner(editor: Editor, name: string, keys: readonly PublicKey[]): void {
  const role = signerRole(name);
  for (const each of [role, RELEASES]) editor.addDelegation(each, keys, ['']);
}

/**
 * Removes tags from every role for which the key store has a key, and from `targets` if its key is there: docker leaves
 * `targets` out if there are delegations, and what it released can still be pulled. `remaining` are the tags that
 * others still release.
 *
 * @example
 * ```ts
 * import { revokeTags } from 'signet';
 *
 * const { publication, remaining } = await revokeTags(repository, ['1.0']);
 * assert.equal(publication.kind, 'published');
 * assert.deepEqual(remaining, []);
 * ```
 */
export async function revokeTags(repository: Repository, tags: readonly string[]): Promise<Revocation> {
  let remaining: string[] = [];
  const publication = await repository.publish(async (editor, { set }) => {
    remaining = [];
    const own: readonly TargetsRole[] = (await hasTargetsKey(set, repository.keys)) ? ['targets'] : [];
    for (const tag of tags) {
      const roles = [...(await signableRoles(set, tag, repository.keys)), ...own];
      for (const role of roles) editor.removeTarget(role, tag);
      const isLeft = ({ role }: { role: TargetsRole }) => DOCKER_ROLES.includes(role) && !roles.includes(role);
      if (allTargets(set, tag).some(isLeft)) remaining.push(tag);
    }
  });
  return { publication, remaining };
}

/**
 * The changes that remove a signer: their keys leave `targets/releases`, their own role goes (protocol D.13 step 4). What
 * only they had released loses its signatures by them (`Consequences`).
 */
export function signerRemoval(
  set: TrustedSet,
  role: DelegationName,
  canonicalIds: readonly KeyId[],
): readonly Change[] {
  const removal: Change = { kind: 'remove-delegation', role };
  if (releasesIn(set) === undefined) return [removal];
  const delegation = {
    ...{ threshold: 0, addKeys: [], addPaths: [], removePaths: [], clearPaths: false },
    removeKeys: canonicalIds,
  };
  return [{ kind: 'update-delegation', role: RELEASES, delegation }, removal];
}

/**
 * Whether the current `targets/releases` is not signed enough without these keys (protocol D.13 step 2). Throws
 * `signatures-missing` if it has no signatures at all.
 */
export function isLastSigner({ set, unusable }: Collection, canonicalIds: readonly KeyId[]): boolean {
  const releases = releasesIn(set);
  const envelope = set.targets.get(RELEASES)?.envelope ?? unusable.get(RELEASES)?.envelope;
  if (releases === undefined || envelope === undefined || envelope.signatures.length === 0) {
    throw new SignetError('signatures-missing', 'all signed tags are currently revoked, use docker trust sign to fix');
  }
  const others = [...validSigners(envelope, releases)].filter((id) => !canonicalIds.includes(id));
  return others.length < releases.threshold;
}

/**
 * Released tags for which no signer vouches any more once this one is gone: others have signed the file since, and with it
 * all that was in it.
 */
export function unvouchedTags({ set }: Collection, gone: DelegationName): readonly string[] {
  const released = [...(set.targets.get(RELEASES)?.payload.targets ?? [])];
  const isVouched = ([name, target]: readonly [string, Target]) =>
    allTargets(set, name).some(
      ({ role, target: other }) => role !== RELEASES && role !== gone && sameFile(other, target),
    );
  return released.filter((each) => !isVouched(each)).map(([name]) => name);
}

function releasesIn(set: TrustedSet): DelegatedRole | undefined {
  return set.delegationsOf('targets').find(({ name }) => name === RELEASES);
}

async function hasTargetsKey({ root }: TrustedSet, keys: KeyRing): Promise<boolean> {
  return (await countHere(keys, canonicalKeyIds(baseSigners(root.root, 'targets')))) > 0;
}

/** As docker signs images: the SHA-256 alone, no custom data (protocol D.8 step 4). */
function targetOf({ digest, size }: SignedImage): Target {
  return { length: size, hashes: new Map([['sha256', Buffer.from(digestHex(digest), 'hex')]]) };
}
