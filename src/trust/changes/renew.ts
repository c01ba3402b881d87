import type { Editor } from '../../core/edit/editor.ts';
import type { SigningKeys } from '../../core/edit/signing.ts';
import { issueRootCertificate, rootCertificateOf } from '../../core/keys/certificate.ts';
import type { PublicKey } from '../../core/keys/public-key.ts';
import { canonicalKeyId } from '../../core/keys/public-key.ts';
import type { Gun } from '../../core/names/gun.ts';
import type { RoleName } from '../../core/names/role.ts';
import type { Instant } from '../../core/time.ts';
import { EXPIRY_NOTICE } from '../../core/verify/expiry-warnings.ts';
import { canonicalKeyIds } from '../../core/verify/signers.ts';
import type { TrustedView } from '../../core/verify/trusted-set.ts';
import { countHere } from '../keys/signer-roles.ts';
import type { Publication } from '../publish/publication.ts';
import type { Repository } from '../publish/repository.ts';
import type { Collection } from '../update/collection.ts';

/**
 * A role whose file should be signed again, and why.
 *
 * @example
 * ```ts
 * import { type DueRole, planRenewal } from 'signet';
 *
 * const { due } = await planRenewal(repository);
 * const describe = ({ role, why, expires }: DueRole) => `${role}: ${why}, ${new Date(expires).toISOString()}`;
 * for (const each of due) console.log(describe(each));
 * ```
 */
export interface DueRole {
  readonly role: RoleName;
  readonly expires: Instant;
  /** `unsigned`: its signers changed, and who signed it before is too few now. */
  readonly why: 'expired' | 'expires soon' | 'unsigned' | 'asked for';
  /** Whether a key that can sign it is here. */
  readonly isHere: boolean;
}

/**
 * What a renewal would sign again, and the collection as it is.
 *
 * @example
 * ```ts
 * import { planRenewal, type RenewalPlan } from 'signet';
 *
 * const plan: RenewalPlan = await planRenewal(repository);
 * assert.deepEqual(plan.due, []); // nothing expires within six months
 * ```
 */
export interface RenewalPlan {
  readonly collection: Collection;
  readonly due: readonly DueRole[];
}

/**
 * The roles that have expired, will expire within six months, or lack signatures, and those in `asked`. Leaves out the
 * timestamp, and the snapshot if the server has its key: the server renews these by itself.
 *
 * @example
 * ```ts
 * import { planRenewal } from 'signet';
 *
 * const { due } = await planRenewal(repository, ['targets']);
 * assert.deepEqual(due.map(({ role, why, isHere }) => [role, why, isHere]), [['targets', 'asked for', true]]);
 * ```
 */
export async function planRenewal(repository: Repository, asked: readonly RoleName[] = []): Promise<RenewalPlan> {
  const collection = await repository.inspect();
  const due: DueRole[] = [];
  for (const { role, expires, isUnsigned } of filesOf(collection)) {
    const why = whyDue(expires, isUnsigned, asked.includes(role), repository.source.now);
    if (why === undefined) continue;
    const isHere = (await countHere(repository.keys, canonicalKeyIds(collection.set.signersOf(role)))) > 0;
    if (role === 'snapshot' && !isHere) continue;
    due.push({ role, expires, why, isHere });
  }
  return { collection, due };
}

/**
 * Signs the given roles again, with their content, in one publish. The caller vouches for content whose signatures were
 * lost. A root gets new certificates for those keys in the key store whose certificates are about to expire (protocol
 * G-1).
 *
 * @example
 * ```ts
 * import { planRenewal, renew } from 'signet';
 *
 * const { due } = await planRenewal(repository, ['targets']);
 * const { kind } = await renew(repository, due.filter(({ isHere }) => isHere).map(({ role }) => role));
 * assert.equal(kind, 'published');
 * ```
 */
export function renew(repository: Repository, roles: readonly RoleName[]): Promise<Publication> {
  return repository.repair(async (editor, collection) => {
    for (const role of roles) {
      if (role === 'root') await renewRoot(repository, editor, collection);
      else if (role === 'snapshot') editor.witnessSnapshot();
      else if (role !== 'timestamp') editor.witness(role);
    }
  });
}

interface CollectionFile {
  readonly role: RoleName;
  readonly expires: Instant;
  readonly isUnsigned: boolean;
}

function filesOf({ set, unusable }: Collection): readonly CollectionFile[] {
  const files: CollectionFile[] = [
    { role: 'root', expires: rootExpiry(set.root.root.expires.at, rootKeys(set)), isUnsigned: false },
  ];
  for (const [role, { payload }] of set.targets) files.push({ role, expires: payload.expires.at, isUnsigned: false });
  for (const [role, { payload }] of unusable) files.push({ role, expires: payload.expires.at, isUnsigned: true });
  return [...files, { role: 'snapshot', expires: set.snapshot.payload.expires.at, isUnsigned: false }];
}

/** A root is of no more use than its certificates. */
function rootExpiry(expires: Instant, keys: readonly PublicKey[]): Instant {
  return Math.min(expires, ...keys.map((key) => rootCertificateOf(key)?.notAfter ?? expires));
}

function rootKeys(set: TrustedView): readonly PublicKey[] {
  const { keyIds, keys } = set.signersOf('root');
  return keyIds.flatMap((id) => keys.get(id) ?? []);
}

function whyDue(expires: Instant, isUnsigned: boolean, isAsked: boolean, now: Instant): DueRole['why'] | undefined {
  if (isUnsigned) return 'unsigned';
  if (expires < now) return 'expired';
  if (expires < now + EXPIRY_NOTICE) return 'expires soon';
  return isAsked ? 'asked for' : undefined;
}

async function renewRoot({ keys, gun, source }: Repository, editor: Editor, { set }: Collection): Promise<void> {
  const renewed = await reissued(set, { gun, keys, now: source.now, before: source.now + EXPIRY_NOTICE });
  if (renewed === undefined) editor.witnessRoot();
  else editor.replaceKeys('root', renewed, set.signersOf('root').threshold);
}

interface Reissuing {
  readonly gun: Gun;
  readonly keys: SigningKeys;
  readonly now: Instant;
  /** Certificates that end earlier are replaced. */
  readonly before: Instant;
}

/**
 * The root keys of a collection, with new certificates for those that are here and whose certificates end: the same keys,
 * but under other IDs, so that it is a rotation (protocol G-1). Undefined if there is nothing to replace.
 */
export async function reissued(
  set: TrustedView,
  { gun, keys, now, before }: Reissuing,
): Promise<readonly PublicKey[] | undefined> {
  let isReissued = false;
  const renewed: PublicKey[] = [];
  for (const key of rootKeys(set)) {
    const isEnding = (rootCertificateOf(key)?.notAfter ?? Number.POSITIVE_INFINITY) < before;
    const signer = isEnding ? await keys.find(canonicalKeyId(key), 'root') : undefined;
    if (signer !== undefined) isReissued = true;
    renewed.push(signer === undefined ? key : await issueRootCertificate(signer, gun, now));
  }
  return isReissued ? renewed : undefined;
}
